// The contract's rules for another attempt: what is free, what counts, what is paid from the budget, and how long to wait.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { OutcomeKind } from "../../src/core/outcome.ts";
import { type Decision, decideRetry, NO_TRIES, type Situation, type Tries } from "../../src/core/retry.ts";
import type { RetryBudget } from "../../src/core/retry-budget.ts";
import type { RouteRetry } from "../../src/core/route-retry.ts";

const policy = { max: 3, backoffMs: 500, maxBackoffMs: 5000 };

function countingBudget(room: number): RetryBudget & { readonly taken: () => number } {
  let taken = 0;
  return {
    noteRequest: () => undefined,
    withdraw: () => {
      if (taken >= room) return false;
      taken += 1;
      return true;
    },
    taken: () => taken,
  };
}

const situation = (kind: OutcomeKind, fields: Partial<Situation> = {}): Situation => ({
  outcome: { kind, detail: "" },
  tries: NO_TRIES,
  untriedLeft: true,
  policy,
  budget: countingBudget(1000),
  nowMs: 0,
  random: 0.5,
  ...fields,
});
const decide = (kind: OutcomeKind, fields: Partial<Situation> = {}): Decision =>
  decideRetry(situation(kind, fields));
const stop = (why: "final" | "exhausted" | "budget"): Decision => ({ kind: "stop", why });

/** Attempts made when every one ends alike. */
function attemptsOf(kind: OutcomeKind, fields: Partial<Situation> = {}): number {
  let tries: Tries = NO_TRIES;
  for (let attempts = 1; ; attempts += 1) {
    const decision = decide(kind, { ...fields, tries });
    if (decision.kind === "stop" || attempts > 100) return attempts;
    tries = decision.tries;
  }
}

const KEY_CAUSES: readonly OutcomeKind[] = ["rate_limited", "quota_exhausted", "revoked"];

describe("a final outcome", () => {
  test.each<[OutcomeKind]>([["success"], ["rejected"], ["abandoned"]])("of %s is never repeated", (kind) => {
    const budget = countingBudget(1000);
    expect(decide(kind, { budget })).toEqual(stop("final"));
    expect(budget.taken()).toBe(0);
  });
});

describe("a key's cause", () => {
  test.each(KEY_CAUSES)(
    "of %s goes to the next candidate at once, for 16 attempts at most, free of charge",
    (kind) => {
      const budget = countingBudget(0);
      expect(decide(kind, { budget, policy: { ...policy, max: 0 } })).toEqual({
        kind: "retry",
        delayMs: 0,
        tries: { ...NO_TRIES, keyLosses: 1 },
      });
      expect(attemptsOf(kind, { budget })).toBe(16);
      expect(budget.taken()).toBe(0);
    },
  );

  test.each(KEY_CAUSES)("of %s asks no candidate twice", (kind) => {
    expect(decide(kind, { untriedLeft: false })).toEqual(stop("exhausted"));
  });
});

describe("a model that the key does not know", () => {
  test("is asked of one other key", () => {
    expect(attemptsOf("model_not_found")).toBe(2);
    expect(decide("model_not_found")).toMatchObject({ kind: "retry", delayMs: 0 });
    expect(decide("model_not_found", { untriedLeft: false })).toEqual(stop("final"));
  });
});

describe("a connect failure", () => {
  test("counts, but draws on no budget", () => {
    const budget = countingBudget(0);
    expect(attemptsOf("unreachable", { budget })).toBe(4);
    expect(attemptsOf("unreachable", { policy: { ...policy, max: 0 } })).toBe(1);
  });
});

describe("an overloaded backend", () => {
  test("counts and draws on the budget", () => {
    const budget = countingBudget(1000);
    expect(attemptsOf("unavailable", { budget })).toBe(4);
    expect(budget.taken()).toBe(3);
    expect(decide("unavailable", { budget: countingBudget(0) })).toEqual(stop("budget"));
  });

  test("does not draw on the budget when its tries are used up", () => {
    const budget = countingBudget(1000);
    expect(decide("unavailable", { budget, tries: { ...NO_TRIES, counted: 3 } })).toEqual(stop("exhausted"));
    expect(budget.taken()).toBe(0);
  });
});

describe("an ambiguous failure", () => {
  test("is repeated once, within the budget and the count", () => {
    const budget = countingBudget(1000);
    expect(attemptsOf("failed", { budget })).toBe(2);
    expect(budget.taken()).toBe(1);
    expect(decide("failed", { budget: countingBudget(0) })).toEqual(stop("budget"));
    expect(decide("failed", { tries: { ...NO_TRIES, counted: 3 } })).toEqual(stop("exhausted"));
    expect(decide("failed", { tries: { ...NO_TRIES, ambiguous: 1 } })).toEqual(stop("exhausted"));
  });
});

const wait = (counted: number, random: number) => {
  const decision = decide("unreachable", {
    untriedLeft: false,
    random,
    tries: { ...NO_TRIES, counted },
    policy: { ...policy, max: 100 },
  });
  return decision.kind === "retry" ? decision.delayMs : Number.NaN;
};

describe("the wait", () => {
  test("is none while another backend is free", () => {
    for (const kind of ["unreachable", "unavailable", "failed"] as const)
      expect(decide(kind)).toMatchObject({ kind: "retry", delayMs: 0 });
  });

  test("doubles from half a second to five, give or take a fifth", () => {
    expect([0, 1, 2, 3, 4, 50].map((counted) => wait(counted, 0.5))).toEqual([
      500, 1000, 2000, 4000, 5000, 5000,
    ]);
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (counted, random) => {
          const middle = Math.min(500 * 2 ** counted, 5000);
          expect(wait(counted, random)).toBeGreaterThanOrEqual(middle * 0.8);
          expect(wait(counted, random)).toBeLessThanOrEqual(middle * 1.2);
        },
      ),
    );
  });
});

test("no mix of outcomes makes more attempts than the contract allows", () => {
  const kinds = fc.constantFrom<OutcomeKind>(
    "rate_limited",
    "quota_exhausted",
    "revoked",
    "model_not_found",
    "unreachable",
    "unavailable",
    "failed",
  );
  fc.assert(
    fc.property(fc.infiniteStream(kinds), fc.infiniteStream(fc.boolean()), (outcomes, untried) => {
      const budget = countingBudget(1000);
      const seen: OutcomeKind[] = [];
      let tries: Tries = NO_TRIES;
      for (;;) {
        const kind = outcomes.next().value as OutcomeKind;
        seen.push(kind);
        const decision = decide(kind, { tries, budget, untriedLeft: untried.next().value as boolean });
        if (decision.kind === "stop") break;
        tries = decision.tries;
      }
      const count = (...of: readonly OutcomeKind[]) => seen.filter((kind) => of.includes(kind)).length;
      expect(count(...KEY_CAUSES)).toBeLessThanOrEqual(16);
      expect(count("unreachable", "unavailable", "failed")).toBeLessThanOrEqual(4);
      expect(count("failed")).toBeLessThanOrEqual(2);
      expect(count("model_not_found")).toBeLessThanOrEqual(2);
      expect(budget.taken()).toBeLessThanOrEqual(count("unavailable", "failed"));
    }),
    { numRuns: 500 },
  );
});

describe("a route's own numbers", () => {
  const timedOut = { outcome: { kind: "failed", timedOut: true, detail: "" } } as const;

  test.each<[OutcomeKind, RouteRetry, number]>([
    ["rate_limited", { rateLimits: 3 }, 4],
    ["rate_limited", { rateLimits: 0 }, 1],
    ["rate_limited", { rateLimits: 100 }, 16],
    ["rate_limited", { timeouts: 3 }, 16],
    ["revoked", { authentication: 1 }, 2],
    ["unavailable", { serverErrors: 5 }, 6],
    ["unavailable", { max: 1 }, 2],
    ["unavailable", { max: 0, unavailable: 2 }, 3],
    ["unreachable", { max: 6 }, 7],
    ["failed", { max: 6 }, 2],
  ])("for %s of %j make %i attempts", (kind, own, attempts) => {
    expect(attemptsOf(kind, { own })).toBe(attempts);
  });

  test("bound time-outs, which count as ambiguous otherwise", () => {
    expect(attemptsOf("failed", { ...timedOut, own: { timeouts: 0 } })).toBe(1);
    expect(attemptsOf("failed", { ...timedOut, own: { timeouts: 1 } })).toBe(2);
    expect(attemptsOf("failed", { ...timedOut, own: { timeouts: 4 } })).toBe(5);
  });

  test("let even a refusal be asked again", () => {
    const outcome = { kind: "rejected", status: 400, detail: "" } as const;
    expect(attemptsOf("rejected", { outcome, own: { badRequests: 2 } })).toBe(3);
    expect(decide("rejected", { outcome, own: { contentPolicy: 2 } })).toEqual(stop("final"));
  });

  test("ask no key twice", () => {
    expect(decide("rate_limited", { own: { rateLimits: 3 }, untriedLeft: false })).toEqual(stop("exhausted"));
  });

  test("stay within the budget, which keys' causes and connections do not draw on", () => {
    const own = { serverErrors: 9, rateLimits: 9, timeouts: 9 };
    const budget = countingBudget(2);
    expect(attemptsOf("unavailable", { own, budget })).toBe(3);
    expect(decide("unavailable", { own, budget })).toEqual(stop("budget"));
    expect(attemptsOf("rate_limited", { own, budget })).toBe(10);
    const outcome = { kind: "unreachable", timedOut: true, detail: "" } as const;
    expect(attemptsOf("unreachable", { outcome, own, budget })).toBe(10);
  });

  test("count apart from one another and from the general rule, and lengthen the back-off together", () => {
    const own = { timeouts: 1, unavailable: 1 };
    const first = decide("failed", { ...timedOut, own, untriedLeft: false });
    expect(first).toEqual({ kind: "retry", delayMs: 500, tries: { ...NO_TRIES, byClass: { timeouts: 1 } } });
    if (first.kind !== "retry") return;
    const second = decide("unavailable", { own, tries: first.tries, untriedLeft: false });
    expect(second).toEqual({
      kind: "retry",
      delayMs: 1000,
      tries: { ...NO_TRIES, byClass: { timeouts: 1, unavailable: 1 } },
    });
    if (second.kind !== "retry") return;
    expect(decide("unavailable", { own, tries: second.tries })).toEqual(stop("exhausted"));
    expect(decide("failed", { ...timedOut, own, tries: second.tries })).toEqual(stop("exhausted"));
    expect(decide("unreachable", { own, tries: second.tries }).kind).toBe("retry");
  });
});
