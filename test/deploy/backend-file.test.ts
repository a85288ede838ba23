// The file that tells weir of the services keeps what users wrote.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BackendFile, findBackendFile, removeRows, upsertRow } from "../../src/deploy/backend-file.ts";
import type { Row } from "../../src/deploy/row.ts";

const OWN: BackendFile = { path: "weir.yaml", form: "own" };
const LIST: BackendFile = { path: "self_deployed_config.yaml", form: "llmrouter" };

const row = (url: string, servedName = "qwen", engine: Row["engine"] = "vllm"): Row => ({
  url,
  servedName,
  engine,
});

function upserted(text: string, rows: readonly Row[], file = OWN): string {
  return rows.reduce((before, each) => {
    const edited = upsertRow(before, each, file);
    if (edited.kind === "flaw") throw new Error(edited.flaw);
    return edited.text;
  }, text);
}

function removed(text: string, urls: readonly string[], file = OWN): string {
  const edited = removeRows(text, new Set(urls), file);
  if (edited.kind === "flaw") throw new Error(edited.flaw);
  return edited.text;
}

const MINE = `# our weir
server: {port: 8080}   # the usual

providers:
  openai: { api_keys: ["\${OPENAI_API_KEYS}"] }   # hosted
  gpu:
    type: vllm
    base_urls:
    - "http://10.0.0.1:8000/v1"     # rack 1
    # the big one
    - { url: "http://10.0.0.2:8000/v1", weight: 2 }
    limits: { concurrency: 256 }


routes:
  qwen:
    targets: [gpu]
    affinity: session # keeps caches warm
`;

describe("a file in weir's own format", () => {
  test("that is not there gets a provider and a route", () => {
    expect(upserted("", [row("http://n1:30596/v1"), row("http://n2:30597/v1")])).toBe(`providers:
  vllm-qwen:
    type: vllm
    base_urls:
      - http://n1:30596/v1
      - http://n2:30597/v1
routes:
  qwen:
    targets:
      - vllm-qwen
`);
  });

  test("changes by the new line alone where a route leads to such a provider already", () => {
    expect(upserted(MINE, [row("http://10.0.0.3:8000/v1")])).toBe(
      MINE.replace("weight: 2 }\n", "weight: 2 }\n    - http://10.0.0.3:8000/v1\n"),
    );
  });

  test.each([
    ["beside the keys of maps", "routes:   # who asks\n  a:    # the old one\n    targets: [gpu]\n"],
    ["in wrapped lists", "routes:\n  a:\n    targets: [\n      gpu,  # first\n      openai\n    ]\n"],
    ["at the end of Windows' lines", "# mine\r\nroutes:   # who\r\n  a: {targets: [gpu]}\r\n"],
    ["around numbers that are printed otherwise", "routes: # x\n  a: { targets: [gpu], cost: 0.0000001 }\n"],
  ])("keeps comments and blanks %s where they are", (_, text) => {
    const whole = `providers:   # who is called\n  gpu: {type: vllm, base_url: "http://a:1"}\n${text}`;
    const after = upserted(whole, [row("http://n1:30596/v1")]);
    expect(after.split("\n")).toEqual(expect.arrayContaining(whole.split("\n")));
    expect(removed(after, ["http://n1:30596/v1"])).toBe(whole);
  });

  test("keeps every line of the documented example", () => {
    const example = readFileSync(join(import.meta.dir, "../fixtures/own-format.yaml"), "utf8");
    const after = upserted(example, [row("http://n1:30596/v1")]);
    expect(after.split("\n")).toHaveLength(example.split("\n").length + 7);
    expect(removed(after, ["http://n1:30596/v1"])).toBe(example);
  });

  test("that has the address already stays as it is, byte for byte", () => {
    expect(upserted(MINE, [row("http://10.0.0.2:8000/v1"), row("http://10.0.0.1:8000/v1/")])).toBe(MINE);
  });

  test("gets a provider of its own where the route's one is of another engine", () => {
    const after = upserted(MINE, [row("http://10.0.0.9:1/v1", "qwen", "sglang")]);
    expect(after).toContain("  sglang-qwen:\n    type: sglang\n    base_urls:\n    - http://10.0.0.9:1/v1\n");
    expect(after).toMatch(/targets: \[ ?gpu, sglang-qwen ?\]/);
  });

  test("moves an address to the model that it serves now, with its weight", () => {
    const after = upserted(MINE, [row("http://10.0.0.2:8000/v1", "llama")]);
    expect(after).toContain("  vllm-llama:\n    type: vllm\n    base_urls:\n");
    expect(after.match(/10\.0\.0\.2/g)).toHaveLength(1);
    expect(after.indexOf("weight: 2")).toBeGreaterThan(after.indexOf("vllm-llama"));
  });

  test("keeps one text with commas, and makes a list of it for a further address", () => {
    const text =
      "providers:\n  gpu: { type: vllm, base_url: 'http://a:1*2,http://b:1' }\nroutes: { qwen: { targets: [gpu] } }\n";
    expect(upserted(text, [row("http://b:1/v1")])).toBe(text);
    const after = upserted(text, [row("http://c:1/v1")]);
    expect(after).toContain("'http://a:1*2,http://b:1'");
    expect(after).toContain("http://c:1/v1");
    expect(removed(after, ["http://a:1/v1"])).toContain("'http://b:1'");
  });

  test("tells when a route is an alias and cannot lead to the service", () => {
    const edited = upsertRow("routes: { qwen: { alias: other } }\n", row("http://a:1/v1"), OWN);
    expect(edited).toMatchObject({ kind: "text", notes: [expect.stringContaining('the route "qwen"')] });
  });

  test("loses the addresses that are stopped, and what leads to nothing then", () => {
    const two = removed(MINE, ["http://10.0.0.1:8000/v1"]);
    expect(two).not.toContain("10.0.0.1");
    expect(two).toContain("# the big one");
    const none = removed(MINE, ["http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"]);
    expect(none).not.toContain("gpu");
    expect(none).not.toContain("qwen");
    expect(none).toContain("# hosted");
    expect(removed(MINE, ["http://10.0.0.7:8000/v1"])).toBe(MINE);
  });

  test("takes names that YAML would read as something else", () => {
    const name = `it's "a" $(touch x) \`y\`: #1 {z} \${HOME}`;
    const text = upserted("", [
      row("http://a:1/v1", name),
      row("http://b:1/v1", "null"),
      row("http://c:1/v1", "1.0"),
    ]);
    expect(Object.keys((Bun.YAML.parse(text) as { routes: object }).routes)).toEqual([name, "null", "1.0"]);
  });
});

const ROWS = `# LLMRouter's
model_list:
  - model_name: "qwen"
    litellm_params:
      model: "openai/qwen"
      api_base: "http://10.0.0.1:8000/v1"
      api_key: "dummy"
      supports_vision: true
      weight: 3.0        # twice the memory
      source_type: "self_deployed"
      rpm_limit: 120
`;

describe("a list of models", () => {
  test("keeps a row of the same address as users left it", () => {
    expect(upserted(ROWS, [row("http://10.0.0.1:8000/v1")], LIST)).toBe(ROWS);
  });

  test("gets LLMRouter's row for a new address", () => {
    expect(upserted(ROWS, [row("http://10.0.0.2:8000/v1", "Qwen3-VL")], LIST))
      .toBe(`${ROWS}  - model_name: Qwen3-VL
    litellm_params:
      model: openai/Qwen3-VL
      api_base: http://10.0.0.2:8000/v1
      api_key: dummy
      supports_vision: true
      weight: 1
      source_type: self_deployed
      rpm_limit: null
`);
  });

  test("has the new model's name where another one answers at an address", () => {
    const after = upserted(ROWS, [row("http://10.0.0.1:8000/v1", "llama")], LIST);
    expect(after).toBe(ROWS.replace('"qwen"', '"llama"').replace('"openai/qwen"', '"openai/llama"'));
  });

  test("loses rows by address", () => {
    expect(removed(ROWS, ["http://10.0.0.1:8000/v1"], LIST)).toBe("# LLMRouter's\nmodel_list: []\n");
  });

  test("gets LiteLLM's row where the file is LiteLLM's", () => {
    const after = upserted("model_list: []\n", [row("http://a:1/v1")], { path: "c.yaml", form: "litellm" });
    expect(after).toBe(`model_list:
  - model_name: qwen
    litellm_params:
      model: hosted_vllm/qwen
      api_base: http://a:1/v1
      api_key: dummy
`);
  });
});

describe("the backend file", () => {
  const found = (path: string, text?: string) => findBackendFile(path, () => text);

  test("is the named one, in the form that it has", () => {
    expect(found("/w/weir.yaml", MINE)).toEqual({
      kind: "file",
      file: { path: "/w/weir.yaml", form: "own" },
    });
    expect(found("/w/x.yaml", ROWS)).toEqual({
      kind: "file",
      file: { path: "/w/x.yaml", form: "llmrouter" },
    });
    const litellm = found("/w/x.yaml", `${ROWS}router_settings: {}\n`);
    expect(litellm).toEqual({ kind: "file", file: { path: "/w/x.yaml", form: "litellm" } });
  });

  test("is LLMRouter's own where the named one is LLMRouter's main file", () => {
    const main = "server: { port: 8000 }\nbackends: { config_dir: pool }\n";
    const path = "/w/pool/self_deployed_config.yaml";
    expect(found("/w/config.yaml", main)).toEqual({ kind: "file", file: { path, form: "llmrouter" } });
  });

  test("is made in weir's form, or in LLMRouter's by its name", () => {
    expect(found("/w/new.yaml")).toMatchObject({ file: { form: "own" } });
    expect(found("/w/self_deployed_x.yaml")).toMatchObject({ file: { form: "llmrouter" } });
  });

  test("that cannot be read or kept is told", () => {
    expect(found("/w/a.yaml", "a: [\n")).toMatchObject({
      kind: "flaw",
      flaw: expect.stringContaining("/w/a.yaml:"),
    });
    expect(found("/w/a.yaml", "- a\n")).toMatchObject({ kind: "flaw" });
    expect(found("/w/a.json", "{}")).toMatchObject({ kind: "flaw" });
  });
});
