import { describe, expect, test } from "bun:test";
import { createSink, type SinkTerms } from "../../src/notify/sink.ts";
import { until } from "../support/until.ts";

const describeGap = (count: number) => `gap ${count}\n`;

/** A place that takes text when the test says so. */
function startPlace(terms: Partial<SinkTerms> = {}) {
  const taken: string[] = [];
  const turns: { readonly take: () => void; readonly refuse: (code: string) => void }[] = [];
  const failures: string[] = [];
  const sink = createSink({
    describeGap,
    onFailure: (reason) => void failures.push(reason),
    retryMs: 1,
    write: (text) =>
      new Promise((resolve, reject) => {
        turns.push({
          take() {
            taken.push(text);
            resolve();
          },
          refuse: (code) => reject(Object.assign(new Error("no"), { code })),
        });
      }),
    ...terms,
  });
  const turn = async (count: number) => {
    await until(() => turns.length >= count, `${count} writes began`);
    const last = turns[count - 1];
    if (last === undefined) throw new Error("no write");
    return last;
  };
  return { sink, taken, turn, failures };
}

describe("a sink", () => {
  test("writes at once where that takes no time", () => {
    const lines: string[] = [];
    const sink = createSink({ describeGap, write: (line) => void lines.push(line) });
    sink.put("a\n");
    sink.put("b\n");
    expect(lines).toEqual(["a\n", "b\n"]);
  });

  test("writes together what came while it was writing, in order", async () => {
    const { sink, taken, turn } = startPlace();
    for (const line of ["a\n", "b\n", "c\n"]) sink.put(line);
    (await turn(1)).take();
    (await turn(2)).take();
    await sink.stop();
    expect(taken).toEqual(["a\n", "b\nc\n"]);
    expect(sink.dropped()).toBe(0);
  });

  test("writes together what comes just after a write, and at its stop what is left", async () => {
    const { sink, taken, turn } = startPlace();
    sink.put("a\n");
    (await turn(1)).take();
    await until(() => taken.length === 1, "the first line is written");
    sink.put("b\n");
    sink.put("c\n");
    (await turn(2)).take();
    await until(() => taken.length === 2, "the next two are written");
    sink.put("d\n");
    const stopped = sink.stop();
    (await turn(3)).take();
    await stopped;
    expect(taken).toEqual(["a\n", "b\nc\n", "d\n"]);
  });

  test("writes long queues in pieces", async () => {
    const { sink, taken, turn } = startPlace();
    const line = `${"x".repeat(40_000)}\n`;
    for (let count = 0; count < 5; count += 1) sink.put(line);
    for (const number of [1, 2, 3]) (await turn(number)).take();
    await sink.stop();
    expect(taken.map((text) => text.length / line.length)).toEqual([1, 2, 2]);
  });

  test("drops and counts what does not fit, and says so in the place", async () => {
    const { sink, taken, turn } = startPlace({ mostQueued: 4 });
    for (const line of ["a\n", "b\n", "c\n", "d\n", "e\n"]) sink.put(line);
    expect(sink.dropped()).toBe(2);
    for (const number of [1, 2, 3]) (await turn(number)).take();
    sink.put("f\n");
    (await turn(4)).take();
    expect(taken).toEqual(["a\n", "gap 2\n", "b\nc\n", "f\n"]);
    expect(sink.dropped()).toBe(2);
  });

  test("tells of a failure once, tries again, and says how many lines were lost", async () => {
    const { sink, taken, turn, failures } = startPlace();
    sink.put("a\n");
    (await turn(1)).refuse("ENOSPC");
    (await turn(2)).refuse("ENOSPC");
    sink.put("b\n");
    (await turn(3)).take();
    (await turn(4)).take();
    expect(taken).toEqual(["gap 1\n", "b\n"]);
    expect(sink.dropped()).toBe(1);
    expect(failures).toEqual(["ENOSPC"]);
    sink.put("c\n");
    (await turn(5)).refuse("EPIPE");
    await until(() => failures.length === 2, "the next failure is told again");
    expect(failures).toEqual(["ENOSPC", "EPIPE"]);
  });

  test("names no more of an error than its code", async () => {
    const failures: string[] = [];
    const sink = createSink({
      describeGap,
      write: () => Promise.reject(new Error("cannot open /home/me/secret")),
      onFailure: (reason) => void failures.push(reason),
    });
    sink.put("a\n");
    await until(() => failures.length === 1, "the failure is told");
    expect(failures).toEqual(["unknown error"]);
  });

  test("writes what is queued before it stops", async () => {
    const { sink, taken, turn } = startPlace();
    sink.put("a\n");
    sink.put("b\n");
    const stopped = sink.stop();
    (await turn(1)).take();
    (await turn(2)).take();
    await stopped;
    expect(taken).toEqual(["a\n", "b\n"]);
  });

  test("stops also when its place never takes anything", async () => {
    const { sink, taken } = startPlace();
    sink.put("a\n");
    await sink.stop();
    expect(taken).toEqual([]);
  });

  test("stops at once when its place fails", async () => {
    const { sink, turn, failures } = startPlace({ retryMs: 3_600_000 });
    sink.put("a\n");
    (await turn(1)).refuse("EPIPE");
    await until(() => failures.length === 1, "the failure is known");
    await sink.stop();
    expect(sink.dropped()).toBe(1);
  });
});
