import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCheck } from "../../src/commands/check.ts";
import { runCommand } from "../support/run-command.ts";

const check = (env: Record<string, string>, ...args: string[]) => runCommand(runCheck, env, args);

const ENV = {
  OPENAI_API_KEYS: "sk-one-AAAAAAAAAAAAAAAA1111,sk-two-BBBBBBBBBBBBBBBB2222*3,sk-three-CCCCCCCCCCCC3333*0",
  OPENAI_RPM: "60",
  OPENAI_MODELS: "gpt-4*",
  VLLM_BASE_URLS: "http://10.0.0.1:8000",
  WEIR_TIMEOUTS_IDLE: "90s",
  OPENAI_APIKEY: "x",
};

test("check prints every option with its origin, every backend with its key masked, and warnings", async () => {
  const { code, out, err } = await check(ENV, "--port", "81");
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^ {2}server\.port +81 +--port$/m);
  expect(out).toMatch(/^ {2}timeouts\.idle +90s +WEIR_TIMEOUTS_IDLE$/m);
  expect(out).toMatch(/^ {2}server\.host +127\.0\.0\.1 +default$/m);
  expect(out).toMatch(/^ {2}access_keys +\(none\) +default$/m);
  expect(out).toContain("  openai: 3 keys (OPENAI_API_KEYS), its own address\n");
  expect(out).toMatch(
    /^ {4}openai-[0-9a-f]{8} +https:\/\/api\.openai\.com\/v1 +key \*\*\*1111 +weight 1 +models gpt-4\*, rpm 60$/m,
  );
  expect(out).toMatch(/key \*\*\*2222 +weight 3/);
  expect(out).toMatch(/key \*\*\*3333 +drained/);
  expect(out).toContain("  vllm: no key, VLLM_BASE_URLS\n");
  expect(out).toContain("\nwarning: OPENAI_APIKEY is not read; did you mean OPENAI_API_KEY?\n");
  expect(out).not.toMatch(/AAAA|BBBB|CCCC/);
});

test("check prints switches and words as they were understood", async () => {
  const env = { ...ENV, WEIR_OPEN: "1", WEIR_STRATEGY: "Round_Robin", WEIR_LOG_LEVEL: "WARN" };
  const { out } = await check(env);
  expect(out).toMatch(/^ {2}server\.open +true +WEIR_OPEN$/m);
  expect(out).toMatch(/^ {2}strategy +smooth-weighted-round-robin +WEIR_STRATEGY$/m);
  expect(out).toMatch(/^ {2}log\.level +warn +WEIR_LOG_LEVEL$/m);
});

test("check prints every problem at once and exits with 78, or with 64 when the command line cannot be read", async () => {
  const env = { ...ENV, WEIR_PORT: "80a", OPENAI_RPM: "x" };
  const { code, out, err } = await check(env);
  expect([code, out]).toEqual([78, ""]);
  expect(err).toBe(
    "warning: OPENAI_APIKEY is not read; did you mean OPENAI_API_KEY?\n" +
      'cannot read WEIR_PORT: expected 0 to 65535, found "80a"\n' +
      'cannot read OPENAI_RPM: expected a whole number, 1 or more, found "x"\n',
  );
  const wrong = await check(env, "--prot", "1");
  expect(wrong.code).toBe(64);
  expect(wrong.err.split("\n")).toHaveLength(5);
  for (const args of [
    ["--port", "80a"],
    ["--config", "/nowhere/weir.yaml"],
  ])
    expect((await check({ OPENAI_API_KEY: "sk-1" }, ...args)).code).toBe(78);
  expect((await check({ OPENAI_API_KEY: "sk-1" }, "--json", "--port", "80a")).code).toBe(78);
});

test("check tells of a strategy that would keep weir from starting", async () => {
  const { code, err } = await check({ OPENAI_API_KEY: "sk-1" }, "--strategy", "custom:./no-such-strategy.ts");
  expect([code, err]).toEqual([
    78,
    'cannot read --strategy: expected a TypeScript or JavaScript file that loads, found "./no-such-strategy.ts": no such file\n',
  ]);
});

test("check without any backend says so and exits with 78", async () => {
  expect(await check({})).toEqual({
    code: 78,
    out: "",
    err: expect.stringContaining("no backend yet"),
  });
});

test("check --json prints the same for programs, always on standard output", async () => {
  const good = await check(ENV, "--json");
  const json = JSON.parse(good.out);
  expect([good.code, json.status]).toEqual([0, "ok"]);
  expect(json.options).toContainEqual({ key: "timeouts.idle", shown: "90s", origin: "WEIR_TIMEOUTS_IDLE" });
  expect(json.providers[0]).toMatchObject({ name: "openai", keys: 3, keysFrom: ["OPENAI_API_KEYS"] });
  expect(good.out).not.toMatch(/AAAA|BBBB|CCCC/);

  const bad = await check({ WEIR_PORT: "80a" }, "--json");
  expect([bad.code, bad.err]).toEqual([78, ""]);
  expect(JSON.parse(bad.out).problems).toEqual([
    {
      kind: "configuration",
      where: "WEIR_PORT",
      expected: "0 to 65535",
      found: '"80a"',
      message: 'cannot read WEIR_PORT: expected 0 to 65535, found "80a"',
    },
  ]);
  expect(JSON.parse((await check({}, "--json")).out).status).toBe("empty");
});

test("check reads key files and env files from the disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-check-"));
  try {
    writeFileSync(join(folder, "keys"), "sk-one-AAAAAAAAAAAAAAAA1111\n");
    writeFileSync(join(folder, "x.env"), `GROQ_API_KEYS_FILE=${join(folder, "keys")}\n`);
    const { code, out } = await check({}, "--env-file", join(folder, "x.env"));
    expect(code).toBe(0);
    expect(out).toContain(`groq: 1 key (${join(folder, "x.env")}:1 GROQ_API_KEYS_FILE)`);
    expect((await check({ GROQ_API_KEYS_FILE: folder })).err).toContain("(a directory)");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("check --help says what it is", async () => {
  const { code, out } = await check({ WEIR_PORT: "80a" }, "--help");
  expect([code, out]).toEqual([0, expect.stringContaining("weir check [--json]")]);
});

test("check --json gives the file, line, column and path of each problem in a file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-check-"));
  const file = join(folder, "weir.yaml");
  writeFileSync(file, "retry:\n  max: -1\n");
  const { out, code } = await check({ ...ENV, WEIR_PORT: "80a" }, "--json", "--config", file);
  expect(code).toBe(78);
  const { problems } = JSON.parse(out) as { problems: readonly object[] };
  expect(problems).toContainEqual(
    expect.objectContaining({ file, line: 2, column: 8, path: "retry.max", expected: "0 to 100" }),
  );
  expect(problems.find((each) => "where" in each && each.where === "WEIR_PORT")).not.toHaveProperty("file");
  rmSync(folder, { recursive: true });
});

test("check prints routes with their shares, aliases, and fallbacks of every kind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-check-"));
  const file = join(folder, "weir.yaml");
  writeFileSync(
    file,
    `providers: { openai: { api_key: sk-check-000000000001 }, groq: { api_key: gsk-check-0000000001 } }
routes:
  big: { targets: [{ provider: openai, weight: 3 }, { provider: groq, model: llama, priority: 2 }] }
  nick: { alias: big }
fallbacks: { big: [small] }
context_window_fallbacks: { big: [long] }
`,
  );
  const { out, code } = await check({}, "--config", file);
  expect(code).toBe(0);
  expect(out).toContain(`  big: least-used (${file}:3:3 routes.big)\n`);
  expect(out).toMatch(/^ {4}openai-\w+ +weight 3 +priority 1$/m);
  expect(out).toMatch(/^ {4}groq-\w+ +weight 1 +priority 2 +as llama$/m);
  expect(out).toMatch(/^aliases\n {2}nick {2}big$/m);
  expect(out).toMatch(/^fallbacks\n {2}big {2}on failure +small\n {2}big {2}on context window {2}long$/m);
  rmSync(folder, { recursive: true });
});
