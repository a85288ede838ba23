// Every option of the table that a reload is said to apply is changed in the file of a running weir, and seen to count.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPTIONS } from "../../src/config/options.ts";
import type { Rest } from "../../src/core/rest.ts";
import type { Fake } from "../../src/fake/server.ts";
import type { FakeScript } from "../../src/fake/script.ts";
import { configFrom, openFake } from "../support/configured.ts";
import { exchange, postBytes, statusOf } from "../support/raw.ts";
import { startReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { startWeir, type Weir } from "../support/weir.ts";

const KEY = "sk-live-options-00000001";
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
const STREAM = { ...CHAT, stream: true };
const HANG: FakeScript = { rules: [{ match: { path: PATH }, do: "hang_headers" }] };
const HANG_STREAM: FakeScript = {
  rules: [{ match: { path: PATH }, do: { fault: "hang_stream", after: 2 } }],
};
const SLOW: FakeScript = { rules: [{ match: { path: PATH }, do: { latency: "500ms" } }] };
const answering = (status: number): FakeScript => ({ rules: [{ match: { path: PATH }, do: status }] });
const QUOTA: FakeScript = { rules: [{ match: { path: PATH }, do: { error: "quota" } }] };

interface Seen {
  readonly weir: Weir;
  readonly fake: Fake;
  readonly hook: { readonly received: readonly unknown[] };
}

interface Row {
  /** As files have it; under the old value the test would see something else, or wait for minutes. */
  readonly from: unknown;
  readonly to: unknown;
  readonly see: (seen: Seen) => unknown;
  readonly expected: unknown;
  readonly script?: FakeScript;
  /** Further options, the same before and after. */
  readonly beside?: Readonly<Record<string, unknown>>;
  readonly limits?: object;
}

const statusFor =
  (body: unknown, init: RequestInit = {}) =>
  async ({ weir }: Seen) => {
    const answer = await weir.post(PATH, body, init);
    await answer.arrayBuffer();
    return answer.status;
  };
const statusesOf = (count: number) => async (seen: Seen) =>
  (await Promise.all(Array.from({ length: count }, () => statusFor(CHAT)(seen)))).toSorted((a, b) => a - b);
/** Of calls that hang, the status of the one that is answered all the same. */
const firstStatusOf = (body: unknown, count: number) => async (seen: Seen) => {
  const leave = new AbortController();
  const calls = Array.from({ length: count }, () => statusFor(body, { signal: leave.signal })(seen));
  const status = await Promise.race(calls);
  await until(() => seen.weir.app.inFlight() === count - 1, "the others are not answered");
  leave.abort();
  await Promise.allSettled(calls);
  return status;
};
const textOf = async ({ weir }: Seen) => (await weir.post(PATH, STREAM)).text();
const lengthOf = (rest: Rest | undefined) =>
  rest === undefined ? 0 : Math.round(rest.untilMs - rest.sinceMs);
const keyRest = async (seen: Seen) => {
  await statusFor(CHAT)(seen);
  return lengthOf(seen.weir.slot(KEY).keyState.rest);
};
const ownRest = async (seen: Seen) => {
  await statusFor(CHAT)(seen);
  return lengthOf(seen.weir.slot(KEY).state.rest);
};
const ONCE = { "retry.max": 0, "cooldown.jitter": "0%" };
const FIRST_FAILURE = { ...ONCE, "cooldown.threshold": 1 };
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const ROWS: Readonly<Record<string, Row>> = {
  "server.allowed_hosts": {
    from: [],
    to: ["weir.test"],
    see: async ({ weir }) =>
      statusOf(
        await exchange(weir.port, postBytes(PATH, JSON.stringify(CHAT)).replace("localhost", "weir.test")),
      ),
    expected: 200,
  },
  "server.allowed_origins": {
    from: [],
    to: ["https://app.test"],
    see: statusFor(CHAT, { headers: { origin: "https://app.test" } }),
    expected: 200,
  },
  "server.response_headers": {
    from: "none",
    to: "weir",
    see: async ({ weir }) => (await weir.post(PATH, CHAT)).headers.has("x-weir-backend"),
    expected: true,
  },
  access_keys: {
    from: ["old-token-1"],
    to: ["new-token-1"],
    see: statusFor(CHAT, bearer("new-token-1")),
    expected: 200,
  },
  "admin.key": {
    from: "old-admin-1",
    to: "new-admin-1",
    see: async ({ weir }) => (await fetch(`${weir.url}/metrics`, bearer("new-admin-1"))).status,
    expected: 200,
  },
  "shutdown.delay": {
    from: "10m",
    to: "0s",
    see: ({ weir }) => weir.app.stop({ skipDelay: false }),
    expected: undefined,
  },
  "shutdown.grace": {
    from: "10m",
    to: "0s",
    beside: { "shutdown.delay": "0s" },
    script: HANG_STREAM,
    async see({ weir }) {
      const answer = await weir.post(PATH, STREAM);
      await weir.app.stop({ skipDelay: false });
      return (await answer.text()).includes("error");
    },
    expected: true,
  },
  webhooks: {
    from: [],
    to: "the receiver",
    async see({ weir, hook }) {
      weir.app.rejectReload(["a broken file"]);
      await until(() => hook.received.length > 0, "the receiver is told");
    },
    expected: undefined,
  },
  strategy: {
    from: "random",
    to: "lowest-cost",
    async see({ weir }) {
      const answer = await fetch(`${weir.url}/api/explain?model=gpt-4o`);
      const { resolution } = (await answer.json()) as { resolution: { strategy: string } };
      return resolution.strategy;
    },
    expected: "lowest-cost",
  },
  "retry.max": {
    from: 3,
    to: 0,
    beside: { "retry.backoff": "1ms" },
    script: answering(503),
    async see(seen) {
      await statusFor(CHAT)(seen);
      return seen.fake.ledger.calls().filter(({ path }) => path === PATH).length;
    },
    expected: 1,
  },
  "retry.backoff": {
    from: "10m",
    to: "1ms",
    beside: { "retry.max": 1, "retry.max_backoff": "10m" },
    script: answering(503),
    see: statusFor(CHAT),
    expected: 503,
  },
  "retry.max_backoff": {
    from: "10m",
    to: "1ms",
    beside: { "retry.max": 1, "retry.backoff": "10m" },
    script: answering(503),
    see: statusFor(CHAT),
    expected: 503,
  },
  "cooldown.threshold": {
    from: 100,
    to: 1,
    beside: ONCE,
    script: answering(500),
    see: ownRest,
    expected: 5000,
  },
  "cooldown.first": {
    from: "9s",
    to: "7s",
    beside: FIRST_FAILURE,
    script: answering(500),
    see: ownRest,
    expected: 7000,
  },
  "cooldown.max": {
    from: "60s",
    to: "2s",
    beside: FIRST_FAILURE,
    script: answering(500),
    see: ownRest,
    expected: 2000,
  },
  "cooldown.revoked": {
    from: "5m",
    to: "3m",
    beside: ONCE,
    script: answering(401),
    see: keyRest,
    expected: 180_000,
  },
  "cooldown.quota": {
    from: "1h",
    to: "2h",
    beside: ONCE,
    script: QUOTA,
    see: keyRest,
    expected: 7_200_000,
  },
  "cooldown.jitter": {
    from: "0%",
    to: "10%",
    beside: { "retry.max": 0 },
    script: answering(401),
    see: keyRest,
    // Half of it: chance is chosen below.
    expected: 315_000,
  },
  "timeouts.first_byte": {
    from: "10m",
    to: "30ms",
    beside: ONCE,
    script: HANG,
    see: statusFor(CHAT),
    expected: 504,
  },
  "timeouts.stream_first_byte": {
    from: "10m",
    to: "30ms",
    beside: ONCE,
    script: HANG,
    see: statusFor(STREAM),
    expected: 504,
  },
  "timeouts.idle": {
    from: "10m",
    to: "30ms",
    script: HANG_STREAM,
    see: textOf,
    expected: expect.stringContaining("error"),
  },
  "timeouts.total": {
    from: "10m",
    to: "60ms",
    beside: { "timeouts.idle": "10m" },
    script: HANG_STREAM,
    see: textOf,
    expected: expect.stringContaining("error"),
  },
  "queue.max_wait": {
    from: "0s",
    to: "30s",
    limits: { concurrency: 1 },
    script: SLOW,
    see: statusesOf(2),
    expected: [200, 200],
  },
  "queue.max_size": {
    from: 1000,
    to: 1,
    beside: { "queue.max_wait": "30s" },
    limits: { concurrency: 1 },
    script: HANG,
    see: firstStatusOf(CHAT, 3),
    expected: 429,
  },
  default_fallbacks: {
    from: [],
    to: ["gpt-4o-mini"],
    beside: ONCE,
    script: { rules: [{ match: { path: PATH, model: "gpt-4o" }, do: 500 }] },
    see: statusFor(CHAT),
    expected: 200,
  },
  "buffers.request": {
    from: "32MiB",
    to: "1KiB",
    see: statusFor({ ...CHAT, user: "u".repeat(2000) }),
    expected: 413,
  },
  "buffers.all_requests": {
    from: "256MiB",
    to: "1KiB",
    beside: { "buffers.request": "1KiB" },
    script: HANG,
    see: firstStatusOf({ ...CHAT, user: "u".repeat(600) }, 2),
    expected: 503,
  },
};

/** Why these have no row. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "server.open": "says only whether a public address may be listened on",
  "timeouts.connect": "stands beside the other times, and needs a listener that does not accept",
  "upstream.proxy": "is part of each backend, and loopback is never reached through a proxy",
  "upstream.ca_file": "is part of the same settings as times and sizes, and needs authorities",
};

/** `{ "retry.max": 1 }` as `{ retry: { max: 1 } }`. */
function nested(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const file: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    const [section = "", name] = key.split(".");
    file[section] = name === undefined ? value : { ...(file[section] as object | undefined), [name]: value };
  }
  return file;
}

test("every option that a reload applies has a row, or a reason to have none", () => {
  const live = OPTIONS.filter(({ change }) => change === "live").map(({ key }) => key);
  expect([...Object.keys(ROWS), ...Object.keys(ELSEWHERE)].toSorted()).toEqual(live.toSorted());
});

test.each(Object.entries(ROWS))("a reload applies %s", async (key, row) => {
  const folder = mkdtempSync(join(tmpdir(), "weir-live-"));
  const path = join(folder, "weir.yaml");
  await using fake = openFake(row.script);
  await using hook = startReceiver();
  const receiver = [{ url: hook.url, format: "json", events: ["reload"], allow_private: true }];
  const read = (value: unknown) => {
    const options = nested({ ...row.beside, [key]: value === "the receiver" ? receiver : value });
    const openai = { base_url: fake.url, api_key: KEY, ...(row.limits && { limits: row.limits }) };
    writeFileSync(path, JSON.stringify({ providers: { openai }, ...options }));
    return configFrom({ argv: ["--config", path] });
  };
  try {
    await using weir = startWeir({
      providers: [],
      config: read(row.from),
      random: () => 0.5,
      unchecked: true,
    });
    weir.app.reload(read(row.to));
    expect(await row.see({ weir, fake, hook })).toEqual(row.expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
