// What becomes of files beside variables: backends, shares of routes, whose word counts, and what is told.
import { describe, expect, test } from "bun:test";
import { K1, K2, K3, load, loadGood, problemsOf, warningsOf } from "./load-env.ts";

const withFile = (text: string, argv: readonly string[] = []) => ({
  argv: ["--config", "weir.yaml", ...argv],
  files: { "weir.yaml": text },
});

/** `key@host as model: weight, priority` of a route's members. */
function membersOf(text: string, route: string, env: Record<string, string> = {}): readonly string[] {
  const { config } = loadGood(env, withFile(text));
  const { pool } = config;
  const spec = pool.routes?.find(({ name }) => name === route);
  if (spec === undefined) throw new Error(`no route ${route}`);
  return spec.backendIds.map((id) => {
    const backend = pool.backends.find((each) => each.id === id);
    if (backend === undefined) throw new Error(`no backend ${id}`);
    const { weight, priority } = spec.shares?.get(id) ?? backend;
    const key = backend.credential.secret?.reveal() ?? "none";
    const name = backend.upstreamModel === undefined ? "" : ` as ${backend.upstreamModel}`;
    return `${key}@${new URL(backend.origin).host}${name}: ${weight}, ${priority}`;
  });
}

describe("an alias of an alias", () => {
  test("is a mistake in weir's own file, where nothing would serve it", () => {
    const text = "providers: { openai: { api_key: ka } }\nroutes: { a: { alias: b }, b: { alias: gpt-4o } }";
    expect(problemsOf({}, withFile(text))).toEqual([
      'cannot read weir.yaml:2:11 routes.a: expected the name of a model or route, as an alias leads to no other alias, found "b"',
    ]);
  });

  test("in another system's file is said, and the file loads", () => {
    const text =
      "model_list: [{ model_name: m, litellm_params: { model: openai/x, api_key: k } }]\n" +
      "router_settings: { model_group_alias: { a: b, b: m } }";
    const { config } = loadGood({}, withFile(text));
    expect(config.warnings.filter((warning) => warning.includes("an alias itself"))).toEqual([
      'weir.yaml:2:41 router_settings.model_group_alias.a leads to "b", an alias itself, where it goes no further',
    ]);
  });
});

describe("a route's targets", () => {
  test("without weights count every key by its own weight", () => {
    const text = `
providers: { openai: { api_keys: [{ key: ka, weight: 3 }, kb] }, groq: { api_key: kc } }
routes: { m: { targets: [openai, groq] } }`;
    expect(membersOf(text, "m")).toEqual([
      "ka@api.openai.com: 3, 1",
      "kb@api.openai.com: 1, 1",
      "kc@api.groq.com: 1, 1",
    ]);
  });

  test("with a weight share it over their keys, and one without counts as 1", () => {
    const text = `
providers: { openai: { api_keys: [{ key: ka, weight: 3 }, kb] }, groq: { api_key: kc } }
routes: { m: { targets: [{ provider: openai, weight: 2 }, groq] } }`;
    expect(membersOf(text, "m")).toEqual([
      "ka@api.openai.com: 1.5, 1",
      "kb@api.openai.com: 0.5, 1",
      "kc@api.groq.com: 1, 1",
    ]);
  });

  test("of weight 0 are drained, and keep their place", () => {
    const text = `
providers: { openai: { api_key: ka }, groq: { api_key: kc } }
routes: { m: { targets: [{ provider: openai, weight: 0 }, groq] } }`;
    expect(membersOf(text, "m")).toEqual(["ka@api.openai.com: 0, 1", "kc@api.groq.com: 1, 1"]);
  });

  test("have priorities and names of their own without changing the provider's backends", () => {
    const text = `
providers: { openai: { api_key: ka }, groq: { api_key: kc } }
routes: { m: { targets: [openai, { provider: groq, model: other, priority: 2 }] } }`;
    expect(membersOf(text, "m")).toEqual(["ka@api.openai.com: 1, 1", "kc@api.groq.com as other: 1, 2"]);
    const { pool } = loadGood({}, withFile(text)).config;
    const groq = pool.providerRoutes.find(({ name }) => name === "groq");
    const own = pool.backends.find(({ id }) => groq?.backendIds.includes(id) === true);
    expect([groq?.backendIds.length, own?.upstreamModel, own?.priority]).toEqual([1, undefined, 1]);
  });

  test("that send one name to one place are one backend in both routes", () => {
    const text = `
providers: { groq: { api_key: kc } }
routes:
  m: { targets: [{ provider: groq, model: same, weight: 1 }] }
  n: { targets: [{ provider: groq, model: same, weight: 5 }] }`;
    const { pool } = loadGood({}, withFile(text)).config;
    const [m, n] = pool.routes ?? [];
    expect(m?.backendIds).toEqual(n?.backendIds ?? []);
    expect([m, n].map((route) => [...(route?.shares?.values() ?? [])].map(({ weight }) => weight))).toEqual([
      [1],
      [5],
    ]);
    expect(new Set(pool.backends.map(({ id }) => id)).size).toBe(pool.backends.length);
  });

  test("keep out keys that may not use the model", () => {
    const text = `
providers: { openai: { api_keys: [{ key: ka, models: ["gpt-3*"] }, kb] } }
routes: { m: { targets: [{ provider: openai, model: gpt-4o }] } }`;
    expect(membersOf(text, "m")).toEqual(["kb@api.openai.com as gpt-4o: 1, 1"]);
  });

  test("may be providers of variables", () => {
    const text = "routes: { m: { targets: [{ provider: openai, priority: 2 }] } }";
    expect(membersOf(text, "m", { OPENAI_API_KEYS: K1 })).toEqual([`${K1}@api.openai.com: 1, 2`]);
  });

  test("that nobody knows are told with their place and the nearest name", () => {
    const text = "providers: { openai: { api_key: ka } }\nroutes:\n  m: { targets: [opnai] }";
    expect(problemsOf({}, withFile(text))).toEqual([
      'cannot read weir.yaml:3:18 routes.m.targets[0]: expected the name of a provider that is configured (did you mean openai?), found "opnai"',
    ]);
  });

  test("of engines alone wait least, unless a strategy was chosen anywhere", () => {
    const text = `
providers: { gpu: { type: vllm, base_url: "http://10.0.0.1:8000" }, openai: { api_key: ka } }
routes: { a: { targets: [gpu] }, b: { targets: [gpu, openai] }, c: { targets: [gpu], strategy: random } }`;
    const strategies = (env: Record<string, string>) =>
      loadGood(env, withFile(text)).config.pool.routes?.map(({ strategy }) => strategy);
    expect(strategies({})).toEqual(["least-waiting", "least-used", "simple-shuffle"]);
    expect(strategies({ WEIR_STRATEGY: "latency" })).toEqual([
      "latency-based",
      "latency-based",
      "simple-shuffle",
    ]);
  });
});

describe("a provider of a file", () => {
  const text = `providers: { openai: { api_keys: [{ key: "${K1}", weight: 5, limits: { rpm: 7 } }] } }`;
  const keysOf = (env: Record<string, string>) =>
    loadGood(env, withFile(text)).config.pool.backends.map(
      ({ credential, weight }) =>
        `${credential.secret?.reveal()}*${weight} ${credential.limits.requestsPerMinute}`,
    );

  test("is joined by the list of variables, and its word counts for a key that both name", () => {
    expect(keysOf({ OPENAI_API_KEYS: `${K1}*2,${K2}` })).toEqual([`${K1}*5 7`, `${K2}*1 undefined`]);
  });

  test("is not joined by one key that may be there for an SDK", () => {
    expect(keysOf({ OPENAI_API_KEY: K3 })).toEqual([`${K1}*5 7`]);
  });

  test("stands beside other providers of variables", () => {
    const { pool } = loadGood({ GROQ_API_KEYS: K2 }, withFile(text)).config;
    expect(pool.providers.map(({ name }) => name)).toEqual(["openai", "groq"]);
  });

  test("that two files name is a conflict that names both places", () => {
    const given = {
      argv: ["--config", "a.yaml", "--config", "b.yaml"],
      files: { "a.yaml": text, "b.yaml": `\n${text}` },
    };
    expect(problemsOf({}, given)).toEqual([
      'cannot read b.yaml:2:14 providers.openai: expected one of providers with this name; the other one is at a.yaml:1:14 providers.openai, found "openai"',
    ]);
  });

  test("whose address leads back to weir is left out with a warning", () => {
    const loop = 'providers: { openai: { api_key: ka, base_url: "http://127.0.0.1:8080/v1" } }';
    expect(warningsOf({}, withFile(loop)).join()).toContain("leads back to weir itself");
  });
});

describe("several files", () => {
  test("merge, and an option that two of them set differently is a conflict that names both places", () => {
    const files = {
      "a.yaml": `strategy: random\nproviders: { openai: { api_key: ${K1} } }`,
      "b.yaml": "strategy: least-used\nretry: { max: 1 }",
    };
    const argv = ["--config", "a.yaml", "--config", "b.yaml"];
    expect(problemsOf({}, { argv, files })).toEqual([
      "cannot read b.yaml:1:11 strategy: expected the same as a.yaml:1:11 strategy, or only one of them",
    ]);
    const { config } = loadGood({}, { argv, files: { ...files, "b.yaml": "retry: { max: 1 }" } });
    expect([config.retry.max, config.pool.backends.length, config.files]).toEqual([
      1,
      1,
      ["a.yaml", "b.yaml"],
    ]);
  });

  test("come from WEIR_CONFIG too, and the flag is before it", () => {
    const files = { "a.yaml": `providers: { openai: { api_key: ${K1} } }`, "b.yaml": "retry: { max: 9 }" };
    const both = loadGood({ WEIR_CONFIG: "a.yaml, b.yaml" }, { files }).config;
    expect([both.retry.max, both.pool.backends.length]).toEqual([9, 1]);
    const one = loadGood({ WEIR_CONFIG: "b.yaml" }, { files, argv: ["--config", "a.yaml"] }).config;
    expect(one.retry.max).toBe(3);
  });
});

describe("the current folder's file", () => {
  const files = {
    "weir.yaml": `providers: { openai: { api_key: ${K1} } }`,
    "config.yaml": "strategy: random",
  };

  test("is read when variables name no provider, weir.yaml before config.yaml", () => {
    expect(loadGood({}, { files }).config.files).toEqual(["weir.yaml"]);
    const { "weir.yaml": text, ...other } = files;
    expect(loadGood({}, { files: { ...other, "config.yaml": text } }).config.files).toEqual(["config.yaml"]);
  });

  test("is left alone when variables name one, or when a file was named", () => {
    expect(loadGood({ GROQ_API_KEYS: K1 }, { files }).config.files).toEqual([]);
    const named = { ...files, "x.yaml": `providers: { groq: { api_key: ${K2} } }` };
    expect(loadGood({}, { files: named, argv: ["--config", "x.yaml"] }).config.files).toEqual(["x.yaml"]);
  });

  test("is told when it is left alone, a config.yaml is not: it may be another program's", () => {
    const told =
      "weir.yaml of the current folder is not read, as variables name providers; --config weir.yaml";
    expect(warningsOf({ GROQ_API_KEYS: K1 }, { files })).toEqual([`${told} reads it too`]);
    const { "config.yaml": other } = files;
    expect(warningsOf({ GROQ_API_KEYS: K1 }, { files: { "config.yaml": other } })).toEqual([]);
    expect(warningsOf({ GROQ_API_KEYS: K1 }, { files, argv: ["--config", "weir.yaml"] })).toEqual([]);
  });

  test("that is not there leaves an empty start", () => {
    expect(load({}).kind).toBe("empty");
  });
});

describe("options in a file", () => {
  test("stand below variables and flags, and above the defaults", () => {
    const text = `retry: { max: 4 }\nproviders: { openai: { api_key: ${K1} } }\nserver: { port: 7000 }\nstrategy: random`;
    const { config, resolved } = loadGood({ WEIR_RETRY_MAX: "5" }, withFile(text, ["--port", "7001"]));
    expect([config.retry.max, config.server.port]).toEqual([5, 7001]);
    const origin = (key: string) => resolved.options.find((option) => option.key === key)?.origin;
    expect(["retry.max", "server.port", "strategy", "retry.budget"].map(origin)).toEqual([
      "WEIR_RETRY_MAX",
      "--port",
      "weir.yaml:4:11 strategy",
      "default",
    ]);
  });
});

describe("a file of LLMRouter that opens a public address", () => {
  const files = {
    "config.yaml":
      "server: { host: 0.0.0.0 }\nrouting: { strategy: simple-shuffle }\nbackends: { config_dir: configs }",
    "configs/openai_a.yaml":
      "model_list: [{ model_name: m, litellm_params: { model: openai/m, api_base: http://10.0.0.1:8000/v1, api_key: dummy-key-1 } }]",
  };
  const opens = (env: Record<string, string>, ...argv: string[]) =>
    warningsOf(env, { files, argv: ["--config", "config.yaml", ...argv] }).filter((text) =>
      text.includes("OPENS WEIR"),
    );

  test("is told loudly, with the place that says so", () => {
    expect(opens({})).toEqual([
      "config.yaml:1:17 server.host OPENS WEIR TO EVERYBODY who can reach 0.0.0.0: they use your keys without one of " +
        "their own. Set WEIR_ACCESS_KEYS to what clients must send, or WEIR_HOST to 127.0.0.1",
    ]);
  });

  test("is not where a flag, a variable or tokens close it", () => {
    expect([
      opens({}, "--host", "127.0.0.1"),
      opens({ WEIR_HOST: "::1" }),
      opens({ WEIR_ACCESS_KEYS: "t" }),
    ]).toEqual([[], [], []]);
  });
});

describe("what another system does by itself", () => {
  const foreign = `{ "openai": { "keys": ["${K1}"] } }`;
  const strategyWith = (...files: string[]) => {
    const named = Object.fromEntries(files.map((text, at) => [`${at}.yaml`, text]));
    const argv = Object.keys(named).flatMap((name) => ["--config", name]);
    const { resolved } = loadGood({}, { files: named, argv });
    return resolved.options.find(({ key }) => key === "strategy");
  };

  test("gives way to a file that says it, whichever comes first", () => {
    for (const files of [
      [foreign, "strategy: random"],
      ["strategy: random", foreign],
    ])
      expect(strategyWith(...files)?.shown).toBe("simple-shuffle");
    expect(strategyWith(foreign)).toMatchObject({
      shown: "least-used",
      origin: "0.yaml:1:1 (DeepWiki's way)",
    });
  });

  test("is the first file's where two leave it open", () => {
    const other =
      "endpoints: [{ name: a, url: http://127.0.0.1:9000, weight: 1, api_key: sk-other-000000000001 }]";
    expect(strategyWith(foreign, other)?.shown).toBe("least-used");
  });
});

describe("a file of a system that listens elsewhere", () => {
  const litellm =
    "model_list: [{ model_name: m, litellm_params: { model: hosted_vllm/m, api_base: http://10.0.0.1:8000/v1 } }]";
  const told = (env: Record<string, string>, ...argv: string[]) =>
    warningsOf(env, { files: { "c.yaml": litellm, "p.yaml": "server: { port: 4000 }" }, argv });

  test("has the addresses told", () => {
    expect(told({}, "--config", "c.yaml")).toEqual([
      "c.yaml:1:1 does not say where to listen: LiteLLM takes 0.0.0.0:4000, weir 127.0.0.1:8080 unless --host and --port say otherwise",
    ]);
  });

  test("has nothing told where a flag, a variable or another file says it", () => {
    expect([
      told({}, "--config", "c.yaml", "--port", "4000"),
      told({ PORT: "4000" }, "--config", "c.yaml"),
      told({}, "--config", "c.yaml", "--config", "p.yaml"),
    ]).toEqual([[], [], []]);
  });
});

describe("variables of providers", () => {
  const env = { OPENAI_API_KEYS: K1, GROQ_API_KEYS: K2 };
  const namesWith = (text: string) =>
    loadGood(env, withFile(text)).config.pool.providers.map(({ name }) => name);

  test("beside another system's file only fill its references", () => {
    expect(namesWith('{ "openai": { "keys": ["${OPENAI_API_KEYS}"] } }')).toEqual(["openai"]);
  });

  test("beside weir's own file are pools of their own", () => {
    expect(namesWith("retry: { max: 1 }")).toEqual(["openai", "groq"]);
  });
});
