import { expect, test } from "bun:test";
import { createHistory } from "../../../src/core/history.ts";
import { nextSnapshot } from "../../../src/core/pool.ts";
import { historyPage } from "../../../src/views/api/history.ts";
import { makeBackend, makeSpec } from "../../support/slots.ts";
import { finishAttempt, namesOf, startAttempt, tallyOf } from "../../support/views.ts";

function scene(backends: number, ticks: number) {
  const ids = Array.from({ length: backends }, (_, index) => `b${index}`);
  const snapshot = nextSnapshot(undefined, makeSpec({ p: { backends: ids.map((id) => makeBackend(id)) } }));
  const tally = tallyOf();
  const history = createHistory(tally);
  for (const id of ids) {
    startAttempt(tally, namesOf(id, { label: "m" }), 0);
    finishAttempt(tally, namesOf(id, { label: "m" }), { firstByteMs: 3 }, 0);
  }
  for (let tick = 0; tick < ticks; tick += 1) history.tick(snapshot, tick * 1000);
  const page = historyPage({ history, wallAt: (monotonicMs) => 1e12 + monotonicMs });
  return async (query: string) => {
    const response = await page.respond(new Request(`http://x/api/history${query}`), undefined);
    return { status: response.status, body: await response.json() };
  };
}

test("the history has LLMRouter's names, and at most two minutes of samples", async () => {
  const { body } = await scene(2, 300)("");
  expect(body).toHaveLength(120);
  expect(body.at(-1)).toEqual({
    time: new Date(1e12 + 299_000).toTimeString().slice(0, 8),
    total_rpm: 0,
    comp_rpm: 0,
    running: 0,
    waiting: 0,
    healthy: 2,
    unhealthy: 0,
    conns: 0,
    pending: 0,
    backends: {
      b0: { send_rpm: 0, comp_rpm: 0, running: 0, waiting: 0, conns: 0, pending: 0, healthy: true },
      b1: { send_rpm: 0, comp_rpm: 0, running: 0, waiting: 0, conns: 0, pending: 0, healthy: true },
    },
    models: { m: { send_rpm: 0, comp_rpm: 0, running: 0, waiting: 0, conns: 0, healthy: 0, total: 0 } },
  });
});

test("the first minute shows what was sent in it, without any limit being configured", async () => {
  const { body } = await scene(3, 10)("");
  expect(body).toHaveLength(10);
  expect(body.at(-1)).toMatchObject({ total_rpm: 3, comp_rpm: 3, backends: { b1: { send_rpm: 1 } } });
});

test("the history names only so many backends unasked, those that are asked for, or all", async () => {
  const ask = scene(150, 3);
  const named = async (query: string) => Object.keys((await ask(query)).body.at(-1).backends).length;
  expect(await named("")).toBe(100);
  expect(await named("?backends=b149,b3,nobody")).toBe(2);
  expect(await named("?backends=*")).toBe(150);
  expect(await named("?backends=")).toBe(0);
});

test("ten minutes come as columns by the second, six hours by ten seconds", async () => {
  const ask = scene(2, 700);
  const { body: fine } = await ask("?range=10m&backends=b1");
  expect([fine.stepMs, fine.atMs.length, fine.atMs.at(-1)]).toEqual([1000, 600, 1e12 + 699_000]);
  expect(Object.keys(fine.backends)).toEqual(["b1"]);
  expect(fine.backends.b1.usable).toHaveLength(600);
  expect(fine.totals.total.at(-1)).toBe(2);
  expect(fine.totals.running.at(-1)).toBeNull();
  const { body: coarse } = await ask("?range=6h");
  expect([coarse.stepMs, coarse.atMs.length, coarse.atMs[0]]).toEqual([10_000, 70, 1e12]);
  expect(coarse.totals.sentPerMinute.slice(0, 8)).toEqual([2, 2, 2, 2, 2, 2, 0, 0]);
  expect(coarse.models.m.sentPerMinute[0]).toBe(2);
});

test("a range that is none is refused with what is expected", async () => {
  const { status, body } = await scene(1, 1)("?range=1y");
  expect(status).toBe(400);
  expect(body.error.message).toBe('cannot read range: expected 10m or 6h, found "1y"');
});
