// What keys and backends learn from attempts: streaks, rests, trials, marks, and the count in flight.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { OutcomeKind } from "../../src/core/outcome.ts";
import { isResting, type Rest } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { beginAttempt, noteAnswer, settleAttempt } from "../../src/core/state.ts";
import { createCredentialState } from "../../src/core/credential-state.ts";
import { liftUsed, noteAbsence } from "../../src/core/backend-state.ts";
import { COOLDOWN, makeBackend, makeSlot } from "../support/slots.ts";

interface End {
  readonly kind: OutcomeKind;
  readonly retryAfterMs?: number;
  readonly model?: string;
  readonly random?: number;
}

const start = (slot: Slot, nowMs: number): number => {
  beginAttempt(slot, nowMs);
  return nowMs;
};

function end(
  slot: Slot,
  startedMs: number,
  nowMs: number,
  { kind, retryAfterMs, model, random = 0 }: End,
): readonly Rest[] {
  return settleAttempt(slot, {
    outcome: { kind, detail: kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    startedMs,
    nowMs,
    random,
    policy: COOLDOWN,
    ...(model === undefined ? {} : { model }),
  });
}

/** One attempt that takes no time. */
const once = (
  slot: Slot,
  nowMs: number,
  kind: OutcomeKind,
  fields: Omit<End, "kind"> = {},
): readonly Rest[] => end(slot, start(slot, nowMs), nowMs, { kind, ...fields });

const fresh = (): Slot => makeSlot(makeBackend("a"));
const keyUntil = (slot: Slot): number => slot.keyState.rest?.untilMs ?? Number.NaN;
const until = (slot: Slot): number => slot.state.rest?.untilMs ?? Number.NaN;

describe("a key's rest", () => {
  test("after 429s without a hint doubles from 5 s to 60 s, and a success starts over", () => {
    const slot = fresh();
    let now = 0;
    const lengths = [5000, 10_000, 20_000, 40_000, 60_000, 60_000].map(() => {
      once(slot, now, "rate_limited");
      const length = keyUntil(slot) - now;
      now = keyUntil(slot);
      return length;
    });
    expect(lengths).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    once(slot, now, "success");
    expect(slot.keyState.rest).toBeUndefined();
    once(slot, now + 1, "rate_limited");
    expect(keyUntil(slot)).toBe(now + 1 + 5000);
  });

  test("after 401s doubles from 5 min to 1 h, one trial each", () => {
    const slot = fresh();
    let now = 0;
    const lengths = [5, 10, 20, 40, 60, 60].map(() => {
      once(slot, now, "revoked");
      const length = (keyUntil(slot) - now) / 60_000;
      now = keyUntil(slot);
      return length;
    });
    expect(lengths).toEqual([5, 10, 20, 40, 60, 60]);
  });

  test("begins once for a burst of 429s that were in flight together", () => {
    const slot = fresh();
    const starts = Array.from({ length: 10 }, (_, at) => start(slot, at));
    const began = starts.map(
      (startedMs, at) => end(slot, startedMs, 100 + at, { kind: "rate_limited" }).length,
    );
    expect(began).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(slot.keyState.streaks.rate_limit).toBe(1);
    expect(keyUntil(slot)).toBe(109 + 5000);
    once(slot, keyUntil(slot), "rate_limited");
    expect(slot.keyState.streaks.rate_limit).toBe(2);
  });

  test("begins once for a burst over several backends of the key", () => {
    const one = fresh();
    const two = makeSlot(makeBackend("b"), one.keyState);
    for (const slot of [one, two]) for (let at = 0; at < 5; at += 1) start(slot, at);
    for (const slot of [one, two])
      for (let at = 0; at < 5; at += 1) end(slot, at, 50, { kind: "rate_limited" });
    expect(one.keyState.streaks.rate_limit).toBe(1);
  });

  test("takes one step for each cause of a mixed burst", () => {
    const slot = fresh();
    const starts = Array.from({ length: 12 }, (_, at) => start(slot, at));
    const kinds: readonly OutcomeKind[] = ["rate_limited", "revoked", "quota_exhausted"];
    const began = starts.map((startedMs, at) =>
      end(slot, startedMs, 100 + at, { kind: kinds[at % 3] ?? "revoked" }).map(({ cause }) => cause),
    );
    expect(slot.keyState.streaks).toEqual({ rate_limit: 1, quota: 1, revoked: 1 });
    expect(began.flat()).toEqual(["rate_limit", "revoked", "quota"]);
    expect(slot.keyState.rest?.cause).toBe("quota");
  });

  test("follows the provider's wait, and the later of two deadlines", () => {
    const slot = fresh();
    const [first, second, third] = [start(slot, 0), start(slot, 0), start(slot, 0)];
    end(slot, first, 10, { kind: "rate_limited", retryAfterMs: 7000 });
    expect(keyUntil(slot)).toBe(7010);
    end(slot, second, 20, { kind: "rate_limited", retryAfterMs: 1000 });
    expect(keyUntil(slot)).toBe(7010);
    end(slot, third, 30, { kind: "revoked" });
    expect(slot.keyState.rest).toMatchObject({ cause: "revoked", untilMs: 300_030 });
  });

  test("of one cause does not shorten a longer one of another", () => {
    const slot = fresh();
    const late = start(slot, 0);
    once(slot, 1, "quota_exhausted");
    expect(end(slot, late, 2, { kind: "rate_limited" })).toEqual([]);
    expect(slot.keyState.rest).toMatchObject({ cause: "quota", untilMs: 3_600_001 });
  });

  test("is lengthened by jitter only", () => {
    const slot = fresh();
    once(slot, 0, "rate_limited", { retryAfterMs: 10_000, random: 0.5 });
    expect(keyUntil(slot)).toBeCloseTo(11_000, 6);
  });

  test("is not ended by an answer to an older request", () => {
    const slot = fresh();
    const old = start(slot, 0);
    once(slot, 10, "revoked");
    noteAnswer(slot, old);
    end(slot, old, 20, { kind: "success" });
    expect(slot.keyState.rest?.cause).toBe("revoked");
    expect(slot.keyState.streaks.revoked).toBe(1);
  });

  test("of a rate limit is over by the clock, without a trial", () => {
    const slot = fresh();
    once(slot, 0, "rate_limited");
    start(slot, 5000);
    expect(slot.keyState.rest).toBeUndefined();
    expect(slot.keyState.streaks.rate_limit).toBe(1);
  });

  test("leaves the backend blameless", () => {
    const slot = fresh();
    once(slot, 0, "failed");
    once(slot, 0, "failed");
    once(slot, 0, "rate_limited");
    expect(slot.state.failuresInRow).toBe(0);
    for (const kind of ["quota_exhausted", "revoked"] as const) once(slot, 1, kind);
    expect(slot.state.rest).toBeUndefined();
  });
});

describe("a key's proof", () => {
  test("is an answer that got past the key", () => {
    for (const kind of ["success", "rejected", "model_not_found"] as const) {
      const slot = fresh();
      once(slot, 0, "revoked");
      once(slot, 300_000, kind);
      expect(slot.keyState.rest).toBeUndefined();
      expect(slot.keyState.streaks.revoked).toBe(0);
    }
  });

  test("is no failure of the backend: the rest stays due", () => {
    for (const kind of ["failed", "unavailable", "unreachable", "abandoned"] as const) {
      const slot = fresh();
      once(slot, 0, "revoked");
      once(slot, 300_000, kind);
      expect(slot.keyState.rest).toMatchObject({ cause: "revoked", onTrial: false, untilMs: 300_000 });
      expect(slot.keyState.streaks.revoked).toBe(1);
    }
  });
});

describe("a backend's rest", () => {
  test("begins with the third failure in a row", () => {
    const slot = fresh();
    once(slot, 0, "failed");
    once(slot, 0, "unreachable");
    expect(slot.state.rest).toBeUndefined();
    const [rest] = once(slot, 0, "failed");
    expect(rest).toMatchObject({ cause: "failures", untilMs: 5000 });
    expect(rest?.detail).toBe("3 failures in a row, last: failed");
  });

  test("does not begin when anything else comes between", () => {
    for (const kind of ["success", "rejected", "rate_limited", "revoked", "model_not_found"] as const) {
      const slot = fresh();
      for (const each of ["failed", "failed", kind, "failed", "failed"] as const) once(slot, 0, each);
      expect(slot.state.rest).toBeUndefined();
    }
    const slot = fresh();
    for (const each of ["failed", "failed", "abandoned", "failed"] as const) once(slot, 0, each);
    expect(slot.state.rest?.cause).toBe("failures");
  });

  test("doubles with each failed trial up to 60 s, and a success starts over", () => {
    const slot = fresh();
    for (let at = 0; at < 3; at += 1) once(slot, 0, "failed");
    const ends = [until(slot)];
    for (let at = 0; at < 5; at += 1) {
      once(slot, until(slot), "failed");
      ends.push(until(slot));
    }
    expect(ends.map((each, at) => each - (ends[at - 1] ?? 0))).toEqual([
      5000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ]);
    once(slot, until(slot), "success");
    expect(slot.state).toMatchObject({ failuresInRow: 0, restStreak: 0 });
    for (let at = 0; at < 3; at += 1) once(slot, 1_000_000, "failed");
    expect(until(slot)).toBe(1_005_000);
  });

  test("begins at once when an overloaded backend says how long", () => {
    const slot = fresh();
    once(slot, 0, "unavailable");
    expect(slot.state.rest).toBeUndefined();
    once(slot, 0, "unavailable", { retryAfterMs: 20_000 });
    expect(until(slot)).toBe(20_000);
  });

  test("takes one step for a burst of failures", () => {
    const slot = fresh();
    const starts = Array.from({ length: 10 }, (_, at) => start(slot, at));
    const began = starts.map((startedMs) => end(slot, startedMs, 100, { kind: "failed" }).length);
    expect(began).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(slot.state.restStreak).toBe(1);
    expect(until(slot)).toBe(5100);
  });

  test("is lengthened by a later deadline that the backend asks for, as the same step", () => {
    const slot = fresh();
    const starts = Array.from({ length: 6 }, () => start(slot, 0));
    for (const startedMs of starts.slice(0, 3)) end(slot, startedMs, 100, { kind: "failed" });
    expect(end(slot, 0, 100, { kind: "unavailable", retryAfterMs: 120_000 })).toEqual([]);
    expect(slot.state).toMatchObject({ restStreak: 1, rest: { untilMs: 120_100 } });
    end(slot, 0, 100, { kind: "unavailable", retryAfterMs: 1000 });
    expect(until(slot)).toBe(120_100);
  });

  test("is not ended by the success of an older request", () => {
    const slot = fresh();
    const old = start(slot, 0);
    for (let at = 0; at < 3; at += 1) once(slot, 10, "failed");
    end(slot, old, 20, { kind: "success" });
    expect(slot.state.rest?.cause).toBe("failures");
  });

  test("is ended by the success of a request that was let through while it lasted", () => {
    const slot = fresh();
    for (let at = 0; at < 3; at += 1) once(slot, 10, "failed");
    once(slot, 20, "success"); // health was ignored for the whole route
    expect(slot.state.rest).toBeUndefined();
    expect(slot.state.restStreak).toBe(0);
  });
});

const resting = (): Slot => {
  const slot = fresh();
  for (let at = 0; at < 3; at += 1) once(slot, 0, "failed");
  return slot;
};

describe("a trial", () => {
  test("holds others off until it is settled", () => {
    const slot = resting();
    expect(isResting(slot.state.rest, 4999)).toBe(true);
    expect(isResting(slot.state.rest, 5000)).toBe(false);
    start(slot, 5000);
    expect(isResting(slot.state.rest, 900_000)).toBe(true);
    end(slot, 5000, 900_000, { kind: "success" });
    expect(isResting(slot.state.rest, 900_000)).toBe(false);
  });

  test("ends with the head of a good answer", () => {
    const slot = resting();
    start(slot, 5000);
    noteAnswer(slot, 5000);
    expect(slot.state.rest).toBeUndefined();
    end(slot, 5000, 6000, { kind: "failed" });
    expect(slot.state).toMatchObject({ failuresInRow: 1 });
    expect(slot.state.rest).toBeUndefined();
  });

  test("that fails doubles the rest at once", () => {
    const slot = resting();
    start(slot, 5000);
    const [rest] = end(slot, 5000, 6000, { kind: "failed" });
    expect(rest).toMatchObject({ untilMs: 16_000, onTrial: false });
  });

  test("that is abandoned leaves the rest due, for the next to try", () => {
    const slot = resting();
    start(slot, 5000);
    expect(end(slot, 5000, 6000, { kind: "abandoned" })).toEqual([]);
    expect(slot.state).toMatchObject({ restStreak: 1, rest: { onTrial: false, untilMs: 6000 } });
    expect(isResting(slot.state.rest, 6000)).toBe(false);
    start(slot, 6000);
    expect(isResting(slot.state.rest, 6001)).toBe(true);
  });

  test("goes on when an older request is abandoned or fails", () => {
    for (const kind of ["abandoned", "failed", "unreachable", "rate_limited"] as const) {
      const slot = fresh();
      const old = start(slot, -10);
      for (let at = 0; at < 3; at += 1) once(slot, 0, "failed");
      start(slot, 5000);
      expect(end(slot, old, 5500, { kind }).filter(({ cause }) => cause === "failures")).toEqual([]);
      expect(slot.state).toMatchObject({ restStreak: 1, rest: { onTrial: true } });
      end(slot, 5000, 6000, { kind: "success" });
      expect(slot.state.rest).toBeUndefined();
    }
  });

  test("of a key goes on when an older request of the key is abandoned or fails", () => {
    for (const kind of ["abandoned", "failed"] as const) {
      const slot = fresh();
      const other = makeSlot(makeBackend("b"), slot.keyState);
      const old = start(other, -10);
      once(slot, 0, "revoked");
      start(slot, 300_000);
      end(other, old, 300_500, { kind });
      expect(slot.keyState.rest?.onTrial).toBe(true);
      end(slot, 300_000, 301_000, { kind: "success" });
      expect(slot.keyState.rest).toBeUndefined();
    }
  });

  test("of a key that meets a rate limit proves it alive, but resting", () => {
    const slot = fresh();
    once(slot, 0, "revoked");
    start(slot, 300_000);
    end(slot, 300_000, 300_010, { kind: "rate_limited" });
    expect(slot.keyState.rest).toMatchObject({ cause: "rate_limit", onTrial: false, untilMs: 305_010 });
  });

  test("of key and backend are apart", () => {
    const slot = resting();
    once(slot, 0, "revoked");
    start(slot, 5000);
    expect(slot.keyState.rest?.onTrial).toBe(false);
    expect(slot.state.rest?.onTrial).toBe(true);
  });
});

describe("a model mark", () => {
  test("lasts five minutes for that model of that key", () => {
    const slot = fresh();
    once(slot, 1000, "model_not_found", { model: "m" });
    expect([...slot.keyState.refusedModels]).toEqual([["m", 301_000]]);
    expect(slot.state.rest).toBeUndefined();
    expect(slot.keyState.rest).toBeUndefined();
  });

  test("is renewed, and expired ones are dropped", () => {
    const slot = fresh();
    once(slot, 0, "model_not_found", { model: "a" });
    once(slot, 10, "model_not_found", { model: "b" });
    once(slot, 200_000, "model_not_found", { model: "a" });
    expect([...slot.keyState.refusedModels.keys()]).toEqual(["b", "a"]);
    once(slot, 400_000, "model_not_found", { model: "c" });
    expect([...slot.keyState.refusedModels]).toEqual([
      ["a", 500_000],
      ["c", 700_000],
    ]);
    once(slot, 400_000, "model_not_found");
    expect(slot.keyState.refusedModels.size).toBe(2);
  });

  test("is one of 64 at most, the oldest go", () => {
    const slot = fresh();
    for (let at = 0; at < 1000; at += 1) once(slot, at, "model_not_found", { model: `m${at}` });
    expect(slot.keyState.refusedModels.size).toBe(64);
    expect(slot.keyState.refusedModels.has("m936")).toBe(true);
    expect(slot.keyState.refusedModels.has("m935")).toBe(false);
  });
});

describe("the counters of a backend", () => {
  test("count attempts when they begin", () => {
    const slot = fresh();
    start(slot, 5);
    start(slot, 7);
    expect(slot.state).toMatchObject({ attempts: 2, used: 2, inFlight: 2, lastUsedMs: 7 });
    end(slot, 5, 8, { kind: "success" });
    expect(slot.state).toMatchObject({ attempts: 2, used: 2, inFlight: 1, lastUsedMs: 7 });
  });

  test("start over for a newcomer or returner at what it is given", () => {
    const slot = fresh();
    expect(slot.state.returning).toBe(true);
    liftUsed(slot.state, 40);
    expect(slot.state).toMatchObject({ used: 40, attempts: 0, returning: false });
    noteAbsence(slot.state);
    expect(slot.state.returning).toBe(true);
  });
});

test("under any schedule, the count in flight returns to 0, no trial stays open, and no rest is endless", () => {
  const kinds = fc.constantFrom<OutcomeKind>(
    "success",
    "rate_limited",
    "quota_exhausted",
    "revoked",
    "model_not_found",
    "rejected",
    "unreachable",
    "unavailable",
    "failed",
    "abandoned",
  );
  const step = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.nat(4000), fc.nat(4_000_000)),
    begin: fc.boolean(),
    which: fc.nat(),
    head: fc.boolean(),
    kind: kinds,
    hint: fc.option(fc.nat(1e9)),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const keyState = createCredentialState("k");
      const slots = [makeSlot(makeBackend("a"), keyState), makeSlot(makeBackend("b"), keyState)] as const;
      const open: { readonly slot: Slot; readonly startedMs: number }[] = [];
      let now = 0;
      let started = 0;
      const settle = (
        which: number,
        { kind, hint, random, head }: Omit<(typeof steps)[number], "gapMs" | "begin" | "which">,
      ) => {
        const [lease] = open.splice(which % open.length, 1);
        if (lease === undefined) return;
        if (head && kind === "success") noteAnswer(lease.slot, lease.startedMs);
        const asked = hint === null ? {} : { retryAfterMs: hint };
        end(lease.slot, lease.startedMs, now, { kind, random, model: kind, ...asked });
      };
      for (const { gapMs, begin, which, ...ending } of steps) {
        now += gapMs;
        const slot = slots[which % 2] ?? slots[0];
        // As the pool does it, though a whole route's health may be ignored.
        const allowed =
          !isResting(slot.keyState.rest, now) && (ending.head || !isResting(slot.state.rest, now));
        if (begin && allowed) {
          open.push({ slot, startedMs: start(slot, now) });
          started += 1;
        } else if (open.length > 0) settle(which, ending);
        expect(slots[0].state.inFlight + slots[1].state.inFlight).toBe(open.length);
        const rests = [keyState.rest, slots[0].state.rest, slots[1].state.rest];
        for (const rest of rests) {
          if (rest === undefined) continue;
          expect(rest.untilMs - now).toBeLessThanOrEqual(86_400_000 * 1.2);
          if (rest.onTrial) expect(open.some(({ startedMs }) => startedMs >= rest.untilMs)).toBe(true);
        }
      }
      while (open.length > 0) settle(0, { kind: "abandoned", hint: null, random: 0, head: false });
      for (const { state } of slots) {
        expect(state.inFlight).toBe(0);
        expect(state.rest?.onTrial ?? false).toBe(false);
        expect(state.failuresInRow).toBeGreaterThanOrEqual(0);
      }
      expect(keyState.rest?.onTrial ?? false).toBe(false);
      expect(slots[0].state.attempts + slots[1].state.attempts).toBe(started);
    }),
    { numRuns: 500 },
  );
});
