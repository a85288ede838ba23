// Whose time-outs count for an attempt.
import { expect, test } from "bun:test";
import { timeoutsFor } from "../../src/proxy/patience.ts";
import { makeBackend } from "../support/slots.ts";

const GENERAL = { connectMs: 1, firstByteMs: 2, streamFirstByteMs: 3, idleMs: 4, totalMs: 5 };

test("a backend's own time-outs stand before the route's, and those before the general ones", () => {
  const route = { timeouts: { firstByteMs: 20, idleMs: 40 } };
  const backend = makeBackend("b", { timeouts: { idleMs: 400, totalMs: 500 } });
  expect(timeoutsFor(GENERAL, route, backend)).toEqual({
    connectMs: 1,
    firstByteMs: 20,
    streamFirstByteMs: 3,
    idleMs: 400,
    totalMs: 500,
  });
  expect(timeoutsFor(GENERAL, {}, backend)).toEqual({ ...GENERAL, idleMs: 400, totalMs: 500 });
});

test("the general time-outs are the same record where nobody has others", () => {
  expect(timeoutsFor(GENERAL, {}, makeBackend("b"))).toBe(GENERAL);
});
