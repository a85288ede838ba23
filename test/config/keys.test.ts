import { describe, expect, test } from "bun:test";
import { PROVIDERS } from "../../src/config/providers.ts";
import { backendsOf, configOf, K1, K2, K3, load, problemsOf, shape, warningsOf } from "./load-env.ts";

const keysOf = (env: Record<string, string>, files?: Record<string, string>) =>
  backendsOf(env, files === undefined ? {} : { files }).map(
    ({ credential, weight }) => `${credential.secret?.reveal()}*${weight}`,
  );

describe("P_API_KEYS", () => {
  test.each(
    PROVIDERS.filter(({ origin }) => origin !== undefined).flatMap((p) =>
      p.prefixes.map((x) => [x, p] as const),
    ),
  )("%s_API_KEYS makes one backend a key at the provider's own address", (prefix, provider) => {
    const backends = backendsOf({ [`${prefix}_API_KEYS`]: `${K1},${K2}` });
    const route = provider.families[provider.main];
    expect(shape(backends, provider.main)).toEqual(
      [K1, K2].map((k) => `${k}@${provider.origin}${route?.path}*1`),
    );
    for (const backend of backends) {
      expect(backend).toMatchObject({
        provider: provider.name,
        kind: "hosted",
        ownAddress: false,
        priority: 1,
        models: [],
      });
      expect(Object.keys(backend.endpoints).sort()).toEqual(Object.keys(provider.families).sort());
      expect(backend.endpoints[provider.main]?.key).toEqual(route?.key as never);
    }
  });

  test("trims blanks and drops empties and duplicates; the first place counts", () => {
    expect(keysOf({ OPENAI_API_KEYS: ` ${K1} ,, ${K2}*2 ,${K1}*5,` })).toEqual([`${K1}*1`, `${K2}*2`]);
  });

  test("may be separated by line ends too", () => {
    expect(keysOf({ OPENAI_API_KEYS: `${K1}\n${K2}*2\r\n\n${K3},` })).toEqual([
      `${K1}*1`,
      `${K2}*2`,
      `${K3}*1`,
    ]);
  });

  test.each([
    ["*3", 3],
    ["*0.5", 0.5],
    ["*.5", 0.5],
    [" * 2 ", 2],
    ["*0", 0],
    ["", 1],
  ])("reads the weight of key%p as %d", (suffix, weight) => {
    expect(keysOf({ OPENAI_API_KEYS: K1 + suffix })).toEqual([`${K1}*${weight}`]);
  });

  test.each(["*-1", "*x", "*", "**2", "*1e3", "*2*3", "*Infinity", "*NaN"])(
    "refuses the weight of key%p",
    (suffix) => {
      const problems = problemsOf({ OPENAI_API_KEYS: K1 + suffix });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toStartWith(
        "cannot read OPENAI_API_KEYS: expected a weight of 0 or more after the star, found ***",
      );
    },
  );

  test.each([
    [`"${K1}"`, "a key without quotes around it"],
    [`'${K1}'`, "a key without quotes around it"],
    [`Bearer ${K1}`, "a key without blanks in it"],
    [`${K1}\u00a0x`, "a key without blanks in it"],
    [`sk-\u0007${K1}`, "a key without control characters"],
    [`sk-\u200b${K1}`, "a key of plain characters only (Latin-1)"],
    [`sk-…${K1}`, "a key of plain characters only (Latin-1)"],
    ["${OPENAI_KEY}", "the key itself (a reference like ${NAME} is not expanded here)"],
    ["$OPENAI_KEY", "the key itself (a reference like ${NAME} is not expanded here)"],
    ["*3", "a key before the star"],
  ])("refuses %p", (text, expected) => {
    const [problem = "", ...others] = problemsOf({ OPENAI_API_KEYS: text });
    expect(problem).toStartWith(`cannot read OPENAI_API_KEYS: expected ${expected}, found ***`);
    expect(others).toEqual([]);
  });

  test("accepts Latin-1, which a header can carry", () => {
    expect(keysOf({ OPENAI_API_KEYS: "clé-secrète" })).toEqual(["clé-secrète*1"]);
  });

  test("names which one of several is wrong, and all that are", () => {
    expect(problemsOf({ OPENAI_API_KEYS: `${K1},a b,${K2}*x` })).toEqual([
      "cannot read OPENAI_API_KEYS: expected a key without blanks in it, found key 2 ***",
      "cannot read OPENAI_API_KEYS: expected a weight of 0 or more after the star, found key 3 ***22*x",
    ]);
  });

  test("set to nothing counts as not set", () => {
    expect(load({ OPENAI_API_KEYS: "" }).kind).toBe("empty");
    expect(load({ OPENAI_API_KEYS: " , ," }).kind).toBe("empty");
    expect(keysOf({ OPENAI_API_KEYS: "", OPENAI_API_KEY: K1 })).toEqual([`${K1}*1`]);
  });
});

describe("P_API_KEY", () => {
  test("is used alone", () => {
    expect(keysOf({ OPENAI_API_KEY: ` ${K1} ` })).toEqual([`${K1}*1`]);
  });

  test("is not used beside P_API_KEYS or a file: it may be a dummy for the SDK", () => {
    expect(keysOf({ OPENAI_API_KEY: "dummy", OPENAI_API_KEYS: K1 })).toEqual([`${K1}*1`]);
    expect(keysOf({ OPENAI_API_KEY: "dummy", OPENAI_API_KEYS_FILE: "k" }, { k: K2 })).toEqual([`${K2}*1`]);
    expect(problemsOf({ OPENAI_API_KEY: "dum my", OPENAI_API_KEYS: K1 })).toEqual([]);
  });

  test("holds one key only", () => {
    expect(problemsOf({ OPENAI_API_KEY: `${K1},${K2}` })).toEqual([
      "cannot read OPENAI_API_KEY: expected one key; several go into OPENAI_API_KEYS, found 2 parts",
    ]);
  });
});

describe("P_API_KEYS_FILE", () => {
  const env = { OPENAI_API_KEYS_FILE: "/run/keys" };

  test("has one key a line, with weights, comments and blank lines", () => {
    const text = `\ufeff# team\r\n${K1}*3\r\n\r\n  ${K2}  # second\n#${K3}\n`;
    expect(keysOf(env, { "/run/keys": text })).toEqual([`${K1}*3`, `${K2}*1`]);
  });

  test("is watched", () => {
    expect(configOf(env, { files: { "/run/keys": K1 } }).watched).toEqual(["/run/keys"]);
    expect(
      configOf({ OPENAI_API_KEYS_FILE: "keys" }, { files: { "/w/keys": K1 }, cwd: "/w" }).watched,
    ).toEqual(["/w/keys"]);
  });

  test("and P_API_KEYS are used together, without duplicates", () => {
    expect(keysOf({ ...env, OPENAI_API_KEYS: K1 }, { "/run/keys": `${K2}\n${K1}*9` })).toEqual([
      `${K1}*1`,
      `${K2}*1`,
    ]);
  });

  test("that is missing or has no key is a problem, and is watched all the same", () => {
    expect(problemsOf({ ...env, OPENAI_API_KEYS: K1, OPENAI_API_KEY: K2 })).toEqual([
      'cannot read OPENAI_API_KEYS_FILE: expected a readable file, found "/run/keys" (no such file)',
    ]);
    expect(load(env)).toMatchObject({ kind: "problems", watched: ["/run/keys"] });
    expect(problemsOf(env, { files: { "/run/keys": "# none\n\n" } })).toEqual([
      'cannot read OPENAI_API_KEYS_FILE: expected a file with one key a line, found "/run/keys" (no key in it)',
    ]);
  });

  test("names the line of a bad key", () => {
    expect(problemsOf(env, { files: { "/run/keys": `${K1}\nOPENAI KEY\n` } })).toEqual([
      "cannot read /run/keys:2: expected a key without blanks in it, found ***",
    ]);
  });
});

describe("GOOGLE and GEMINI", () => {
  test("are one provider, with either prefix", () => {
    expect(backendsOf({ GOOGLE_API_KEYS: K1 })[0]?.id).toBe(
      backendsOf({ GEMINI_API_KEY: K1 })[0]?.id as string,
    );
  });

  test("are used together when both are set, which is said", () => {
    const env = { GOOGLE_API_KEYS: K1, GEMINI_API_KEYS: `${K2},${K1}` };
    expect(keysOf(env)).toEqual([`${K1}*1`, `${K2}*1`]);
    expect(warningsOf(env)).toEqual(["GOOGLE_API_KEYS and GEMINI_API_KEYS are both set, and used together"]);
    expect(warningsOf({ GOOGLE_API_KEY: K1, GEMINI_API_KEY: K1 })).toEqual([]);
  });

  test("know a single key from a pool across the two", () => {
    expect(keysOf({ GOOGLE_API_KEY: "dummy", GEMINI_API_KEYS: K1 })).toEqual([`${K1}*1`]);
  });

  test("may not disagree about a limit", () => {
    expect(problemsOf({ GOOGLE_API_KEY: K1, GOOGLE_RPM: "5", GEMINI_RPM: "6" })).toEqual([
      "cannot read GEMINI_RPM: expected the same as GOOGLE_RPM (5), or only one of them, found 6",
    ]);
    expect(backendsOf({ GOOGLE_API_KEY: K1, GEMINI_RPM: "6" })[0]?.credential.limits).toEqual({
      requestsPerMinute: 6,
    });
  });
});

describe("limits and models", () => {
  test("limits are carried into each key", () => {
    const env = {
      OPENAI_API_KEYS: `${K1},${K2}`,
      OPENAI_RPM: "60",
      OPENAI_TPM: "100000",
      OPENAI_RPD: "7",
      OPENAI_TPD: "8",
    };
    for (const { credential, limits } of backendsOf({ ...env, OPENAI_CONCURRENCY: " 9 " })) {
      expect(credential.limits).toEqual({
        requestsPerMinute: 60,
        tokensPerMinute: 100_000,
        requestsPerDay: 7,
        tokensPerDay: 8,
        concurrency: 9,
      });
      expect(limits).toEqual({});
    }
  });

  test.each(["0", "-1", "1.5", "many", "1e3", "60/min"])("the limit %p is refused", (text) => {
    expect(problemsOf({ OPENAI_API_KEYS: K1, OPENAI_RPM: text })).toEqual([
      `cannot read OPENAI_RPM: expected a whole number, 1 or more, found "${text}"`,
    ]);
  });

  test("models are patterns, each once", () => {
    expect(backendsOf({ OPENAI_API_KEYS: K1, OPENAI_MODELS: "gpt-4*, o3,,gpt-4*" })[0]?.models).toEqual([
      "gpt-4*",
      "o3",
    ]);
  });

  test("OLLAMA_MODELS that is Ollama's own folder is no list of models", () => {
    const env = { OLLAMA_BASE_URL: "http://localhost:11434", OLLAMA_MODELS: "/srv/ollama/models" };
    expect(backendsOf(env)[0]?.models).toEqual([]);
    expect(warningsOf(env)).toEqual(["OLLAMA_MODELS is a path, not a list of models, and is ignored"]);
  });
});

const ids = (keys: string) =>
  backendsOf({ OPENAI_API_KEYS: keys }).map(({ id, credential }) => `${id} ${credential.id}`);

describe("identity", () => {
  test("of backends and keys does not depend on order, weights or neighbours", () => {
    const both = ids(`${K1},${K2}`);
    expect(ids(`${K2}*3,${K1}*0.5`)).toEqual(both.toReversed());
    expect(ids(K1)).toEqual(both.slice(0, 1));
    expect(new Set(both).size).toBe(2);
  });

  test("is a name and eight digits of a hash, today as tomorrow", () => {
    const [backend] = backendsOf({ OPENAI_API_KEYS: K1 });
    expect(backend?.id).toMatch(/^openai-[0-9a-f]{8}$/);
    expect(backend?.credential.id).toMatch(/^openai-key-[0-9a-f]{8}$/);
    expect([backend?.id, backend?.credential.id]).toEqual(["openai-4c51cd88", "openai-key-902d81d7"]);
  });

  test("tells the same key at two addresses, and two providers with one key, apart", () => {
    const two = backendsOf({ OPENAI_API_KEYS: K1, OPENAI_BASE_URLS: "http://a.test,http://b.test" });
    expect(new Set(two.map(({ id }) => id)).size).toBe(2);
    expect(new Set(two.map(({ credential }) => credential.id)).size).toBe(1);
    const ids = backendsOf({ OPENAI_API_KEY: K1, GROQ_API_KEY: K1 }).map(({ credential }) => credential.id);
    expect(new Set(ids).size).toBe(2);
  });

  test("shows no more of a key than its last four characters", () => {
    expect(backendsOf({ OPENAI_API_KEYS: `${K1},short` }).map(({ credential }) => credential.label)).toEqual([
      "***1111",
      "***",
    ]);
  });
});

test("providers stand in the order of the table, and each has a route over its backends", () => {
  const { pool } = configOf({
    MISTRAL_API_KEY: K1,
    OPENAI_API_KEYS: `${K1},${K2}*0`,
    ANTHROPIC_API_KEY: K1,
    UNSET: undefined,
  });
  expect(pool.providers.map(({ name, kind, main }) => [name, kind, main].join(" "))).toEqual([
    "openai hosted openai",
    "anthropic hosted anthropic",
    "mistral hosted openai",
  ]);
  expect(pool.providerRoutes.map(({ backendIds }) => backendIds.length)).toEqual([2, 1, 1]);
  expect(pool.providers[1]?.ownsModel("claude-opus-4-1")).toBe(true);
  expect(pool.providers[1]?.modelsRoute?.path).toBe("/models?limit=1000");
});
