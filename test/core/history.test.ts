import { expect, test } from "bun:test";
import { COARSE_KEPT, createHistory, SECONDS_KEPT } from "../../src/core/history.ts";
import { nextSnapshot } from "../../src/core/pool.ts";
import { type Sample, Series } from "../../src/core/series.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";
import { finishAttempt, namesOf, startAttempt, tallyOf } from "../support/views.ts";

const snapshotOf = (ids: readonly string[]) =>
  nextSnapshot(undefined, makeSpec({ p: { backends: ids.map((id) => makeBackend(id)) } }));

function sample(value: number): Sample {
  return {
    sentPerMinute: value,
    completedPerMinute: value,
    failedPerMinute: value,
    tokensPerMinute: value,
    inFlight: value,
    pending: value,
    running: Number.NaN,
    waiting: value,
    cacheShare: 0.5,
    firstByteP50Ms: value,
    usable: 1,
    total: value,
  };
}

test("a series keeps as many samples as it has room for, each in its place", () => {
  const series = new Series(5);
  for (let tick = 3; tick < 12; tick += 1) series.write(tick, sample(tick));
  expect([6, 7, 11, 12].map((tick) => series.read(tick, "inFlight"))).toEqual([
    Number.NaN,
    7,
    11,
    Number.NaN,
  ]);
  expect(series.read(11, "total")).toBe(11);
  expect(series.read(11, "running")).toBeNaN();
});

test("a series that stood still for long tells what was and what changed", () => {
  const series = new Series(4);
  for (let tick = 0; tick < 6; tick += 1) series.write(tick, sample(0.1));
  series.write(6, sample(2));
  series.write(7, sample(Number.NaN));
  const inFlight = [3, 4, 5, 6, 7].map((tick) => series.read(tick, "inFlight"));
  expect(inFlight).toEqual([Number.NaN, Math.fround(0.1), Math.fround(0.1), 2, Number.NaN]);
  expect(series.read(7, "cacheShare")).toBe(0.5);
});

test("a series does not show old samples where ticks were left out", () => {
  const series = new Series(5);
  for (let tick = 0; tick < 5; tick += 1) series.write(tick, sample(1));
  series.write(7, sample(2));
  expect([3, 4, 5, 6, 7].map((tick) => series.read(tick, "inFlight"))).toEqual([
    1,
    1,
    Number.NaN,
    Number.NaN,
    2,
  ]);
});

test("totals and models have six hours by ten seconds, backends ten minutes by the second", () => {
  const tally = tallyOf();
  const history = createHistory(tally);
  const snapshot = snapshotOf(["a", "b"]);
  startAttempt(tally, namesOf("a", { label: "m" }), 0);
  for (let tick = 0; tick < 22_000; tick += 1) history.tick(snapshot, tick * 1000);
  expect(history.ticks).toBe(22_000);
  const { fine, coarse } = history.totals;
  expect(fine.read(21_999, "inFlight")).toBe(1);
  expect(fine.read(22_000 - SECONDS_KEPT, "inFlight")).toBe(1);
  expect(fine.read(21_999 - SECONDS_KEPT, "inFlight")).toBeNaN();
  expect(coarse?.read(2199, "inFlight")).toBe(1);
  expect(coarse?.read(2200 - COARSE_KEPT, "inFlight")).toBe(1);
  expect(coarse?.read(2199 - COARSE_KEPT, "inFlight")).toBeNaN();
  expect(history.models.get("m")?.coarse?.read(2199, "inFlight")).toBe(1);
  expect([...history.backends.keys()]).toEqual(["a"]);
  expect(history.timeOf(21_999)).toBe(21_999_000);
});

test("a coarse sample is the mean of ten, of those that are known", () => {
  const tally = tallyOf();
  const history = createHistory(tally);
  const snapshot = snapshotOf(["a"]);
  for (let tick = 0; tick < 10; tick += 1) {
    if (tick >= 5) startAttempt(tally, namesOf("a"), tick * 1000);
    history.tick(snapshot, tick * 1000);
  }
  // 0 five times, then 1 to 5.
  expect(history.totals.coarse?.read(0, "inFlight")).toBe(1.5);
  expect(history.totals.coarse?.read(0, "running")).toBeNaN();
});

test("a backend that left the pool is forgotten when its last sample is", () => {
  const tally = tallyOf();
  const history = createHistory(tally);
  startAttempt(tally, namesOf("a"), 0);
  finishAttempt(tally, namesOf("a"), {}, 0);
  history.tick(snapshotOf(["a"]), 0);
  for (let tick = 1; tick <= SECONDS_KEPT; tick += 1) history.tick(snapshotOf([]), tick * 1000);
  expect(history.backends.has("a")).toBe(true);
  history.tick(snapshotOf([]), 700_000);
  expect(history.backends.has("a")).toBe(false);
});
