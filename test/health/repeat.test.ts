import { describe, expect, test } from "bun:test";
import { repeat } from "../../src/health/repeat.ts";
import { createSchedule } from "../support/schedule.ts";
import { createLatch } from "../support/until.ts";

const items = (...names: string[]) => new Map(names.map((name) => [name, name]));

describe("what is repeated", () => {
  test("begins at once and goes on after each pause", async () => {
    const { now, after, advance } = createSchedule();
    const ran: string[] = [];
    const rounds = repeat<string>({
      async run(item) {
        ran.push(`${item} ${now()}`);
        return item === "a" ? 10 : 25;
      },
      mostAtOnce: 5,
      after,
    });
    rounds.reconcile(items("a", "b"));
    await advance(30);
    expect(ran).toEqual(["a 0", "b 0", "a 10", "a 20", "b 25", "a 30"]);
    await rounds.stop();
  });

  test("is never under way more often than it may, and everybody has a turn", async () => {
    const { after, advance } = createSchedule();
    let open = 0;
    let most = 0;
    const seen = new Set<string>();
    const rounds = repeat<string>({
      async run(item) {
        open += 1;
        most = Math.max(most, open);
        await new Promise<void>((resolve) => void after(10, resolve));
        seen.add(item);
        open -= 1;
        return 1000;
      },
      mostAtOnce: 3,
      after,
    });
    rounds.reconcile(items(...Array.from({ length: 20 }, (_, at) => String(at))));
    await advance(100);
    expect([most, seen.size]).toEqual([3, 20]);
    await rounds.stop();
  });

  test("keeps its time when it stays, begins when it is new, ends when it is gone", async () => {
    const { now, after, advance, pending } = createSchedule();
    const ran: string[] = [];
    const rounds = repeat<string>({
      async run(item) {
        ran.push(`${item} ${now()}`);
        return 100;
      },
      mostAtOnce: 5,
      after,
    });
    rounds.reconcile(items("a", "b"));
    await advance(60);
    rounds.reconcile(
      new Map([
        ["b", "b2"],
        ["c", "c"],
      ]),
    );
    await advance(60);
    expect(ran).toEqual(["a 0", "b 0", "c 60", "b2 100"]);
    expect(pending()).toBe(2);
    await rounds.stop();
    expect(pending()).toBe(0);
  });

  test("comes before its time when it is wanted, and once more when it was under way", async () => {
    const { now, after, advance } = createSchedule();
    const latch = createLatch();
    const ran: string[] = [];
    const rounds = repeat<string>({
      async run(item) {
        ran.push(`${item} ${now()}`);
        if (item === "b" && ran.length < 3) await latch.opened;
        return 100;
      },
      mostAtOnce: 5,
      after,
    });
    rounds.reconcile(items("a", "b"));
    await advance(10);
    rounds.reconcile(items("a", "b"), new Set(["a", "b"]));
    await advance(10);
    expect(ran).toEqual(["a 0", "b 0", "a 10"]);
    latch.open();
    await advance(0);
    expect(ran).toEqual(["a 0", "b 0", "a 10", "b 20"]);
    await advance(89);
    expect(ran).toHaveLength(4);
    await advance(1);
    expect(ran.at(-1)).toBe("a 110");
    await rounds.stop();
  });

  test("is told to end, and is waited for", async () => {
    const { after, advance, pending } = createSchedule();
    const ended: string[] = [];
    const rounds = repeat<string>({
      run: (item, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            ended.push(item);
            resolve(1);
          });
        }),
      mostAtOnce: 1,
      after,
    });
    rounds.reconcile(items("a", "b", "c"));
    await advance(1);
    rounds.reconcile(items("b", "c"));
    await advance(1);
    await rounds.stop();
    expect([ended, pending()]).toEqual([["a", "b"], 0]);
    rounds.reconcile(items("d"));
    await advance(1000);
    expect(ended).toEqual(["a", "b"]);
  });
});
