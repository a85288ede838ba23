// Run as a process of its own: opens so many streams through one weir, holds them, lets them go, prints figures.
import { startFake } from "../../src/fake/server.ts";
import { dialRaw, postBytes, type RawClient } from "./raw.ts";
import { until } from "./until.ts";
import { startWeir } from "./weir.ts";

const COUNT = Number(Bun.argv[2]);
const AT_ONCE = 64;

const fake = startFake({ script: { rules: [{ do: { fault: "hang_stream", after: 1 } }] } });
const weir = startWeir({ providers: [{ name: "openai", urls: [fake.url], keys: ["sk-many"] }] });
const body = JSON.stringify({ model: "gpt-4o", stream: true, messages: [{ role: "user", content: "x" }] });
const clients: RawClient[] = [];
while (clients.length < COUNT) {
  const wave = await Promise.all(Array.from({ length: AT_ONCE }, () => dialRaw(weir.port)));
  for (const client of wave) client.send(postBytes("/v1/chat/completions", body));
  clients.push(...wave);
}
const begun = (): number => clients.filter((client) => client.received.includes("data: ")).length;
await until(() => begun() === COUNT, "every stream begins", 40_000).catch(() => undefined);
const figures = {
  begun: begun(),
  inFlight: weir.app.inFlight(),
  rssMb: Math.round(process.memoryUsage().rss / 1024 ** 2),
};
for (const client of clients) client.leave();
await weir.idle();
await until(() => fake.openCalls === 0, "no upstream call is left");
console.log(JSON.stringify({ ...figures, left: weir.app.inFlight() }));
await weir[Symbol.asyncDispose]();
await fake.stop();
