import { expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import { applyStatus, diffStatus } from "../../src/core/status-change.ts";
import type { StatusView } from "../../src/core/status.ts";
import { makeBackend, makeSpec } from "../support/slots.ts";
import { finishAttempt, namesOf, startAttempt, tallyOf, viewOf } from "../support/views.ts";

const spec = (ids: readonly string[]) => makeSpec({ p: { backends: ids.map((id) => makeBackend(id)) } });
const overWire = <T>(value: T): T => JSON.parse(JSON.stringify(value));
const withoutFailures = (view: StatusView): StatusView => ({ ...view, failures: [] });

test("a change applied to the view before gives the view after", () => {
  const snapshot = nextSnapshot(undefined, spec(["a", "b", "c"]));
  const tally = tallyOf();
  for (const id of ["a", "b"]) {
    startAttempt(tally, namesOf(id), 0);
    finishAttempt(tally, namesOf(id), { outcome: "rate_limited" }, 10);
  }
  const before = overWire(viewOf(snapshot, tally, 10));
  startAttempt(tally, namesOf("a"), 2000);
  const after = overWire(viewOf(snapshot, tally, 2000));
  const message = overWire(diffStatus(before, after));
  expect(message.kind).toBe("change");
  const applied = applyStatus(before, message);
  expect(applied && withoutFailures(applied)).toEqual(withoutFailures(after));
  if (message.kind !== "change") throw new Error("not a change");
  expect(Object.keys(message.change.backends)).toEqual(["a"]);
  expect(message.change.backends["a"]).toMatchObject({ inFlight: 1, attempts: 2 });
  expect(message.change.backends["a"]).not.toHaveProperty("provider");
  // What did not change stays the same object, for pages that compare by identity.
  expect(applied?.backends[2]).toBe(before.backends[2]);
});

test("rows that come, go or move make the view whole again", () => {
  const tally = tallyOf();
  const view = (ids: readonly string[]) => viewOf(nextSnapshot(undefined, spec(ids)), tally, 0);
  for (const ids of [["a"], ["a", "b", "c"], ["b", "a"]])
    expect(diffStatus(view(["a", "b"]), view(ids)).kind).toBe("whole");
});

test("a change without anything before it gives nothing", () => {
  const view = viewOf(nextSnapshot(undefined, spec(["a"])), tallyOf(), 0);
  expect(applyStatus(undefined, diffStatus(view, view))).toBeUndefined();
  expect(applyStatus(undefined, { kind: "whole", view })).toBe(view);
});

test("a row named like a property of all objects is not mistaken for a change", () => {
  const snapshot = nextSnapshot(undefined, spec(["constructor", "__proto__"]));
  const view = viewOf(snapshot, tallyOf(), 0);
  const applied = applyStatus(view, overWire(diffStatus(view, view)));
  expect(applied?.backends).toEqual(view.backends);
});
