// Upstreams made over HTTP, through the whole of `weir serve`: served at once, kept over a restart, gone when removed.
import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runServe } from "../../src/commands/serve.ts";
import { startFake } from "../../src/fake/server.ts";
import { makeFolder } from "../support/operators.ts";
import { until } from "../support/until.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/samples/trustgate/upstream.json"), "utf8");
const UPSTREAMS = "/api/v1/gateways/g/upstreams";
const ADMIN_KEY = "admin-key-0123456789";

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly said: () => string;
}

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** In this process, as a user starts it; resolves when it listens, or has ended without. */
async function serve(env: Record<string, string>, args: readonly string[] = []): Promise<Served | Ended> {
  let said = "";
  let stop: (() => void) | undefined;
  const ended = runServe({
    args: ["--port", "0", ...args],
    env: { WEIR_LOG_LEVEL: "error", WEIR_SHUTDOWN_DELAY: "0s", ...env },
    out: (text) => void (said += text),
    err: (text) => void (said += text),
    isTerminal: false,
    onSignal(signal, act) {
      if (signal === "SIGTERM") stop = act;
    },
  });
  let code: number | undefined;
  void ended.then((exit) => (code = exit));
  await until(() => code !== undefined || stop !== undefined, "weir serves or has ended");
  if (code !== undefined) return { code, said };
  return {
    url: /weir listens on (\S+)/.exec(said)?.[1] ?? "",
    said: () => said,
    async [Symbol.asyncDispose]() {
      stop?.();
      await ended;
    },
  };
}

async function serving(env: Record<string, string>, args: readonly string[] = []): Promise<Served> {
  const started = await serve(env, args);
  if ("code" in started) throw new Error(`weir ended with ${started.code}: ${started.said}`);
  return started;
}

const send = (weir: Served, method: string, path: string, body?: string): Promise<Response> =>
  fetch(weir.url + path, {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${ADMIN_KEY}` },
    ...(body === undefined ? {} : { body }),
  });

const chat = (weir: Served, model?: string): Promise<Response> =>
  send(
    weir,
    "POST",
    "/v1/chat/completions",
    JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  );

const upstreamAt = (fake: { readonly url: string }, name: string, key: string): string =>
  JSON.stringify({
    name,
    targets: [
      {
        host: "127.0.0.1",
        port: Number(new URL(fake.url).port),
        protocol: "http",
        default_model: "gpt-4o",
        credentials: { header_name: "Authorization", header_value: `Bearer ${key}` },
      },
    ],
  });

describe("an upstream made over HTTP", () => {
  test("as TrustGate's sample has it shares 60 to 40, never more than two in a row, and keeps models to their targets", async () => {
    using folder = makeFolder();
    const fake = startFake();
    await using weir = await serving(
      {
        WEIR_ADMIN_KEY: ADMIN_KEY,
        WEIR_ADMIN_STATE_FILE: folder.file,
        OPENAI_API_KEYS: "sk-file-0000000000000001",
        ANTHROPIC_API_KEYS: "sk-file-0000000000000002",
      },
      ["https://api.openai.com", "https://api.anthropic.com"].flatMap((origin) => [
        "--connect-to",
        `${origin}=${fake.url}`,
      ]),
    );
    expect((await send(weir, "POST", UPSTREAMS, SAMPLE)).status).toBe(201);
    const asked = () => fake.ledger.calls().filter(({ path }) => path.endsWith("/chat/completions"));
    for (let count = 0; count < 100; count += 1)
      expect((await chat(weir, "weighted-upstream")).status).toBe(200);
    const order = asked().map(({ key, model }) => `${key} ${model}`);
    const openai = "your-openai-key gpt-4o-mini";
    expect(order.filter((each) => each === openai)).toHaveLength(60);
    expect(order.filter((each) => each === "your-anthropic-key claude-3-5-sonnet-20241022")).toHaveLength(40);
    expect(order.some((each, at) => each === order[at + 1] && each === order[at + 2])).toBe(false);
    for (let count = 0; count < 5; count += 1) await chat(weir, "gpt-3.5-turbo");
    expect(
      asked()
        .slice(100)
        .map(({ key }) => key),
    ).toEqual(Array<string>(5).fill("your-openai-key"));
    await fake.stop();
  });

  test("serves at once, after a restart, and until it is removed", async () => {
    using folder = makeFolder();
    const fake = startFake();
    const env = { WEIR_ADMIN_KEY: ADMIN_KEY, WEIR_ADMIN_STATE_FILE: folder.file };
    let path = "";
    {
      await using weir = await serving(env);
      expect((await chat(weir, "pool")).status).toBe(404);
      const made = await send(weir, "POST", UPSTREAMS, upstreamAt(fake, "pool", "sk-first-00000000000001"));
      path = made.headers.get("location") ?? "";
      expect((await chat(weir, "pool")).status).toBe(200);
      expect(
        (await send(weir, "PUT", path, upstreamAt(fake, "pool", "sk-second-0000000000002"))).status,
      ).toBe(200);
      expect((await chat(weir, "pool")).status).toBe(200);
    }
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
    await using weir = await serving(env);
    expect((await chat(weir, "pool")).status).toBe(200);
    const keys = fake.ledger
      .calls()
      .filter(({ path: asked }) => asked.endsWith("/chat/completions"))
      .map(({ key }) => key);
    expect(keys).toEqual(["sk-first-00000000000001", "sk-second-0000000000002", "sk-second-0000000000002"]);
    expect((await send(weir, "DELETE", path)).status).toBe(204);
    expect((await chat(weir, "pool")).status).toBe(404);
    expect(weir.said()).not.toContain("sk-");
    await fake.stop();
  });

  test("stays when weir would be left with nothing to serve", async () => {
    using folder = makeFolder();
    const fake = startFake();
    const body = JSON.parse(upstreamAt(fake, "pool", "sk-first-00000000000001")) as object;
    writeFileSync(
      folder.file,
      JSON.stringify({ version: 1, upstreams: [{ id: "last", revision: 1, body }] }),
    );
    await using weir = await serving({ WEIR_ADMIN_STATE_FILE: folder.file });
    const refused = await send(weir, "DELETE", `${UPSTREAMS}/last`);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("expected a backend to be left");
    expect((await chat(weir, "pool")).status).toBe(200);
    expect((await send(weir, "GET", `${UPSTREAMS}/last`)).status).toBe(200);
    await fake.stop();
  });
});

test("a state file that is broken is told, and nothing starts", async () => {
  using folder = makeFolder();
  writeFileSync(
    folder.file,
    '{"version": 1, "upstreams": [{"id": "a", "revision": 1, "body": {"name": "x"}}]}',
  );
  const ended = await serve({
    WEIR_ADMIN_STATE_FILE: folder.file,
    OPENAI_API_KEYS: "sk-file-0000000000000001",
  });
  expect(ended).toEqual({
    code: 78,
    said: `cannot read admin.state_file ${folder.file} upstream a targets: expected a list of at least 1, found nothing\n`,
  });
});
