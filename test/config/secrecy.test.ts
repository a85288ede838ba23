import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatProblem } from "../../src/config/problem.ts";
import { PROVIDERS } from "../../src/config/providers.ts";
import { load } from "./load-env.ts";

/** Letters that neither our messages nor our hashes have five of in a row. */
const CHARS = "Q Z X J K V W Y q z x j k v w y".split(" ");
const key = fc
  .array(fc.constantFrom(...CHARS), { minLength: 5, maxLength: 60 })
  .map((chars) => chars.join(""));

/** What people do to keys. */
const written = fc.constantFrom<(key: string) => string>(
  (key) => key,
  (key) => `${key}*3`,
  (key) => `${key}*-1`,
  (key) => `a*${key}`,
  (key) => `${key}*`,
  (key) => `"${key}"`,
  (key) => `'${key}`,
  (key) => `Bearer ${key}`,
  (key) => `${key}\u0007`,
  (key) => `${key}…`,
  (key) => `\${${key}}`,
  (key) => `${key},${key}x y`,
  (key) => `OPENAI_API_KEY=${key} z`,
  (key) => `http://user:${key}@gw.test/v1`,
  (key) => `http://gw.test/v1?key=${key}`,
  (key) => `http://gw.test/v1#${key}`,
  (key) => `${key}:${key}@gw.test`,
);

const prefix = fc.constantFrom(...PROVIDERS.flatMap(({ prefixes }) => prefixes));
const place = fc.oneof(
  fc.tuple(prefix, fc.constantFrom("API_KEYS", "API_KEY")).map((parts) => parts.join("_")),
  fc.constantFrom("WEIR_ACCESS_KEYS", "WEIR_ADMIN_KEY", "OPENAI_BASE_URL", "VLLM_BASE_URLS"),
  fc.constantFrom("OPENAI_API_KEYZ", "WEIR_ACCES_KEYS"),
);

/** Any five characters of it in a row. */
const leaks = (shown: string, key: string) =>
  Array.from({ length: key.length - 4 }, (_, at) => key.slice(at, at + 5)).some((part) =>
    shown.includes(part),
  );

const shownOf = (loaded: ReturnType<typeof load>): string => {
  switch (loaded.kind) {
    case "config":
      return JSON.stringify([loaded.resolved, loaded.config]) + Bun.inspect(loaded, { depth: 20 });
    case "problems":
      return JSON.stringify(loaded) + loaded.problems.map(formatProblem).join("\n");
    case "empty":
      return JSON.stringify(loaded);
  }
};

test("no more than four characters of a key are in any problem, warning or resolved text", () => {
  const entries = fc.array(fc.tuple(place, written, fc.boolean()), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(key, entries, (key, entries) => {
      const env: Record<string, string> = {
        OPENAI_API_KEY: "sk-fine",
        AZURE_OPENAI_ENDPOINT: "https://x.test",
      };
      const files: Record<string, string> = {};
      for (const [name, write, inFile] of entries) {
        if (!inFile || !name.endsWith("_API_KEYS")) env[name] = write(key);
        else {
          env[`${name}_FILE`] = `/run/${name}`;
          files[`/run/${name}`] = `# keys\n${write(key)}\n`;
        }
      }
      env["HTTPS_PROXY"] = `http://user:${key}@proxy.test`;
      if (key.length > 20) env["WEIR_UPSTREAM_PROXY"] = `${key}:${key}@proxy.test:1`;
      const argv = ["--env-file", "x.env"];
      files["x.env"] = `GROQ_API_KEYS="${key}\n"${key}\n${key}\nexport ${key}`;
      expect(leaks(withoutProxies(shownOf(load(env, { argv, files }))), key)).toBe(false);
      delete files["x.env"];
      expect(leaks(withoutProxies(shownOf(load(env, { files }))), key)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

/** Backend.proxyUrl must carry the password; no display takes it from there. */
const withoutProxies = (text: string) => text.replaceAll(/"?proxyUrl"?: ?"[^"]*"/g, "");
