// A node that falls silent while its services come up.
import { expect, test } from "bun:test";
import { readAnswer } from "../../src/deploy/answers.ts";
import { runNode } from "../../src/deploy/node-run.ts";
import type { Order } from "../../src/deploy/order.ts";
import { createProgress } from "../../src/deploy/progress.ts";
import type { ServiceRecord } from "../../src/deploy/records.ts";
import type { Told } from "../../src/deploy/ssh.ts";

const ORDER: Order = {
  hosts: ["a"],
  engine: "vllm",
  model: "m",
  servedName: "m",
  tensorParallel: 4,
  gpusPerNode: 8,
  firstPort: 30_596,
  python: ["python3"],
  extra: [],
  logDir: "logs",
  timeoutMs: 3_600_000,
  backendFile: { path: "/weir.yaml", form: "own" },
};

const SERVICES = [0, 1].map((index) => ({ host: "a", index, gpus: [index], port: 30_596 + index }));

/**
 * Runs against a node that answers so often and is silent then; time passes with every sleep. Of the second service no record
 * can be kept where `trouble` says so.
 */
async function runAgainst(answers: number, reason: string, trouble?: string) {
  const kept: ServiceRecord[] = [];
  let said = "";
  let [calls, nowMs] = [0, Date.UTC(2026, 0, 31)];
  const run = (): Promise<Told> => {
    calls += 1;
    return Promise.resolve(
      calls > answers ? { kind: "failed", reason } : { kind: "answer", answer: readAnswer(aliveAll(kept)) },
    );
  };
  const tally = await runNode(
    ORDER,
    { host: "a", urlHost: "a", services: SERVICES, nextPort: () => 30_600 },
    {
      ssh: {
        run,
        wayTo: (host) => Promise.resolve({ address: host, place: undefined }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      records: {
        path: "",
        all: () => kept,
        add(record) {
          if (record.index === 1 && trouble !== undefined) return trouble;
          kept.push(record);
          return undefined;
        },
        remove(ids) {
          kept.splice(0, kept.length, ...kept.filter(({ id }) => !ids.has(id)));
          return undefined;
        },
      },
      progress: createProgress((text) => void (said += text), undefined),
      pace: { lookMs: 1000, silenceMs: 60_000, graceSeconds: 1 },
      signal: new AbortController().signal,
      now: () => new Date(nowMs),
      sleep: (ms) => {
        nowMs += ms;
        return Promise.resolve();
      },
      publish: () => undefined,
    },
  );
  return { tally, said, kept, calls };
}

const aliveAll = (records: readonly ServiceRecord[]): string =>
  records.map(({ id }) => `weir:${id} log /l\nweir:${id} alive\n`).join("");

test("a node that falls silent is given up after a minute, and its services are found again later", async () => {
  const { tally, said, kept } = await runAgainst(10, "Connection timed out");
  expect(tally).toEqual({ ready: 0, failed: 2 });
  expect(said).toContain("a service 1: waits for ssh: Connection timed out\n");
  for (const index of [0, 1])
    expect(said).toContain(
      `a service ${index}: FAILED: its node cannot be reached any more: Connection timed out; it may be running\n`,
    );
  expect(kept.map(({ index }) => index)).toEqual([0, 1]);
});

test("a start that breaks off is told as one that may have happened", async () => {
  const { said, kept } = await runAgainst(1, "Broken pipe");
  expect(said).toContain(
    "a service 1: FAILED: cannot start it: Broken pipe; it may be running, see weir deploy status\n",
  );
  expect(kept).toHaveLength(2);
});

test("a service whose record cannot be kept is not started, and the others go on", async () => {
  const { said, kept, calls } = await runAgainst(
    3,
    "Connection timed out",
    "cannot write /d.json: no space left",
  );
  expect(said).toContain("a service 1: FAILED: not started: cannot write /d.json: no space left\n");
  expect(said).toContain("a service 0: starting on port 30596\n");
  expect([kept.map(({ index }) => index), calls > 3]).toEqual([[0], true]);
});
