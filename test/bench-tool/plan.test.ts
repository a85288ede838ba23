import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { drawAmount, readAmount } from "../../src/bench/amount.ts";
import { type BenchPlan, splitPlan, type WorkerPlan } from "../../src/bench/plan.ts";
import { createQuestions, readPrompts } from "../../src/bench/questions.ts";
import { samplePlan } from "./sample.ts";

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe("a split plan", () => {
  test("keeps counts and concurrency in all, evenly, with something to do for everybody", () => {
    const natural = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(natural, natural, fc.integer({ min: 1, max: 64 }), (calls, concurrency, workers) => {
        const plans = splitPlan({
          ...samplePlan,
          calls,
          workers,
          load: { kind: "closed", concurrency, rampUpMs: 0 },
        });
        const parts = plans.map(({ calls: part }) => part ?? 0);
        const widths = plans.map(({ load }) => (load.kind === "closed" ? load.concurrency : 0));
        expect([sum(parts), sum(widths)]).toEqual([calls, concurrency]);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        expect(Math.min(...parts, ...widths)).toBeGreaterThanOrEqual(1);
        expect(plans.map(({ worker }) => worker)).toEqual(plans.map((_, at) => at));
      }),
    );
  });

  test("keeps the rate in all", () => {
    const load: BenchPlan["load"] = { kind: "open", perSecond: 500, arrivals: "even", mostInFlight: 1001 };
    const plans = splitPlan({ ...samplePlan, calls: undefined, workers: 4, load });
    expect(plans.map((plan) => plan.load)).toEqual(
      [251, 250, 250, 250].map((mostInFlight) => ({ ...load, perSecond: 125, mostInFlight })),
    );
  });
});

describe("an amount", () => {
  test.each(["", "0", "5-", "a", "-5", "9-3", "1e3", "1/2/3", "3000000"])("%j is none", (text) => {
    expect(readAmount(text, 2_000_000)).toBeUndefined();
  });

  test("of a range is drawn evenly from end to end", () => {
    const amount = readAmount("3-5", 100)!;
    expect([0, 0.4, 0.999_999].map((chance) => drawAmount(amount, () => chance, 100))).toEqual([3, 4, 5]);
  });

  test("of percentiles has them", () => {
    const amount = readAmount("100/1000", 1e6)!;
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const drawn = Array.from({ length: 20_000 }, () => drawAmount(amount, random, 1e6)).sort((a, b) => a - b);
    expect(drawn[10_000]! / 100).toBeCloseTo(1, 1);
    expect(Math.abs(drawn[19_800]! / 1000 - 1)).toBeLessThan(0.15);
  });
});

describe("the questions", () => {
  const plan: WorkerPlan = { ...samplePlan, worker: 1, workers: 3 };
  const ask = (more: Partial<WorkerPlan>, lines?: string): Record<string, unknown>[] => {
    const found = lines === undefined ? undefined : readPrompts(lines);
    if (typeof found === "string") throw new Error(found);
    const next = createQuestions({ ...plan, ...more }, found, () => 0.5);
    return [next(), next()].map((body) => JSON.parse(body));
  };
  const textOf = (body: Record<string, unknown>): string =>
    (body["messages"] as { content: string }[])[0]!.content;

  test("have the asked length, and no two begin alike", () => {
    const [first, second] = ask({ promptTokens: { kind: "fixed", value: 100 } }).map(textOf);
    // The number in front counts as two tokens.
    expect(first!.split(" ")).toHaveLength(99);
    expect([first!.split(" ")[0], second!.split(" ")[0]]).toEqual(["1", "4"]);
  });

  test("ask a stream for its usage, and a whole answer for none", () => {
    expect(ask({ isStream: true })[0]).toMatchObject({
      model: "m",
      max_tokens: 16,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(ask({})[0]).not.toHaveProperty("stream");
  });

  test("have the fields of their family", () => {
    expect(ask({ api: "responses" })[0]).toMatchObject({
      max_output_tokens: 16,
      input: "Story 1: tell me a long story.",
    });
    expect(ask({ api: "embeddings" })[0]).toEqual({ model: "m", input: "Story 1: tell me a long story." });
  });

  test("draw models by weight", () => {
    const models = [
      { model: "a", weight: 1 },
      { model: "b", weight: 3 },
    ];
    const counts = new Map<unknown, number>();
    let step = 0;
    const next = createQuestions({ ...plan, models }, undefined, () => (step += 0.01) % 1);
    for (let call = 0; call < 100; call += 1) {
      const { model } = JSON.parse(next()) as { model: string };
      counts.set(model, (counts.get(model) ?? 0) + 1);
    }
    expect(Math.round((counts.get("b") ?? 0) / 25)).toBe(3);
  });

  test("come from a file: texts, prompts and bodies in turn, every worker its own", () => {
    const file =
      '"one"\n{"prompt":"two"}\n\n{"messages":[{"role":"user","content":"three"}],"temperature":0,"stream":true}\n';
    expect(ask({ worker: 0, workers: 1 }, file).map(textOf)).toEqual(["one", "two"]);
    const [third] = ask({ worker: 2, workers: 3 }, file);
    expect(third).toMatchObject({ model: "m", temperature: 0, messages: [{ content: "three" }] });
    expect(third).not.toHaveProperty("stream");
  });

  test("of a file that bounds its answers by the newer name are bounded by that alone", () => {
    const [body] = ask({}, '\uFEFF{"messages":[],"max_completion_tokens":5}\r\n');
    expect(body).toEqual({ model: "m", messages: [], max_completion_tokens: 5 });
    expect(ask({}, '{"messages":[]}')[0]).toHaveProperty("max_tokens", 16);
  });

  test.each([
    ["", "expected at least one line"],
    ['"fine"\nnot json', "line 2: expected a JSON string"],
    ["[1]", "line 1: expected a JSON string"],
    ['{"model":"m"}', "line 1: expected a JSON string"],
  ])("of the file %j are refused", (file, problem) => {
    expect(readPrompts(file)).toContain(problem);
  });
});
