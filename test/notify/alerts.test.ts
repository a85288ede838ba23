import { describe, expect, test } from "bun:test";
import { array, assert, integer, property, record, subarray } from "fast-check";
import { nextAlerts, NO_ALERTS } from "../../src/notify/alerts.ts";
import type { Trouble } from "../../src/notify/trouble.ts";

const BATCH = 60;
const COOLDOWN = 300;

const troubleOf = (id: string, fields: Partial<Trouble> = {}): Trouble => ({
  id,
  event: "failure",
  name: id,
  cause: "connection refused",
  sinceMs: 0,
  untilMs: 0,
  ...fields,
});

/** One receiver; `see` gives what it is told when these troubles hold at that time. */
function startReceiver(isConfigured: (trouble: Trouble) => boolean = () => true) {
  let state = NO_ALERTS;
  return {
    see: (nowMs: number, ...held: (string | Trouble)[]): string[] => {
      const troubles = held.map((each) => (typeof each === "string" ? troubleOf(each) : each));
      const next = nextAlerts(state, { troubles, isConfigured, nowMs, batchMs: BATCH, cooldownMs: COOLDOWN });
      ({ state } = next);
      return [
        ...next.failed.map(({ id }) => `${id} failed`),
        ...next.recovered.map(({ id }) => `${id} recovered`),
      ];
    },
    state: () => state,
  };
}

describe("alerts", () => {
  test("are batched: the first failure opens a window, and one message at its end has all that hold", () => {
    const { see } = startReceiver();
    expect(see(0, "a")).toEqual([]);
    expect(see(30, "a", "b")).toEqual([]);
    expect(see(59, "a", "b", "c")).toEqual([]);
    expect(see(60, "a", "b", "c")).toEqual(["a failed", "b failed", "c failed"]);
    expect(see(61, "a", "b", "c")).toEqual([]);
  });

  test("say nothing of a flap inside the window, neither failure nor recovery", () => {
    const { see, state } = startReceiver();
    see(0, "a");
    expect(see(30)).toEqual([]);
    expect(see(60)).toEqual([]);
    expect(see(1000)).toEqual([]);
    expect(state()).toEqual(NO_ALERTS);
  });

  test("open a window of its own for a failure after a flap", () => {
    const { see } = startReceiver();
    see(0, "a");
    see(30);
    see(50, "b");
    expect(see(60, "b")).toEqual([]);
    expect(see(110, "b")).toEqual(["b failed"]);
  });

  test("give a failure in the moment in which the flap ends a window of its own, too", () => {
    const { see } = startReceiver();
    see(0, "a");
    see(50, "b");
    expect(see(60, "b")).toEqual([]);
    expect(see(110, "b")).toEqual(["b failed"]);
  });

  test("tell of a recovery at once, and once", () => {
    const { see } = startReceiver();
    see(0, "a");
    see(60, "a");
    expect(see(70)).toEqual(["a recovered"]);
    expect(see(71)).toEqual([]);
  });

  test("put a failure within the cooldown off to its end, and tell it then if it still holds", () => {
    const { see } = startReceiver();
    see(0, "a");
    expect(see(60, "a")).toEqual(["a failed"]);
    expect(see(100)).toEqual(["a recovered"]);
    expect(see(110, "a")).toEqual([]);
    expect(see(399, "a")).toEqual([]);
    expect(see(400, "a")).toEqual(["a failed"]);
  });

  test("forget a failure within the cooldown that is over before its end", () => {
    const { see } = startReceiver();
    see(0, "a");
    see(60, "a");
    see(100);
    see(110, "a");
    expect(see(399)).toEqual([]);
    expect(see(400)).toEqual([]);
    see(500, "a");
    expect(see(560, "a")).toEqual(["a failed"]);
  });

  test("do not let one that waits for its cooldown hurry or hold up another", () => {
    const { see } = startReceiver();
    see(0, "a");
    see(60, "a");
    see(100);
    see(110, "a");
    see(200, "a", "b");
    expect(see(259, "a", "b")).toEqual([]);
    expect(see(260, "a", "b")).toEqual(["b failed"]);
    expect(see(400, "a", "b")).toEqual(["a failed"]);
  });

  test("leave out what a wider trouble says, and tell it when that is over and it still holds", () => {
    const { see } = startReceiver();
    const part = troubleOf("part", { within: "whole" });
    see(0, part, "whole");
    expect(see(60, part, "whole")).toEqual(["whole failed"]);
    expect(see(100, part)).toEqual(["whole recovered"]);
    expect(see(160, part)).toEqual(["part failed"]);
    expect(see(170)).toEqual(["part recovered"]);
  });

  test("keep a part that was told before the whole failed", () => {
    const { see } = startReceiver();
    const part = troubleOf("part", { within: "whole" });
    see(0, part);
    expect(see(60, part)).toEqual(["part failed"]);
    see(70, part, "whole");
    expect(see(130, part, "whole")).toEqual(["whole failed"]);
    expect(see(140, part)).toEqual(["whole recovered"]);
    expect(see(150)).toEqual(["part recovered"]);
  });

  test("do not call back in use what a reload took away", () => {
    const { see } = startReceiver(({ id }) => id !== "a");
    see(0, "a", "b");
    see(60, "a", "b");
    expect(see(70)).toEqual(["b recovered"]);
  });

  test("keep the time when the trouble began, though its rests begin anew", () => {
    let state = nextAlerts(NO_ALERTS, sightOf(0, 5)).state;
    state = nextAlerts(state, sightOf(30, 25)).state;
    expect(nextAlerts(state, sightOf(60, 55)).failed).toMatchObject([{ sinceMs: 5 }]);
  });

  test("never drop a failure that lasts, and tell recoveries only of what was told", () => {
    const steps = array(record({ ms: integer({ min: 1, max: 90 }), held: subarray(["a", "b", "c"]) }), {
      maxLength: 40,
    });
    assert(
      property(steps, (course) => {
        const { see } = startReceiver();
        const known = new Set<string>();
        let nowMs = 0;
        const note = (told: readonly string[]) => {
          for (const line of told) {
            const [id = "", what] = line.split(" ");
            expect(known.has(id)).toBe(what === "recovered");
            if (what === "failed") known.add(id);
            else known.delete(id);
          }
        };
        for (const { ms, held } of course) note(see((nowMs += ms), ...held));
        // Whatever came before, what holds from now on is told within cooldown and window.
        for (let at = 0; at < 10; at += 1) note(see((nowMs += 40), "a"));
        expect([...known]).toEqual(["a"]);
      }),
      { numRuns: 300 },
    );
  });
});

const sightOf = (nowMs: number, sinceMs: number) => ({
  troubles: [troubleOf("a", { sinceMs })],
  isConfigured: () => true,
  nowMs,
  batchMs: BATCH,
  cooldownMs: COOLDOWN,
});
