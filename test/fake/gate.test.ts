import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { listenBeside } from "../../src/fake/gate.ts";
import { startFake } from "../../src/fake/server.ts";
import { until } from "../support/until.ts";

test("a fake that refuses takes its port up again", async () => {
  const fake = startFake({ script: { accept: "refuse" } });
  const isReached = () =>
    fetch(`${fake.url}/v1/models`).then(
      ({ status }) => status === 200,
      () => false,
    );
  expect(await isReached()).toBe(false);
  fake.configure({});
  expect(await isReached()).toBe(true);
  await fake.stop();
});

/** States of the sockets that have a port of this machine, as Linux writes them: 01 connected, 0A listening. */
const statesAt = (port: number): readonly (string | undefined)[] =>
  readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local === `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`)
    .map(([, , , state]) => state);

test.skipIf(process.platform !== "linux")(
  "a fake that refuses keeps others from being given its port, and leaves nothing of that behind",
  async () => {
    const fake = startFake({ script: { accept: "refuse" } });
    // At once: whoever starts next may be given a port in the same turn.
    expect(statesAt(fake.port)).toEqual(["01"]);
    fake.configure({});
    await until(() => statesAt(fake.port).join() === "0A", "it listens");
    fake.configure({ accept: "refuse" });
    expect(statesAt(fake.port)).toEqual(["01"]);
    await fake.stop();
    await until(() => statesAt(fake.port).length === 0, "nothing is left");
  },
);

test("a port that another gate wants back is not taken, and what was held meanwhile is given back", () => {
  const given = [7001, 7002, 7003];
  const stopped: number[] = [];
  const listen = () => {
    const port = given.shift() ?? 0;
    return { port, stop: () => void stopped.push(port) };
  };
  expect(listenBeside(listen, new Set([7001, 7002])).port).toBe(7003);
  expect(stopped).toEqual([7001, 7002]);
});
