// Everything at once: random faults, random clients, some leaving, keys that come and go; the books balance all the same.
import { expect, test } from "bun:test";
import type { Backend } from "../../src/core/backend.ts";
import type { FaultName } from "../../src/fake/faults.ts";
import { startFake } from "../../src/fake/server.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { until } from "../support/until.ts";
import type { Slot } from "../../src/core/seams.ts";
import { buildConfig, startWeir, type WeirSetup } from "../support/weir.ts";

const SEED = Number(process.env["WEIR_SEED"] ?? 20_261_121);
/** More on request: 100,000 take about a minute. */
const REQUESTS = Number(process.env["WEIR_CHAOS_REQUESTS"] ?? 1500);
const AT_ONCE = REQUESTS > 10_000 ? 200 : 40;
const KEYS = ["sk-chaos-1", "sk-chaos-2", "sk-chaos-3", "sk-chaos-4"];
const FAULTS: readonly { fault: FaultName; after?: number }[] = [
  { fault: "refuse" },
  { fault: "reset" },
  { fault: "reset", after: 2 },
  { fault: "bad_chunk", after: 2 },
  { fault: "short_body" },
  { fault: "garbage_headers" },
  { fault: "gzip" },
  { fault: "split" },
  { fault: "informational" },
  { fault: "close_on_reuse" },
  { fault: "redirect" },
  { fault: "hang_headers" },
  { fault: "hang_stream", after: 2 },
];
const IN_STREAMS: typeof FAULTS = [
  { fault: "early_end", after: 3 },
  { fault: "error_first" },
  { fault: "error_later", after: 2 },
];
const ERRORS = [
  "rate_limit",
  "server_error",
  "unavailable",
  "bad_request",
  "overloaded",
  "bad_gateway",
] as const;

test(`random faults leave the books balanced and no broken stream looks whole (WEIR_SEED=${SEED})`, async () => {
  const random = seedRandom(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const fake = startFake({
    seed: SEED,
    script: {
      rules: [
        ...FAULTS.map((fault) => ({ probability: 0.03, do: fault })),
        // A single answer that ends early and politely cannot be told from a whole one.
        ...IN_STREAMS.map((fault) => ({ match: { stream: true }, probability: 0.04, do: fault })),
        ...ERRORS.map((error) => ({ probability: 0.03, do: { error, retry_after: "1s" } })),
      ],
    },
  });
  const limited = (backend: Backend, concurrency: number): Backend => ({
    ...backend,
    credential: { ...backend.credential, limits: { concurrency }, quotaGroup: pick(["a", "b"]) },
  });
  /** Another one each time. */
  const nextSetup = (): WeirSetup => ({
    providers: [
      {
        name: "openai",
        urls: [fake.url],
        keys: KEYS.slice(0, 2 + Math.floor(random() * 3)),
        adjust: (backend) => (random() < 0.5 ? backend : limited(backend, 10)),
      },
    ],
    timeouts: { firstByteMs: 60, streamFirstByteMs: 60, idleMs: 60 },
    retry: { backoffMs: 5, maxBackoffMs: 10 },
    queue: { maxWaitMs: 50 },
    random,
  });
  await using weir = startWeir(nextSetup());
  const slots = new Set<Slot>(weir.app.pool.current.slots);
  const reload = (): void => {
    weir.app.reload(buildConfig(nextSetup()));
    for (const slot of weir.app.pool.current.slots) slots.add(slot);
  };
  const seen = { whole: 0, told: 0, broken: 0, refused: 0, left: 0 };

  const ask = async (): Promise<void> => {
    const stream = random() < 0.6;
    const leave = new AbortController();
    const leaving = random() < 0.15 ? setTimeout(() => leave.abort(), random() * 15) : undefined;
    const path = pick(["/v1/chat/completions", "/v1/completions"]);
    const body = { model: "gpt-4o", prompt: "x", messages: [{ role: "user", content: "x" }], stream };
    try {
      const answer = await weir.post(path, body, { signal: leave.signal });
      const text = await answer.text();
      if (answer.status !== 200) {
        expect(text).toContain("error");
        seen.refused += 1;
      } else if (!stream) {
        expect(JSON.parse(text)).toHaveProperty("choices");
        seen.whole += 1;
      } else if (text.trimEnd().endsWith("data: [DONE]")) seen.whole += 1;
      else {
        expect(text).toContain('"error":');
        seen.told += 1;
      }
    } catch (error) {
      if (leave.signal.aborted) seen.left += 1;
      else {
        expect(error).toMatchObject({ code: expect.any(String) }); // a reset, never a wrong expectation
        seen.broken += 1;
      }
    } finally {
      clearTimeout(leaving);
    }
  };
  for (let done = 0; done < REQUESTS; done += AT_ONCE) {
    weir.advance(2000);
    const asked = Array.from({ length: AT_ONCE }, ask);
    await Promise.race(asked);
    reload();
    await Promise.all(asked);
  }
  await weir.idle();
  await until(() => fake.openCalls === 0, "no upstream call is open");

  const sent = Math.ceil(REQUESTS / AT_ONCE) * AT_ONCE;
  const requests = weir.requests();
  // One that left before weir had read its head is none.
  expect(requests.length).toBeWithin(sent - seen.left, sent + 1);
  expect(new Set(requests.map((request) => request.requestId)).size).toBe(requests.length);
  const attempts = requests.reduce((sum, request) => sum + request.attempts, 0);
  expect(weir.attempts()).toHaveLength(attempts);
  expect(requests.filter((request) => request.ending === "complete").length).toBeGreaterThan(
    seen.whole - seen.left,
  );
  expect(slots.size).toBeGreaterThan(KEYS.length);
  for (const { state, keyState } of slots) {
    expect(state.inFlight).toBe(0);
    for (const { kind, used } of keyState.limits?.uses(Number.MAX_SAFE_INTEGER) ?? [])
      if (kind === "concurrency") expect(used).toBe(0);
  }
  expect(Object.values(seen).reduce((sum, count) => sum + count, 0)).toBe(sent);
  for (const count of [seen.whole, seen.told, seen.broken, seen.refused, seen.left])
    expect(count).toBeGreaterThan(0);
  expect(weir.events.filter((event) => event.kind === "server_error")).toEqual([]);
  await fake.stop();
}, 480_000);
