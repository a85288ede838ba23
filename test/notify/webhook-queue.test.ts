import { describe, expect, test } from "bun:test";
import type { Posted } from "../../src/notify/webhook-post.ts";
import { createWebhookQueue, MOST_MESSAGES, type Turn } from "../../src/notify/webhook-queue.ts";
import { createLatch, until } from "../support/until.ts";

const TAKEN: Posted = { kind: "taken" };
const FAILED: Posted = { kind: "failed", reason: "status 500" };

function startQueue(answer: (count: number, signal: AbortSignal) => Posted | Promise<Posted>, retryMs = 1) {
  const sent: string[] = [];
  const turns: Turn[] = [];
  const queue = createWebhookQueue({
    async post(body, signal) {
      sent.push(body);
      return answer(sent.length, signal);
    },
    onTurn: (turn) => void turns.push(turn),
    retryMs,
  });
  return { queue, sent, turns };
}

describe("messages on their way", () => {
  test("go one after another, in order", async () => {
    const { queue, sent } = startQueue(() => TAKEN);
    for (const body of ["a", "b", "c"]) queue.push("failure", body);
    await until(() => queue.waiting() === 0, "all are taken");
    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("are tried again until they are taken, and the trouble is told once", async () => {
    const { queue, sent, turns } = startQueue((count) => (count < 4 ? FAILED : TAKEN));
    queue.push("failure", "a");
    queue.push("recovery", "b");
    await until(() => queue.waiting() === 0, "all are taken");
    expect(sent).toEqual(["a", "a", "a", "a", "b"]);
    expect(turns).toEqual([
      { kind: "failing", reason: "status 500" },
      { kind: "works", lost: 0 },
    ]);
  });

  test("wait as long as the receiver asks", async () => {
    const times: number[] = [];
    const { queue } = startQueue((count) => {
      times.push(performance.now());
      return count === 1 ? { kind: "failed", reason: "status 429", afterMs: 60 } : TAKEN;
    });
    queue.push("failure", "a");
    await until(() => queue.waiting() === 0, "it is taken");
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(55);
  });

  test("are bounded: reports are given up first, then what is oldest, and the loss is told", async () => {
    const latch = createLatch();
    const { queue, sent, turns } = startQueue(async (count) => {
      await latch.opened;
      return count === 1 ? FAILED : TAKEN;
    });
    queue.push("failure", "first");
    queue.push("report", "report");
    for (let count = 2; count < MOST_MESSAGES; count += 1) queue.push("failure", `f${count}`);
    queue.push("failure", "x");
    queue.push("failure", "y");
    expect(queue.waiting()).toBe(MOST_MESSAGES);
    latch.open();
    await until(() => queue.waiting() === 0, "all are taken");
    expect(turns.at(-1)).toEqual({ kind: "works", lost: 2 });
    const taken = sent.slice(1);
    expect(taken).toHaveLength(MOST_MESSAGES);
    expect([taken.slice(0, 2), taken.slice(-2)]).toEqual([
      ["first", "f3"],
      ["x", "y"],
    ]);
  });

  test("get one more try when weir stops, without waiting", async () => {
    const { queue, sent } = startQueue((count) => (count === 1 ? FAILED : TAKEN), 3_600_000);
    queue.push("failure", "a");
    queue.push("failure", "b");
    await until(() => sent.length === 1, "one was tried");
    await queue.stop();
    expect(sent).toEqual(["a", "a", "b"]);
    queue.push("failure", "c");
    expect(queue.waiting()).toBe(0);
  });

  test("are left when weir stops and the receiver hangs", async () => {
    const { queue, turns } = startQueue(
      (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(FAILED));
        }),
    );
    queue.push("failure", "a");
    await queue.stop();
    expect(turns).toEqual([{ kind: "left", messages: 1 }]);
  });
});
