import { expect, test } from "bun:test";
import { listenBeside } from "../../src/fake/gate.ts";
import { startFake } from "../../src/fake/server.ts";

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
