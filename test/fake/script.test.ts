// Scripts: what is accepted, what is refused and in which words, and which rule applies to which call.
import { afterAll, expect, test } from "bun:test";
import { FAULTS } from "../../src/fake/faults.ts";
import { EXAMPLES, printExamples } from "../../src/fake/examples.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { parseScript, readScriptText } from "../../src/fake/script-parse.ts";
import { ScriptError } from "../../src/fake/script-read.ts";
import { startFake } from "../../src/fake/server.ts";
import { draw } from "../../src/fake/spread.ts";
import { chatBody } from "./raw.ts";
import type { FakeScript } from "../../src/fake/script.ts";

function problemsOf(yaml: string): readonly string[] {
  try {
    parseScript(readScriptText(yaml));
  } catch (cause) {
    if (cause instanceof ScriptError) return cause.problems;
    throw cause;
  }
  return [];
}

test("a script's slips are told with the nearest name, the place and what was found, all at once", () => {
  const problems = problemsOf(`
latencyy: 5ms
gap: 20
ttft: { p50: 3s, p99: 1s }
form: opena
keys: { sk-a: { rmp: 5 } }
rules:
  - match: { modell: x }
    do: rset
  - do: { fault: hang_stream, bytes: 3 }
  - match: { call: "7-3" }
    do: 500
  - probability: 2
    do: { status: 99 }
  - match: { model: m }
`);
  expect(problems).toEqual([
    'latencyy: unknown key; did you mean "latency"?',
    'gap: expected a duration with a unit such as "50ms" or "2s", found 20',
    'ttft: expected 0 < p50 <= p99, found {"p50":"3s","p99":"1s"}',
    'form: expected one of openai, azure, anthropic, gemini, groq, openrouter (did you mean "openai"?), found "opena"',
    'keys.sk-a.rmp: unknown key; did you mean "rpm"?',
    'rules[0].match.modell: unknown key; did you mean "model"?',
    'rules[0].do: expected a fault or an error (did you mean "reset"?), found "rset"',
    "rules[1].do.bytes: the fault hang_stream has no such parameter; it takes after",
    'rules[2].match.call: expected a range that ascends from 1, found "7-3"',
    "rules[3].probability: expected a number from 0 to 1, found 2",
    "rules[3].do.status: expected a whole number from 200 to 599, found 99",
    "rules[4].do: missing; it says what happens to the calls that match",
  ]);
});

test("a script refuses two ways to say one thing, and parameters without a fault", () => {
  expect(problemsOf("gap: 5ms\ntokens_per_second: 5")).toEqual([
    "gap: give gap or tokens_per_second, not both",
  ]);
  expect(problemsOf("rules: [{ do: { after: 3 } }]")).toEqual([
    "rules[0].do: after without a fault to apply to",
  ]);
  expect(problemsOf("accept: { mode: refuse, probability: 0.5 }")[0]).toContain("use mode close or reset");
});

test("a script that is not YAML, or not a mapping, is refused", () => {
  expect(problemsOf("a: [b")[0]).toStartWith("not YAML");
  expect(problemsOf("- 1")[0]).toContain("expected a mapping");
  expect(problemsOf("")).toEqual([]);
});

test("every example is a good script with a sentence", () => {
  for (const { name, about, yaml } of EXAMPLES) {
    expect(problemsOf(yaml)).toEqual([]);
    expect(about).toEndWith(".");
    expect(printExamples()).toContain(`# ${name}.yaml`);
  }
  expect(EXAMPLES.map(({ name }) => name)).toContain("429-storm");
});

test("every fault can be written by its name alone", () => {
  for (const name of Object.keys(FAULTS)) expect(problemsOf(`rules: [{ do: ${name} }]`)).toEqual([]);
});

test("a spread draws what its percentiles, mean or bounds say", () => {
  const random = seedRandom(7);
  const many = (spread: Parameters<typeof draw>[0]) =>
    Array.from({ length: 20_000 }, () => draw(spread, random)).sort((a, b) => a - b);
  const lognormal = many({ kind: "lognormal", p50: 100, p99: 1000 });
  expect(lognormal[10_000]! / 100).toBeCloseTo(1, 1);
  expect(Math.abs(lognormal[19_800]! / 1000 - 1)).toBeLessThan(0.15);
  const normal = many({ kind: "normal", mean: 50, stddev: 5 });
  expect(Math.abs(normal[10_000]! - 50)).toBeLessThan(0.5);
  const uniform = many({ kind: "uniform", min: 10, max: 20 });
  expect(uniform[0]).toBeGreaterThanOrEqual(10);
  expect(uniform.at(-1)).toBeLessThanOrEqual(20);
});

const fake = startFake();
afterAll(() => fake.stop());

async function statuses(script: FakeScript, calls: number, init: { key?: string; model?: string } = {}) {
  fake.configure(script);
  const found = [];
  for (let index = 0; index < calls; index += 1) {
    const answer = await fetch(`${fake.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${init.key ?? "sk-a"}`, "x-team": "blue" },
      body: JSON.stringify(chatBody({ model: init.model ?? "gpt-4o" })),
    });
    await answer.arrayBuffer();
    found.push(answer.status);
  }
  return found;
}

test("a rule picks its calls by number, list and range", async () => {
  expect(await statuses({ rules: [{ match: { call: 2 }, do: 500 }] }, 4)).toEqual([200, 500, 200, 200]);
  expect(await statuses({ rules: [{ match: { call: [1, 3] }, do: 500 }] }, 4)).toEqual([500, 200, 500, 200]);
  expect(await statuses({ rules: [{ match: { call: "2-3" }, do: 503 }] }, 4)).toEqual([200, 503, 503, 200]);
  expect(await statuses({ rules: [{ match: { call: "3-" }, do: 503 }] }, 4)).toEqual([200, 200, 503, 503]);
});

test("a rule counts only the calls that match the rest of it, and not a proxy's probes", async () => {
  const script = { rules: [{ match: { model: "gpt-*", call: 2 }, do: 500 }] };
  fake.configure(script);
  const send = async (model: string) => {
    await fetch(`${fake.url}/v1/models`).then((answer) => answer.arrayBuffer());
    const body = JSON.stringify(chatBody({ model }));
    const answer = await fetch(`${fake.url}/v1/chat/completions`, { method: "POST", body });
    await answer.arrayBuffer();
    return answer.status;
  };
  expect([await send("gpt-4o"), await send("claude"), await send("gpt-4o")]).toEqual([200, 200, 500]);
});

test("the first rule that strikes wins, and a rule strikes only so many times", async () => {
  const rules = [
    { match: { key: "sk-a" }, times: 1, do: 500 },
    { match: { header: { "X-Team": "b*" } }, do: 503 },
  ];
  expect(await statuses({ rules }, 3)).toEqual([500, 503, 503]);
  expect(
    fake.ledger
      .calls()
      .slice(-3)
      .map((entry) => entry.rule),
  ).toEqual([0, 1, 1]);
});

test("a seed makes chance the same every time", async () => {
  const script: FakeScript = { rules: [{ probability: 0.4, do: 500 }] };
  const first = await statuses(script, 30);
  expect(await statuses(script, 30)).toEqual(first);
  expect(first).toContain(500);
  expect(first).toContain(200);
  const twin = startFake({ seed: 2, script });
  const other = [];
  for (let index = 0; index < 30; index += 1) {
    const answer = await fetch(`${twin.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(chatBody()),
    });
    await answer.arrayBuffer();
    other.push(answer.status);
  }
  await twin.stop();
  expect(other).not.toEqual(first);
});
