// `weir demo`: the whole proxy over an embedded fake provider, and a few calls of the real SDKs through it.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { type App, startApp } from "../app.ts";
import { type FlagSpec, parseFlags } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem, quoted } from "../config/problem.ts";
import type { AttemptFinished, ProxyEvent } from "../core/event.ts";
import type { FakeScript } from "../fake/script.ts";
import { startFake } from "../fake/server.ts";
import { realClock, realRandom } from "../runtime/clock.ts";
import { describeStart } from "./banner.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { reasonOf } from "./reason.ts";
import { listenForStop } from "./stop-signal.ts";

const DEMO_FLAGS: readonly FlagSpec[] = [
  { name: "once", takes: "nothing" },
  { name: "port", takes: "value" },
];

const LAST_PORT = 65_535;

/** Good, limited to two requests a minute, revoked, and slow. */
const KEYS = ["demo-key-good-0001", "demo-key-limited-0002", "demo-key-revoked-0003", "demo-key-slow-0004"];

const SCRIPT: FakeScript = {
  keys: {
    "demo-key-good-0001": null,
    "demo-key-limited-0002": { rpm: 2 },
    "demo-key-revoked-0003": { revoked: true },
    "demo-key-slow-0004": null,
  },
  ttft: "60ms",
  gap: "25ms",
  reply: "A weir spreads the river over its whole width, so that no single channel floods.",
  rules: [{ match: { key: "demo-key-slow-0004" }, do: { latency: "400ms" } }],
};

export const runDemo: Command = async (invocation) => {
  const { args, out, err } = invocation;
  const flags = parseFlags(args, DEMO_FLAGS);
  if (flags.help) {
    out(helpOf("demo"));
    return EXIT.fine;
  }
  if (flags.problems.length > 0) {
    err(`${flags.problems.map(formatProblem).join("\n")}\n`);
    return EXIT.usage;
  }
  const once = flags.given.has("once");
  const port = flags.given.get("port")?.[0] ?? "0";
  if (!/^\d{1,5}$/.test(port) || Number(port) > LAST_PORT) {
    const problem = {
      kind: "usage",
      where: "--port",
      expected: `0 to ${LAST_PORT}`,
      found: quoted(port),
    } as const;
    err(`${formatProblem(problem)}\n`);
    return EXIT.usage;
  }
  const fake = startFake({ script: SCRIPT });
  try {
    const watched: ProxyEvent[] = [];
    let app: App;
    try {
      app = startDemoApp({ fakeUrl: fake.url, port, out, watch: (event) => void watched.push(event) });
    } catch (error) {
      err(`cannot listen on 127.0.0.1:${port}: ${reasonOf(error)}\n`);
      return EXIT.unavailable;
    }
    try {
      await showCalls(app, { out, events: watched });
      if (!once) await stayUp(invocation, app);
      return EXIT.fine;
    } finally {
      await app.stop({ skipDelay: true });
    }
  } finally {
    await fake.stop();
  }
};

interface DemoTerms {
  readonly fakeUrl: string;
  readonly port: string;
  readonly out: (text: string) => void;
  readonly watch: (event: ProxyEvent) => void;
}

/** Configured as a user would: by environment variables. */
function startDemoApp({ fakeUrl, port, out, watch }: DemoTerms): App {
  const env = {
    WEIR_PORT: port,
    WEIR_LOG_LEVEL: "error",
    OPENAI_API_KEYS: KEYS.join(","),
    OPENAI_BASE_URL: fakeUrl,
    ANTHROPIC_API_KEYS: `${KEYS[0]},${KEYS[3]}`,
    ANTHROPIC_BASE_URL: fakeUrl,
  };
  out(`A fake provider stands at ${fakeUrl}. One of its four keys is good, one allows two requests a minute,
one is revoked and one is slow. weir is started with

  OPENAI_API_KEYS=${env.OPENAI_API_KEYS}
  OPENAI_BASE_URL=${fakeUrl}

`);
  const flags = parseFlags([], []);
  const loaded = loadConfig({
    env,
    flags,
    hostname: hostname(),
    readFile: refuseFile,
    listFolder: refuseFile,
  });
  if (loaded.kind !== "config") throw new Error("the demo's own configuration is wrong");
  const app = startApp(loaded.config, {
    clock: realClock,
    random: realRandom,
    createId: randomUUID,
    hostname: hostname(),
    log: { format: "text", write: out },
    watch,
  });
  out(describeStart(loaded.config, app.port));
  return app;
}

function refuseFile(path: string): never {
  throw new Error(`the demo reads no file, least of all ${path}`);
}

interface Stage {
  readonly out: (text: string) => void;
  readonly events: readonly ProxyEvent[];
}

const CALLS = 8;
const QUESTION = { role: "user", content: "What does a weir do?" } as const;

async function showCalls(app: App, stage: Stage): Promise<void> {
  const { out } = stage;
  const base = `http://127.0.0.1:${app.port}`;
  // Loaded here: the SDKs are large, and no other command needs them.
  const [{ default: OpenAi }, { default: AnthropicSdk }] = await Promise.all([
    import("openai"),
    import("@anthropic-ai/sdk"),
  ]);
  const openai: OpenAI = new OpenAi({ apiKey: "anything", baseURL: `${base}/v1`, maxRetries: 0 });
  const anthropic: Anthropic = new AnthropicSdk({ apiKey: "anything", baseURL: base, maxRetries: 0 });

  out(`${CALLS} chat completions by the OpenAI SDK, one after another:\n`);
  for (let call = 1; call <= CALLS; call += 1) {
    const from = performance.now();
    const { data, response } = await openai.chat.completions
      .create({ model: "gpt-4o", messages: [QUESTION] })
      .withResponse();
    const took = Math.round(performance.now() - from);
    const tried = describeAttempts(stage.events, response.headers.get("x-weir-request-id"));
    out(`  ${call}. ${data.choices[0]?.message.content?.slice(0, 32) ?? ""}…  ${took} ms  ${tried}\n`);
  }

  out("\nA stream, as it arrives:\n  ");
  const stream = await openai.chat.completions.create({
    model: "gpt-4o",
    messages: [QUESTION],
    stream: true,
  });
  for await (const event of stream) out(event.choices[0]?.delta.content ?? "");

  out("\n\nThe Anthropic SDK, on the same port:\n  ");
  const message = anthropic.messages.stream({
    model: "claude-haiku-4-5",
    max_tokens: 64,
    messages: [QUESTION],
  });
  for await (const event of message)
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") out(event.delta.text);

  out("\n\nWho rests now, and why:\n");
  const now = realClock.now();
  for (const { backend, keyState } of app.pool.current.slots) {
    const { rest } = keyState;
    if (rest === undefined || backend.provider !== "openai") continue;
    out(
      `  ${backend.credential.label}  ${rest.detail}, for ${Math.max(0, Math.round((rest.untilMs - now) / 1000))} s\n`,
    );
  }
}

/** Which keys one request was tried on: `***0003 key refused, then ***0001`. */
function describeAttempts(events: readonly ProxyEvent[], requestId: string | null): string {
  const attempts = events.filter(
    (event): event is AttemptFinished => event.kind === "attempt_finished" && event.requestId === requestId,
  );
  return attempts
    .map(({ key, outcome, detail }) => (outcome === "success" ? key : `${key} (${detail})`))
    .join(" then ");
}

async function stayUp(invocation: Invocation, app: App): Promise<void> {
  invocation.out(`\nweir stays up on port ${app.port}; try your own calls. Ctrl-C ends it.\n`);
  const stop = listenForStop(invocation);
  await Promise.race([stop.asked, stop.insisted]);
}
