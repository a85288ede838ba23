import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runExplain } from "../../src/commands/explain.ts";
import { runCommand } from "../support/run-command.ts";
import { openFake } from "../support/configured.ts";
import { startWeir } from "../support/weir.ts";

const explain = (env: Record<string, string>, ...args: string[]) => runCommand(runExplain, env, args);

const KEY = "sk-canary-key-0123456789-one";
const SECOND = "sk-canary-key-0123456789-two";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };

describe("weir explain, from the configuration", () => {
  test("tells route, strategy, order, drained weights, lower priorities and fallbacks, and no key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "weir-explain-"));
    const file = join(folder, "weir.yaml");
    writeFileSync(
      file,
      `providers:
  openai: { api_keys: [{ key: "${KEY}", weight: 3, limits: { rpm: 60 } }, { key: "${SECOND}", weight: 0 }] }
  groq: { api_key: gsk-second-key-000000000001 }
routes:
  gpt-4o: { strategy: weighted, targets: [openai, { provider: groq, model: llama, priority: 2 }] }
  chat: { alias: gpt-4o }
fallbacks: { gpt-4o: [claude-sonnet-4-5] }
`,
    );
    const { code, out, err } = await explain({}, "chat", "--config", file);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /^chat: 1 backend can serve it now; smooth-weighted-round-robin would likely take openai-/,
    );
    expect(out).toContain("found by alias for gpt-4o: route gpt-4o, strategy smooth-weighted-round-robin\n");
    expect(out).toMatch(/1\. {2}openai-\w+ .* as gpt-4o +untried +weight 3, 100 % +rpm 60 of 60 left/);
    expect(out).toMatch(/groq-\w+ .* as llama +priority 2: used only when nobody of priority 1 can be/);
    expect(out).toMatch(/openai-\w+ .* weight 0: drained, gets nothing new/);
    expect(out).not.toContain("canary");
    const json = await explain({}, "gpt-4o", "--json", "--config", file);
    expect(JSON.parse(json.out)).toMatchObject({
      resolution: { by: "route", route: "gpt-4o" },
      fallbacks: ["claude-sonnet-4-5"],
    });
    rmSync(folder, { recursive: true });
  });

  test("of a model that nobody serves tells near names, exit 1", async () => {
    const { code, out } = await explain({ OPENAI_API_KEYS: KEY, OPENAI_MODELS: "gpt-4o,gpt-4.1" }, "gpt-4oo");
    expect(code).toBe(1);
    expect(out).toStartWith("gpt-4oo: 404 model_not_found");
    expect(out).toContain("near names: gpt-4o");
  });

  test("without a model, or with a wrong option, is wrong usage", async () => {
    expect((await explain({ OPENAI_API_KEYS: KEY })).code).toBe(64);
    expect((await explain({ OPENAI_API_KEYS: KEY }, "m", "--fmaily", "x")).code).toBe(64);
  });

  test("of a wrong configuration tells its problems", async () => {
    const { code, err } = await explain({ OPENAI_API_KEYS: KEY, WEIR_PORT: "80a" }, "m");
    expect([code, err]).toEqual([78, 'cannot read WEIR_PORT: expected 0 to 65535, found "80a"\n']);
  });
});

describe("weir explain --url", () => {
  test("asks a running weir, which knows who rests and whose limit is used up", async () => {
    await using fake = openFake({
      rules: [{ match: { key: KEY }, do: { error: "rate_limit", retry_after: "40s" } }],
    });
    await using weir = startWeir({
      adminKey: "admin-key-0123456789",
      providers: [
        {
          name: "openai",
          urls: [fake.url],
          keys: [KEY, SECOND],
          adjust: (backend) => ({
            ...backend,
            credential: { ...backend.credential, limits: { requestsPerMinute: 2 } },
          }),
        },
      ],
    });
    for (let sent = 0; sent < 2; sent += 1)
      await (await weir.post("/v1/chat/completions", CHAT)).arrayBuffer();
    const env = { WEIR_ADMIN_KEY: "admin-key-0123456789" };
    const told = await explain(env, "gpt-4o", "--url", `${weir.url}/v1/`);
    expect(told.err).toBe("");
    expect(told.out).toMatch(/rests \d+ s: 429/);
    expect(told.out).toMatch(/limited: rpm of the key is used up, free in \d+ s/);
    expect([told.code, told.out.includes("canary")]).toEqual([1, false]);
    expect((await explain({}, "gpt-4o", "--url", weir.url)).err).toContain("weir asks for its admin key");
    expect((await explain(env, "gpt-4o", "--url", "http://127.0.0.1:1")).err).toContain("no weir answers at");
  });

  test("tells why the key rests, though another family has one provider only", async () => {
    await using fake = openFake({
      rules: [{ match: { key: KEY }, do: { error: "rate_limit", retry_after: "40s" } }],
    });
    await using weir = startWeir({
      providers: [
        { name: "openai", urls: [fake.url], keys: [KEY] },
        { name: "vllm", urls: [fake.url] },
      ],
    });
    await (await weir.post("/v1/chat/completions", CHAT)).arrayBuffer();
    const host = weir.url.replace("http://", "");
    const told = await explain({}, "gpt-4o", "--url", host);
    expect([told.code, told.err]).toEqual([1, ""]);
    expect(told.out).toMatch(/openai-.* rests \d+ s: 429/);
    expect(told.out).not.toContain("vllm");
    const unknown = await explain({}, "no-such-model", "--url", host);
    expect(unknown.out).toContain("found by only provider, for calls of the anthropic family: route vllm");
    expect(unknown.out).toMatch(/vllm-\S+ +http:\S+ +no key /);
  });
});
