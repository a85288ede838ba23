// The drills: each example does what its sentence says, and the ledger agrees with what the client saw.
import { afterAll, expect, test } from "bun:test";
import { EXAMPLES } from "../../src/fake/examples.ts";
import { readScriptText } from "../../src/fake/script-parse.ts";
import { startFake } from "../../src/fake/server.ts";
import { chatBody } from "./raw.ts";

const fake = startFake({ seed: 5 });
afterAll(() => fake.stop());

/** Takes an example, without its waits. */
function take(name: string): void {
  const { yaml } = EXAMPLES.find((example) => example.name === name)!;
  const { tokens_per_second: _rate, ...script } = readScriptText(yaml);
  fake.configure({ ...script, latency: "0ms", ttft: "0ms", gap: "0ms" });
  fake.ledger.clear();
}

/** Sends so many calls and gives what each came to: its status, and how a stream ended. */
async function send(count: number, key: string, stream = false): Promise<string[]> {
  const one = async (): Promise<string> => {
    const controller = new AbortController();
    let answer: Response;
    let text = "";
    const decoder = new TextDecoder();
    try {
      answer = await fetch(`${fake.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(chatBody({ stream })),
        signal: controller.signal,
      });
      for await (const chunk of answer.body!) {
        text += decoder.decode(chunk, { stream: true });
        const entry = fake.ledger.calls().find((call) => text.includes(`fake-${call.id}"`));
        if (entry?.fault === "hang_stream" && entry.chunks === 8) controller.abort();
      }
    } catch {
      return controller.signal.aborted ? "hung" : "reset";
    }
    if (!stream) return String(answer.status);
    return text.includes("[DONE]") ? "complete" : text.includes('"error"') ? "error" : "short";
  };
  return Promise.all(Array.from({ length: count }, one));
}

const count = (all: readonly string[], word: string): number => all.filter((one) => one === word).length;

test("the 429 storm spares one key", async () => {
  take("429-storm");
  expect(await send(5, "sk-storm-2")).toEqual(Array(5).fill("429"));
  expect(await send(5, "sk-calm-5")).toEqual(Array(5).fill("200"));
  expect(fake.ledger.counters().byStatus).toEqual({ 200: 5, 429: 5 });
});

test("the dead-key drill has good, revoked and poor keys", async () => {
  take("dead-key");
  const statuses = await Promise.all(
    ["sk-good-1", "sk-good-2", "sk-dead-3", "sk-broke-4"].map((key) => send(1, key)),
  );
  expect(statuses.flat()).toEqual(["200", "200", "401", "429"]);
});

test("the mid-stream cuts are told apart by the client and counted alike by the ledger", async () => {
  take("mid-stream-cuts");
  const ends = await send(100, "sk", true);
  await fake.ledger.settled();
  const faults = fake.ledger.calls().map((call) => call.fault);
  expect(count(ends, "complete")).toBe(count(faults, ""));
  expect(count(ends, "reset")).toBe(count(faults, "reset"));
  expect(count(ends, "short")).toBe(count(faults, "early_end"));
  expect(count(ends, "hung")).toBe(count(faults, "hang_stream"));
  expect(Math.min(count(ends, "reset"), count(ends, "short"), count(ends, "hung"))).toBeGreaterThan(0);
});

test("the in-band errors come first or later", async () => {
  take("in-band-errors");
  const ends = await send(60, "sk", true);
  const faults = fake.ledger.calls().map((call) => call.fault);
  expect(count(ends, "error")).toBe(count(faults, "error_first") + count(faults, "error_later"));
  expect(count(faults, "error_first")).toBeGreaterThan(0);
  expect(count(faults, "error_later")).toBeGreaterThan(0);
});

test("the flaky 500 fails about one call in four", async () => {
  take("flaky-500");
  const statuses = await send(200, "sk");
  expect(count(statuses, "500") + count(statuses, "503")).toBeWithin(25, 75);
  expect(fake.ledger.counters().byStatus["500"]).toBe(count(statuses, "500"));
});
