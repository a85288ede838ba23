// The drills of `weir fake --examples`, run by the binary as they are documented: each shows what its sentence says, and the
// provider's ledger agrees with what the SDK saw.
import { beforeAll, expect, test } from "bun:test";
import { EXAMPLES } from "../../src/fake/examples.ts";
import type { LedgerEntry } from "../../src/fake/ledger.ts";
import { BUILD_PATIENCE_MS, weirBinary } from "../support/binary.ts";
import { type Drill, type Seen, startDrill } from "../support/drill.ts";

beforeAll(() => void weirBinary(), BUILD_PATIENCE_MS);

const DRILLED = new Set<string>();

/** Runs the drill of that name; its calls and the ledger's must add up, whatever the drill is about. */
function drill(
  name: string,
  shows: string,
  run: (drill: Drill) => Promise<readonly Seen[]>,
  judge: (seen: readonly Seen[], ledger: readonly LedgerEntry[]) => void,
): void {
  DRILLED.add(name);
  test.concurrent(`the drill ${name} shows that ${shows}`, async () => {
    await using started = await startDrill(name);
    const seen = await run(started);
    const ledger = await started.ledger();
    // Every attempt that weir tells of is a call that the provider counted, and no other is.
    expect(sum(seen.map(({ attempts }) => attempts))).toBe(ledger.length);
    // Every answer that the SDK took for good is one that the provider meant well and sent whole.
    const good = ledger.filter(
      (call) => call.status === 200 && call.state === "finished" && call.fault === "",
    );
    expect(good).toHaveLength(count(seen, "ok"));
    // Every stream that broke in the SDK's hands was cut by the provider, or given up by weir for its silence.
    expect(ledger.filter(isBroken).length).toBeGreaterThanOrEqual(count(seen, "broken"));
    judge(seen, ledger);
  }, 120_000);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const count = (seen: readonly Seen[], end: Seen["end"]): number =>
  seen.filter((each) => each.end === end).length;
const withStatus = (seen: readonly Seen[], status: number): number =>
  seen.filter((each) => each.status === status).length;
const isBroken = ({ state }: LedgerEntry): boolean => state === "cut" || state === "aborted";
const byKey = (ledger: readonly LedgerEntry[], key: string): readonly LedgerEntry[] =>
  ledger.filter((call) => call.key === key);
const byFault = (ledger: readonly LedgerEntry[], fault: string): readonly LedgerEntry[] =>
  ledger.filter((call) => call.fault === fault);

drill(
  "429-storm",
  "one calm key carries what its limit allows, and the stormy ones are left alone",
  ({ send }) => send(70, { stream: false, atOnce: 5 }),
  (seen, ledger) => {
    expect(withStatus(seen, 200)).toBe(60);
    expect(withStatus(seen, 429)).toBe(10);
    // At most as often as there were calls under way when it said so first.
    for (const key of ["sk-storm-1", "sk-storm-2", "sk-storm-3", "sk-storm-4"])
      expect(byKey(ledger, key).length).toBeWithin(1, 6);
    expect(ledger.filter((call) => call.status === 200)).toEqual(
      byKey(ledger, "sk-calm-5").filter((call) => call.status === 200),
    );
  },
);

drill(
  "dead-key",
  "a revoked key and one without money are asked once, and no client notices",
  ({ send }) => send(20, { stream: false, atOnce: 1 }),
  (seen, ledger) => {
    expect(withStatus(seen, 200)).toBe(20);
    expect(byKey(ledger, "sk-dead-3").map(({ status }) => status)).toEqual([401]);
    expect(byKey(ledger, "sk-broke-4").map(({ status }) => status)).toEqual([429]);
    expect(byKey(ledger, "sk-good-1")).toHaveLength(10);
  },
);

drill(
  "slow-provider",
  "what hangs is given up in time and asked for once more",
  ({ send }) => send(24, { stream: true, atOnce: 24 }),
  (seen, ledger) => {
    // Two attempts at most, so that what was refused had hung twice.
    expect(withStatus(seen, 504)).toBe(count(seen, "refused"));
    expect(ledger.filter((call) => call.state === "aborted")).toHaveLength(
      sum(seen.map(({ end, attempts }) => (end === "refused" ? attempts : attempts - 1))),
    );
    expect(byFault(ledger, "hang_headers").every(({ state }) => state === "aborted")).toBe(true);
    expect(count(seen, "ok")).toBeGreaterThan(12);
  },
);

drill(
  "mid-stream-cuts",
  "no client takes a cut stream for a complete one",
  ({ send }) => send(80, { stream: true, atOnce: 80 }),
  (seen, ledger) => {
    const faults = ["reset", "early_end", "hang_stream"];
    for (const fault of faults) expect(byFault(ledger, fault).length).toBeGreaterThan(0);
    // After the first event there is no second attempt: each cut is one client's error.
    expect(seen.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(count(seen, "broken")).toBe(sum(faults.map((fault) => byFault(ledger, fault).length)));
    expect(byFault(ledger, "hang_stream").every(({ state }) => state === "aborted")).toBe(true);
    expect(
      [...byFault(ledger, "reset"), ...byFault(ledger, "early_end")].every(({ state }) => state === "cut"),
    ).toBe(true);
  },
);

drill(
  "in-band-errors",
  "an error after some events reaches the client, and one before them need not",
  ({ send }) => send(60, { stream: true, atOnce: 60 }),
  (seen, ledger) => {
    const first = byFault(ledger, "error_first").length;
    const later = byFault(ledger, "error_later").length;
    const retries = ledger.length - seen.length;
    expect(Math.min(retries, later)).toBeGreaterThan(0);
    // Only what failed before any event was asked for again; the rest reached its client as an error.
    expect(retries).toBeLessThanOrEqual(first);
    expect(count(seen, "broken") + count(seen, "refused")).toBe(first + later - retries);
    expect(count(seen, "broken")).toBeGreaterThanOrEqual(later);
  },
);

drill(
  "flaky-500",
  "most failures are bettered by one more attempt, within the budget",
  ({ send }) => send(200, { stream: false, atOnce: 20 }),
  (seen, ledger) => {
    const failed = ledger.filter((call) => call.status >= 500);
    const retries = ledger.length - seen.length;
    expect(failed.length).toBe(retries + count(seen, "refused"));
    expect(count(seen, "refused")).toBeLessThan(failed.length / 2);
    // A fifth of the requests, and ten in each second whatever came before.
    const times = ledger.map(({ receivedAt }) => receivedAt);
    const seconds = Math.ceil((Math.max(...times) - Math.min(...times)) / 1000) + 1;
    expect(retries).toBeLessThanOrEqual(200 * 0.2 + 10 * seconds);
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([500, 503]));
  },
);

test("every example is drilled", () => {
  expect([...DRILLED].toSorted()).toEqual(EXAMPLES.map(({ name }) => name).toSorted());
});
