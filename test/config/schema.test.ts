import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ownFormatSchema } from "../../src/config/own-format.ts";
import type { Option } from "../../src/config/option.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { EXAMPLE_ENV, EXAMPLE_PARTS } from "../support/example-parts.ts";
import { printExample, uncomment } from "../support/example.ts";
import { keysOf, type Schema } from "../support/schema-walk.ts";
import { problemsOf } from "./own-format.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/own-format.yaml"), "utf8");
const schema = JSON.parse(JSON.stringify(ownFormatSchema())) as Schema;
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);

/** What an editor would mark, as paths. */
const marks = (text: string): readonly string[] =>
  validate(parse(text))
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);

const setting = {
  env: { ...EXAMPLE_ENV, TEAM_TOKEN: "t" },
  files: { "/run/secrets/openai": "sk-f\n" },
};

describe("the schema of the configuration file", () => {
  test("has a sentence for every key", () => {
    const silent = keysOf(schema).filter(
      ({ schema: { description } }) => !/^[A-Z].*\.$/.test(description ?? ""),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("has every option of the table, with its own sentence", () => {
    const known = new Map(keysOf(schema).map(({ path, schema: { description } }) => [path, description]));
    for (const { key, sentence } of (OPTIONS as readonly Option[]).filter(({ key }) => key !== "webhooks"))
      expect(known.get(key)).toStartWith(sentence);
  });

  test("accepts the whole own format and the example", () => {
    expect(marks(SAMPLE)).toEqual([]);
    expect(marks(printExample())).toEqual([]);
    expect(marks(uncomment(printExample()))).toEqual([]);
  });
});

describe("the example file", () => {
  test("loads as it is printed", () => {
    expect(problemsOf(printExample())).toEqual([]);
  });

  test("loads with its comments taken in", () => {
    const all = uncomment(printExample());
    expect(problemsOf(all, setting)).toEqual([]);
    expect(parse(all)).toMatchObject(parse(EXAMPLE_PARTS) as object);
  });

  test("shows every key of the schema", () => {
    const shown = uncomment(printExample());
    const names = keysOf(schema).map(({ path }) => path.split(".").at(-1) ?? "");
    for (const name of new Set(names.filter((name) => name !== "$schema")))
      expect(shown).toMatch(new RegExp(`\\b${name}:`));
  });

  test("says the sentence of every key that it shows", () => {
    const example = printExample();
    const paths = keysOf(schema).filter(
      ({ path }) => path.startsWith("providers.*.") && !path.includes("limits."),
    );
    for (const {
      schema: { description },
    } of paths.filter(({ path }) => !/(api_key|base_url)\W/.test(path)))
      expect(example).toContain(description ?? "");
  });
});

describe("reader and schema", () => {
  test.each([
    "server: { port: 8080 }",
    "server: { port: '${PORT:-8080}' }",
    "server: { open: yes }",
    "server:",
    "access_keys: [a, b]",
    "access_keys: a",
    "strategy: Least_Used",
    "strategy: RoundRobin",
    "strategy: custom:./mine.ts",
    "retry: { budget: 20 % }",
    "timeouts: { idle: 1m30s }",
    "buffers: { request: 32 mib }",
    "providers: { openai: { api_key: 0123456 } }",
    "providers: { openai: { api_keys: [a, { key: b, weight: 0.5 }] } }",
    "providers: { openai: { api_keys: { key: b } } }",
    "providers: { gpu: { type: VLLM, base_url: 'http://h' } }",
    "providers: { gpu: { type: llama.cpp, base_urls: [{ url: 'http://h', weight: 2 }] } }",
    "routes: { r: { targets: [openai, { provider: p, priority: 2 }], affinity: 'header:X-User' } }",
    "routes: { r: { alias: a, hidden: true } }",
    "fallbacks: { a: b, c: [d, e] }",
    "webhooks: ['https://h.test', { url: 'https://h.test', events: [key] }]",
    "$schema: ./weir.schema.json",
  ])("both accept %s", (text) => {
    expect([problemsOf(text), marks(text)]).toEqual([[], []]);
  });

  test.each([
    "[]",
    "provider: {}",
    "server: 3",
    "server: { prot: 1 }",
    "server: { port: 70000 }",
    "server: { port: '8080' }",
    "server: { port: [1] }",
    "server: { port: }",
    "server: { open: on }",
    "server: { host: true }",
    "server: { allowed_hosts: [{ a: b }] }",
    "timeouts: { idle: 30 }",
    "timeouts: { idle: 30 seconds }",
    "buffers: { request: 32 }",
    "retry: { budget: 0.2 }",
    "log: { level: loud }",
    "strategy: fastest",
    "providers: []",
    "providers: { openai: k }",
    "providers: { openai: { api_keys: [{ weight: 2 }] } }",
    "providers: { openai: { api_keys: [{ key: k, weight: -1 }] } }",
    "providers: { openai: { api_key: k, limits: { rpm: 0 } } }",
    "providers: { openai: { api_key: k, limits: { rpm: 1.5 } } }",
    "providers: { gpu: { type: vlm, base_url: 'http://h' } }",
    "providers: { vllm: { base_urls: [{ weight: 2 }] } }",
    "providers: { vllm: { base_url: 'http://h', health_check: { interval: 30 } } }",
    "routes: { r: { targets: openai } }",
    "routes: { r: { targets: [] } }",
    "routes: { r: { targets: [{ model: m }] } }",
    "routes: { r: { targets: [p], affinity: sesion } }",
    "routes: { r: { targets: [{ provider: p, price: { input: 1 } }] } }",
    "fallbacks: [a]",
    "webhooks: { url: 'https://h' }",
    "webhooks: [{ format: slack }]",
    "webhooks: [{ url: 'https://h', events: [faliure] }]",
  ])("both refuse %s", (text) => {
    expect(problemsOf(text)).not.toEqual([]);
    expect(marks(text)).not.toEqual([]);
  });
});
