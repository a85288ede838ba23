import { describe, expect, test } from "bun:test";
import { optionOf, providersOf, readForeign, routeOf, targetsOf } from "./dialect-draft.ts";

const withKeys = (keys: string, further = "") =>
  readForeign(
    `providers:\n  p: { type: openai, base_url: "https://x.example/v1", ${keys} }\n` +
      `models:\n  m: { providers: [{ provider: p, model: up }] }\n${further}`,
    { env: { LIST: "a,b" } },
  );

const said = ({ warnings }: { readonly warnings: readonly string[] }) => warnings;

describe("LMRouter's keys", () => {
  test.each(["api_key", "keys"])("under %s are a text, a list, or rows with weights", (name) => {
    const keys = (value: string) => providersOf(withKeys(`${name}: ${value}`));
    expect(keys("k1")).toEqual(["p (openai https://x.example/v1): k1*1"]);
    expect(keys("[k1, k2]")).toEqual(["p (openai https://x.example/v1): k1*1 k2*1"]);
    expect(keys("[{ key: k1, weight: 5 }, { api_key: k2 }, k3]")).toEqual([
      "p (openai https://x.example/v1): k1*5 k2*1 k3*1",
    ]);
    expect(keys("{ key: k1, weight: 2 }")).toEqual(["p (openai https://x.example/v1): k1*2"]);
    expect(keys('"${LIST}"')).toEqual(["p (openai https://x.example/v1): a*1 b*1"]);
  });

  test("in any order of their fields, and alike at both ends, are told apart", () => {
    expect(
      providersOf(
        withKeys("keys: [{ weight: 3, key: sk-proj-AA-1111 }, { weight: 1, api_key: sk-proj-BB-1111 }]"),
      ),
    ).toEqual(["p (openai https://x.example/v1): sk-proj-AA-1111*3 sk-proj-BB-1111*1"]);
  });

  test("of api_key that keys has too are there once, with the weight of keys", () => {
    expect(providersOf(withKeys("api_key: k1, keys: [{ api_key: k1, weight: 3 }, { api_key: k2 }]"))).toEqual(
      ["p (openai https://x.example/v1): k1*3 k2*1"],
    );
  });

  test("that are missing, broken or of negative weight are told where they stand", () => {
    expect(withKeys("keys: [{ weight: 3 }]").problems).toEqual([
      "cannot read f.yaml:2:63 providers.p.keys[0]: expected key, and weight if it is not 1, found a key without its text",
    ]);
    expect(withKeys("keys: [{ key: k, weight: -1 }]").problems).toHaveLength(1);
    expect(withKeys('api_key: "${UNSET}"').problems).toHaveLength(1);
    expect(
      readForeign("providers: { p: { type: openai } }\nmodels: { m: { providers: [] } }\n").problems,
    ).toHaveLength(2);
  });

  test("in a mis-indented file name the line and column", () => {
    const read = readForeign(
      "providers:\n  p:\n    type: openai\n    keys:\n      - api_key: k1\n         weight: 1\nmodels: {}\n",
    );
    expect(read.problems[0]).toMatch(/^cannot read f\.yaml:[56]:\d+/);
  });
});

describe("LMRouter's types", () => {
  test.each([
    ["openai", "openai"],
    ["anthropic", "anthropic"],
    ["google", "google"],
    ["fireworks", "fireworks"],
  ])("%s is the table's %s", (type, base) => {
    const read = readForeign(
      `providers: { p: { type: ${type}, api_key: k } }\nmodels: { m: { providers: [{ provider: p }] } }\n`,
    );
    expect(read.problems).toEqual([]);
    expect(read.draft.providers[0]).toMatchObject({
      base: { name: base },
      colonPrefix: true,
      isOffered: false,
    });
  });

  test("that it does not know are refused with the nearest", () => {
    const read = readForeign(
      "providers: { p: { type: opnai, api_key: k } }\nmodels: { m: { providers: [{ provider: p }] } }\n",
    );
    expect(read.problems).toEqual([
      'cannot read f.yaml:1:25 providers.p.type: expected a type: openai, anthropic, google, fireworks (did you mean openai?), found "opnai"',
    ]);
  });
});

describe("LMRouter's models", () => {
  test("rename, weigh, and pass unknown names on", () => {
    const read = readForeign(
      "providers: { a: { type: openai, api_key: k }, B: { type: openai, api_key: l } }\n" +
        'models:\n  m: { providers: [{ provider: a, model: x, weight: 3 }, { model: y, provider: B }] }\n  "*": { providers: [{ provider: a, model: "" }] }\n',
    );
    expect(targetsOf(read, "m")).toEqual(["a x*3", "b y*1"]);
    expect(targetsOf(read, "*")).toEqual(["a =*1"]);
    expect(routeOf(read, "*").targets[0]).not.toHaveProperty("model");
  });

  test("say what is not done once, and nothing of what describes them", () => {
    const read = withKeys(
      "api_key: k",
      "  n: { name: N, description: d, providers: [{ provider: p, model: a, context_window: 9, max_tokens: 5, pricing: { type: fixed } }, { provider: p, model: b, max_tokens: 6 }] }\n",
    );
    expect(said(read).map((warning) => warning.split(" ")[1])).toEqual([
      "models.n.providers[0].max_tokens",
      "models.n.providers[0].pricing",
    ]);
  });
});

describe("LMRouter's other sections", () => {
  test("are where to listen and what clients send", () => {
    const read = withKeys(
      "api_key: k",
      "server: { host: 127.0.0.1, port: 3000 }\naccess_keys: [t1, t2]\nauth: { enabled: false }\n",
    );
    expect(optionOf(read, "server.host")).toBe("127.0.0.1 @ f.yaml:5:17 server.host");
    expect(optionOf(read, "server.port")).toBe("3000 @ f.yaml:5:34 server.port");
    expect(optionOf(read, "access_keys")).toBe("t1,t2 @ f.yaml:6:14 access_keys");
    expect(read.warnings).toEqual([]);
  });

  test("warn of what weir does not have", () => {
    const read = withKeys(
      "api_key: k, responses: false",
      "server: { port: 1, logging: dev }\nresponses_store: { type: in_memory }\nextra: 1\n",
    );
    expect(read.problems).toEqual([]);
    expect(read.warnings).toHaveLength(4);
  });

  test("with accounts are refused when nothing else keeps strangers out", () => {
    expect(withKeys("api_key: k", "auth: { enabled: true }\n").problems).toHaveLength(1);
    const kept = withKeys("api_key: k", "auth: { enabled: true }\naccess_keys: [t]\n");
    expect(kept.problems).toEqual([]);
    expect(said(kept)).toHaveLength(1);
  });
});
