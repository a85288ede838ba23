// Run as a process of its own: breaks answers in every phase and prints only whether one of them broke under way.
import { startFake } from "../../src/fake/server.ts";
import { startWeir } from "./weir.ts";

const fake = startFake();
const weir = startWeir({
  providers: [{ name: "openai", urls: [fake.url], keys: ["sk-printed-0000000000001"] }],
});
const chat = { model: "gpt-4o", messages: [{ role: "user", content: "x" }] };
for (const stream of [false, true])
  for (const fault of [
    { fault: "reset" },
    { fault: "reset", after: 3, framing: "chunked" },
    { fault: "short_body" },
    { fault: "bad_chunk" },
    { fault: "garbage_headers" },
  ]) {
    const headers = { "x-fake": JSON.stringify(fault) };
    await weir
      .post("/v1/chat/completions?secret=in-the-query", { ...chat, stream }, { headers })
      .then((answer) => answer.text())
      .catch(() => undefined);
  }
await weir.idle();
console.log(weir.requests().find(({ ending }) => ending === "broken")?.ending);
await weir[Symbol.asyncDispose]();
await fake.stop();
