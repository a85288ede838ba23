// What one look at a service leads to.
import { describe, expect, test } from "bun:test";
import { describeExit, readAnswer, type Sighting } from "../../src/deploy/answers.ts";
import { judge, MOST_CONFLICTS } from "../../src/deploy/judge.ts";

const WAITING = { port: 30_596, conflicts: 0, ageMs: 5000, timeoutMs: 60_000 };
const seen = (facts: Partial<Sighting> = {}): Sighting => ({
  id: "s",
  state: "alive",
  tail: ["loading 50%"],
  ...facts,
});

describe("a service under way", () => {
  test("waits, with the last line of its log", () => {
    expect(judge(seen(), WAITING)).toEqual({ kind: "wait", text: "loading 50%" });
  });

  test("is asked once its log says that it listens", () => {
    expect(judge(seen({ readyLine: "Application startup complete." }), WAITING)).toEqual({ kind: "ask" });
  });

  test("that has ended has failed at once, with its exit code and last lines", () => {
    expect(judge(seen({ state: "dead", exitCode: 3 }), WAITING)).toEqual({
      kind: "failed",
      reason: "it ended: exit code 3",
      tail: ["loading 50%"],
    });
    expect(judge(seen({ state: "dead", exitCode: 137 }), WAITING)).toMatchObject({
      reason: expect.stringContaining("SIGKILL"),
    });
    expect(judge(seen({ state: "rebooted" }), WAITING)).toMatchObject({ kind: "failed" });
    expect(judge(undefined, WAITING)).toMatchObject({ kind: "failed" });
  });

  test("tries another port five times, whether it ended or stays", () => {
    const conflictLine = "[Errno 98] address already in use";
    for (const state of ["alive", "dead"] as const)
      expect(judge(seen({ state, conflictLine }), WAITING).kind).toBe("other_port");
    const last = judge(seen({ conflictLine }), { ...WAITING, conflicts: MOST_CONFLICTS });
    expect(last).toMatchObject({ kind: "failed", reason: "no free port in 6 tries, the last one 30596" });
  });

  test("fails after its time, whatever its log says", () => {
    const late = { ...WAITING, ageMs: 60_000 };
    expect(judge(seen(), late)).toMatchObject({ reason: "not ready after 60 s (--health-check-timeout)" });
    expect(judge(seen({ readyLine: "x" }), late)).toMatchObject({
      reason: expect.stringContaining("does not answer"),
    });
  });
});

describe("a node's answer", () => {
  test("is read among whatever its profile prints", () => {
    const output = `Welcome!\nweir:- gpus 8\nweir:- port 7784\nweir:a alive\nweir:a process 12 34 b\nweir:a log /l/x.log
weir:a tail \u001b[31mred\u001b[0m\u0007 text\nweir:b dead 3\nweir:c flaw no such command\nweir:- done\n`;
    const answer = readAnswer(output);
    expect(answer.gpus).toBe(8);
    expect([...answer.takenPorts]).toEqual([30_596]);
    expect(answer.sightings.get("a")).toEqual({
      id: "a",
      state: "alive",
      pid: 12,
      log: "/l/x.log",
      tail: ["red  text"],
    });
    expect(answer.sightings.get("b")).toMatchObject({ state: "dead", exitCode: 3 });
    expect(answer.flaws.get("c")).toBe("no such command");
  });
});

test("an exit code is told by its signal", () => {
  expect(describeExit(1)).toBe("exit code 1");
  expect(describeExit(143)).toBe("SIGTERM");
  expect(describeExit(undefined)).toContain("killed");
});
