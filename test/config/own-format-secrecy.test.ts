import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { readOwn } from "./own-format.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/own-format.yaml"), "utf8");
const ENV = {
  TEAM_TOKEN: "t",
  OPENAI_API_KEYS: "a",
  BIG_KEY: "b",
  AZURE_KEY: "c",
  WECOM_URL: "https://w.test",
};

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
const HEX = Array.from("0123456789abcdef");
const run = (letters: readonly string[], minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength, maxLength }).map((chars) => chars.join(""));

/** As providers make them. */
const key = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("sk-", "sk-proj-", "sk-ant-api03-", "gsk_", "AIza", "xai-", "hf_", ""),
      run(LETTERS, 24, 60),
    )
    .map((parts) => parts.join("")),
  run(HEX, 32, 64),
);

/** What people do to keys. */
const written = fc.constantFrom<(key: string) => string>(
  (key) => key,
  (key) => `"${key}"`,
  (key) => `'${key}`,
  (key) => `"${key}`,
  (key) => `${key}: x`,
  (key) => `{ ${key}: 1 }`,
  (key) => `[${key}, ${key}]`,
  (key) => `{ key: ${key}, ${key}: ${key} }`,
  (key) => `Bearer ${key}`,
  (key) => `!${key} x`,
  (key) => `&${key} x`,
  (key) => `*${key}`,
  (key) => `${key}*-1`,
  (key) => `"\${${key}"`,
  (key) => `"\${${key}-x}"`,
  (key) => `"${key} \${CANARY}"`,
  () => `"\${CANARY}"`,
  (key) => `"\${CANARY:-${key}}"`,
  (key) => `http://u:${key}@h.test`,
  (key) => `http://h.test/?key=${key}`,
  (key) => `|\n ${key}`,
  (key) => `@${key}`,
  (key) => `"\\${key}"`,
);

/** Any eight characters of it in a row, and none of the four at its end that masks may show. */
const leaks = (shown: string, key: string) =>
  Array.from({ length: key.length - 7 }, (_, at) => key.slice(at, at + 8)).some((part) =>
    shown.includes(part),
  );

const RUNS = Number(process.env["WEIR_FUZZ"] ?? 1000);

test(
  "no key that went astray in a file is in any problem or warning",
  () => {
    const lines = SAMPLE.split("\n");
    const at = fc.nat({ max: lines.length - 1 });
    fc.assert(
      fc.property(
        key,
        written,
        at,
        fc.constantFrom("value", "key", "line", "word"),
        (key, write, at, how) => {
          const line = lines[at] ?? "";
          const text = write(key);
          const changed = {
            value: line.replace(/:.*$/, `: ${text}`),
            key: line.replace(/[\w"/*-]+:/, `${text}:`),
            line: text,
            word: line.replace(/[\w./-]+(?=[ ,\]}"]*$)/, text),
          }[how];
          const env = { ...ENV, CANARY: key };
          const files = { "/run/secrets/openai": `${key} x\n` };
          const { problems, warnings } = readOwn(lines.with(at, changed).join("\n"), { env, files });
          expect(leaks([...problems, ...warnings].join("\n"), key)).toBe(false);
        },
      ),
      { numRuns: RUNS },
    );
  },
  Math.max(60_000, RUNS * 20),
);

test("no secret is in what a draft prints of itself", () => {
  const text =
    "providers: { openai: { api_key: secret-key-of-ours } }\nwebhooks: ['https://w.test/secret-key-of-ours']";
  const { draft } = readOwn(text);
  expect(draft?.providers).toHaveLength(1);
  expect(Bun.inspect(draft, { depth: 20 }) + JSON.stringify(draft)).not.toContain("secret-key");
});
