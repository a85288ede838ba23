// Limits through the whole app: exact ones from the configuration, learned ones from answers, and what waits for them.
import { describe, expect, test } from "bun:test";
import type { Backend } from "../../src/core/backend.ts";
import type { Limits } from "../../src/core/credential.ts";
import type { FakeScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { jsonResponse, startRawUpstream } from "../support/raw.ts";
import { startWeir, type WeirSetup } from "../support/weir.ts";
import { createLatch, until } from "../support/until.ts";

const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
const PATH = "/v1/chat/completions";
const KEYS = ["limit-key-a-0000001", "limit-key-b-0000002"];

interface Limited {
  readonly limits?: Limits;
  readonly script?: FakeScript;
  readonly keys?: readonly string[];
  readonly group?: string;
  readonly setup?: Partial<WeirSetup>;
}

/** weir before a fake, each key with the given limits. */
function limited({ limits = {}, script = {}, keys = KEYS, group, setup = {} }: Limited) {
  const fake = startFake({ script });
  const weir = startWeir({
    providers: [
      {
        name: "openai",
        urls: [fake.url],
        keys,
        adjust: (backend) => {
          const shared = group === undefined ? {} : { quotaGroup: group };
          return { ...backend, credential: { ...backend.credential, limits, ...shared } };
        },
      },
    ],
    ...setup,
  });
  const statuses = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => weir.post(PATH, CHAT)));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    return answers;
  };
  return {
    fake,
    weir,
    statuses,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await fake.stop();
    },
  };
}

const callsOf = (fake: Fake, key: string) => fake.ledger.calls().filter((call) => call.key === key).length;
const countOf = (answers: readonly Response[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

describe("a limit of 5 requests a minute", () => {
  test("lets exactly five of 1,000 parallel requests reach each key, and five more a minute later", async () => {
    await using s = limited({ limits: { requestsPerMinute: 5 }, setup: { still: true } });
    const answers = await s.statuses(1000);
    expect(countOf(answers, 200)).toBe(10);
    expect(countOf(answers, 429)).toBe(990);
    for (const key of KEYS) expect(callsOf(s.fake, key)).toBe(5);
    const waits = answers
      .filter(({ status }) => status === 429)
      .map(({ headers }) => Number(headers.get("retry-after")));
    for (const wait of waits) expect(wait).toBe(60);
    s.weir.advance(61_000);
    await s.statuses(100);
    for (const key of KEYS) expect(callsOf(s.fake, key)).toBe(10);
  });

  test("counts retries, and gives back what never reached the provider", async () => {
    await using s = limited({
      limits: { requestsPerMinute: 5 },
      script: { rules: [{ do: 503 }] },
      keys: KEYS.slice(0, 1),
      setup: { retry: { max: 2 }, cooldown: { threshold: 100 } },
    });
    expect((await s.statuses(1))[0]?.status).toBe(503);
    expect(s.weir.slot(KEYS[0] ?? "").keyState.limits?.uses(performance.now())).toEqual([
      { kind: "rpm", used: 3, limit: 5 },
    ]);
    await s.fake.stop();
    expect((await s.statuses(1))[0]?.status).toBe(502);
    expect(s.weir.slot(KEYS[0] ?? "").keyState.limits?.uses(performance.now())[0]?.used).toBe(3);
  });

  test("is shared by keys of one quota group", async () => {
    await using s = limited({ limits: { requestsPerMinute: 5 }, group: "org" });
    expect(countOf(await s.statuses(50), 200)).toBe(5);
  });
});

describe("a limit of concurrency", () => {
  test("is never exceeded, and the next request goes to another key", async () => {
    await using s = limited({ limits: { concurrency: 2 }, script: { rules: [{ do: "hang_headers" }] } });
    const leave = new AbortController();
    const calls = Array.from({ length: 4 }, () =>
      s.weir.post(PATH, CHAT, { signal: leave.signal }).catch(() => undefined),
    );
    await until(() => s.fake.openCalls === 4, "four calls at the provider");
    for (const key of KEYS) expect(callsOf(s.fake, key)).toBe(2);
    const fifth = await s.weir.post(PATH, CHAT);
    expect([fifth.status, fifth.headers.get("retry-after")]).toEqual([429, "1"]);
    leave.abort();
    await Promise.all(calls);
    await s.weir.idle();
    expect(s.weir.slot(KEYS[0] ?? "").keyState.limits?.uses(0)).toEqual([
      { kind: "concurrency", used: 0, limit: 2 },
    ]);
  });
});

test("a limit of tokens is settled from the answer's own count, of streams too", async () => {
  await using s = limited({
    limits: { tokensPerMinute: 100_000 },
    keys: KEYS.slice(0, 1),
    script: { tokens: 30 },
  });
  const used = () => s.weir.slot(KEYS[0] ?? "").keyState.limits?.uses(performance.now())[0]?.used ?? 0;
  await s.statuses(1);
  const first = s.fake.ledger.calls().at(-1)?.usage;
  expect(used()).toBe((first?.promptTokens ?? 0) + (first?.completionTokens ?? 0));
  const stream = { ...CHAT, stream: true, stream_options: { include_usage: true } };
  await (await s.weir.post(PATH, stream)).text();
  await s.weir.idle();
  const total = s.fake.ledger
    .calls()
    .reduce((sum, { usage }) => sum + usage.promptTokens + usage.completionTokens, 0);
  expect(used()).toBe(total);
});

describe("a limit that the provider tells", () => {
  test("rests a key before its first 429", async () => {
    const keys = Object.fromEntries(KEYS.map((key) => [key, { rpm: 3 }]));
    await using s = limited({ script: { keys, form: "openai" } });
    const answers: Response[] = [];
    for (let call = 0; call < 10; call += 1) answers.push(...(await s.statuses(1)));
    expect(countOf(answers, 200)).toBe(6);
    expect(countOf(answers, 429)).toBe(4);
    expect(s.fake.ledger.counters().byStatus["429"]).toBeUndefined();
    expect(s.weir.slot(KEYS[0] ?? "").keyState.learned?.requests).toMatchObject({ limit: 3, remaining: 0 });
  });

  test("ends the day of a configured daily limit when the provider's day ends", async () => {
    const headers = {
      "x-ratelimit-limit-requests": "1000",
      "x-ratelimit-remaining-requests": "990",
      "x-ratelimit-reset-requests": "1h",
    };
    await using s = limited({
      limits: { requestsPerDay: 2 },
      keys: KEYS.slice(0, 1),
      script: {
        rules: [
          { do: { status: 200, headers: { ...headers, "content-type": "application/json" }, body: "{}" } },
        ],
      },
    });
    expect((await s.statuses(3)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 429,
    ]);
    s.weir.advance(3_590_000);
    expect((await s.statuses(1))[0]?.status).toBe(429);
    s.weir.advance(11_000);
    expect((await s.statuses(1))[0]?.status).toBe(200);
  });

  test("of one key of a group rests them all", async () => {
    await using s = limited({
      group: "org",
      script: { rules: [{ times: 1, do: { error: "rate_limit", retry_after: "20s" } }] },
    });
    const [answer] = await s.statuses(1);
    expect(answer?.status).toBe(429);
    expect(answer?.headers.get("retry-after")).toBe("20");
    expect(s.fake.ledger.counters().calls).toBe(1);
  });
});

describe("a storm of 429", () => {
  const FIVE = Array.from({ length: 5 }, (_, at) => `storm-key-${at}-00000000`);

  test("on four of five keys shows no client an error, leaves cooling keys alone, and ends", async () => {
    const rules = FIVE.slice(0, 4).map((key) => ({
      match: { key },
      times: 1,
      do: { error: "rate_limit", retry_after: "30s" } as const,
    }));
    await using s = limited({ keys: FIVE, script: { rules } });
    for (let round = 0; round < 20; round += 1)
      for (const { status } of await s.statuses(1)) expect(status).toBe(200);
    for (const key of FIVE.slice(0, 4)) expect(callsOf(s.fake, key)).toBe(1);
    s.weir.advance(31_000);
    s.fake.ledger.clear();
    for (let round = 0; round < 20; round += 1) await s.statuses(1);
    for (const key of FIVE) expect(callsOf(s.fake, key)).toBeGreaterThan(0);
  });

  test("or of 403 on all keys at once is one shared cause: nobody is exiled", async () => {
    await using s = limited({ keys: FIVE, script: { rules: [{ times: 5, do: 403 }] } });
    expect((await s.statuses(1))[0]?.status).toBe(403);
    for (const key of FIVE) expect(s.weir.slot(key).keyState.rest?.detail).toContain("all keys alike");
    s.weir.advance(5100);
    expect((await s.statuses(1))[0]?.status).toBe(200);
  });

  test("of 401 on all keys is taken for what it says", async () => {
    await using s = limited({ keys: FIVE, script: { rules: [{ do: 401 }] } });
    await s.statuses(1);
    s.weir.advance(6000);
    const [answer] = await s.statuses(1);
    expect([answer?.status, answer?.headers.get("x-should-retry")]).toEqual([503, "false"]);
  });
});

describe("waiting", () => {
  const waiting = { queue: { maxWaitMs: 5000, maxSize: 3 } };

  test("is in order, and ends as soon as something is given back", async () => {
    await using s = limited({
      limits: { concurrency: 1 },
      keys: KEYS.slice(0, 1),
      script: { latency: "30ms" },
      setup: waiting,
    });
    let ended = 0;
    const calls: Promise<unknown>[] = [];
    for (let at = 0; at < 4; at += 1) {
      const call = s.weir.post(`${PATH}?at=${at}`, CHAT).then((answer) => answer.arrayBuffer());
      calls.push(call.then(() => (ended += 1)));
      await until(() => s.weir.app.inFlight() + ended > at, "the call has arrived");
    }
    await Promise.all(calls);
    expect(s.fake.ledger.calls()).toHaveLength(4);
    expect(s.fake.ledger.calls().map(({ query }) => query)).toEqual(
      s.fake.ledger
        .calls()
        .map((call) => call.query)
        .toSorted(),
    );
  });

  test("has so many places, and beyond them the answer is 429 at once", async () => {
    const served = createLatch();
    await using upstream = await startRawUpstream(async ({ socket }) => {
      await served.opened;
      socket.write(jsonResponse({ choices: [] }));
    });
    const adjust = (backend: Backend): Backend => ({
      ...backend,
      credential: { ...backend.credential, limits: { concurrency: 1 } },
    });
    await using weir = startWeir({
      providers: [{ name: "openai", urls: [upstream.url], keys: KEYS.slice(0, 1), adjust }],
      queue: { maxWaitMs: 25_000, maxSize: 3 },
    });
    const statuses: number[] = [];
    const calls = Array.from({ length: 6 }, async () => {
      const answer = await weir.post(PATH, CHAT);
      statuses.push(answer.status);
      await answer.arrayBuffer();
    });
    await until(() => statuses.length === 2, "two have no place");
    expect(statuses).toEqual([429, 429]);
    served.open();
    await Promise.all(calls);
    expect(statuses.slice(2)).toEqual([200, 200, 200, 200]);
  });

  test("is not begun when the first slot comes too late", async () => {
    await using s = limited({ limits: { requestsPerMinute: 1 }, keys: KEYS.slice(0, 1), setup: waiting });
    expect((await s.statuses(1))[0]?.status).toBe(200);
    expect((await s.statuses(1))[0]?.status).toBe(429);
  });

  test("is no longer than the caller will wait, and then nobody is asked", async () => {
    await using s = limited({
      limits: { concurrency: 1 },
      keys: KEYS.slice(0, 1),
      script: { rules: [{ do: "hang_headers" }] },
      setup: waiting,
    });
    const leave = new AbortController();
    const first = s.weir.post(PATH, CHAT, { signal: leave.signal }).catch(() => undefined);
    await until(() => s.fake.openCalls === 1, "one call at the provider");
    // It is told while the first still has its place.
    const second = await s.weir.post(PATH, CHAT, { headers: { "x-stainless-timeout": "0.1" } });
    expect(second.status).toBe(429);
    leave.abort();
    await first;
    await s.weir.idle();
    expect(s.fake.ledger.counters().calls).toBe(1);
  });

  test("ends when the client leaves", async () => {
    await using s = limited({
      limits: { concurrency: 1 },
      keys: KEYS.slice(0, 1),
      script: { rules: [{ do: "hang_headers" }] },
      setup: waiting,
    });
    const send = (leave: AbortController) =>
      s.weir.post(PATH, CHAT, { signal: leave.signal }).catch(() => undefined);
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [send(first)];
    await until(() => s.fake.openCalls === 1, "one call at the provider");
    calls.push(send(second));
    await until(() => s.weir.app.inFlight() === 2, "one that waits");
    second.abort();
    await until(() => s.weir.app.inFlight() === 1, "the one that waited is gone");
    first.abort();
    await Promise.all(calls);
    await s.weir.idle();
    expect(s.fake.ledger.counters().calls).toBe(1);
  });
});

test("DeepWiki's case: five keys of low RPM, 20 users, 70 requests in a minute, no failure and an even balance", async () => {
  const keys = Array.from({ length: 5 }, (_, at) => `deepwiki-key-${at}-000000`);
  await using s = limited({
    keys,
    script: { keys: Object.fromEntries(keys.map((key) => [key, { rpm: 15 }])), latency: "5ms" },
  });
  let failures = 0;
  let left = 70;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      while (left > 0) {
        left -= 1;
        const [answer] = await s.statuses(1);
        if (answer?.status !== 200) failures += 1;
      }
    }),
  );
  const counts = keys.map((key) => callsOf(s.fake, key));
  expect(failures).toBe(0);
  expect(Math.min(...counts) / Math.max(...counts)).toBeGreaterThanOrEqual(0.8);
});
