import { describe, expect, test } from "bun:test";
import { PROVIDERS } from "../../src/config/providers.ts";
import { backendsOf, configOf, K1, K2, load, problemsOf, shape, urlsOf, warningsOf } from "./load-env.ts";

const openai = (env: Record<string, string>) => shape(backendsOf({ OPENAI_API_KEYS: K1, ...env }));
const own = (url: string) => backendsOf({ OPENAI_API_KEYS: K1, OPENAI_BASE_URL: url })[0]?.ownAddress;
const at = (url: string) => [`${K1}@${url}*1`];

describe("a base URL", () => {
  test.each([
    ["http://gw.test", "http://gw.test/v1"],
    ["http://gw.test/", "http://gw.test/v1"],
    ["https://GW.test:443", "https://gw.test/v1"],
    ["http://gw.test:9/v1", "http://gw.test:9/v1"],
    ["http://gw.test/team/llm//", "http://gw.test/team/llm"],
    ["http://[fd00::1]:8000", "http://[fd00::1]:8000/v1"],
    [" http://gw.test ", "http://gw.test/v1"],
  ])("%p is called at %s", (given, url) => {
    expect(openai({ OPENAI_BASE_URL: given })).toEqual(at(url));
  });

  test("is the user's own address unless its origin is the provider's", () => {
    expect(own("http://gw.test")).toBe(true);
    expect(own("https://api.openai.com/v1")).toBe(false);
    expect(own("http://api.openai.com/v1")).toBe(true);
  });

  test.each([
    ["gw.test/v1", "a URL that begins with http:// or https://", "***"],
    ["localhost:8000/v1", "a URL that begins with http:// or https://", '"localhost:8000/v1"'],
    ["10.0.0.1:80", "a URL that begins with http:// or https://", '"10.0.0.1:80"'],
    ["ftp://gw.test", "a URL that begins with http:// or https://", "***"],
    ["http://", "a host after http:// or https://, and a port up to 65535 if any", '"http://"'],
    [
      "http://g w.test",
      "a host after http:// or https://, and a port up to 65535 if any",
      '"http://g w.test"',
    ],
    [
      "http://gw.test:99999",
      "a host after http:// or https://, and a port up to 65535 if any",
      '"http://gw.test:99999"',
    ],
    ["http://me:pw@gw.test/x", "a URL without user and password", '"http://***"'],
    ["http://gw.test/v1?key=abc", "a URL without query and fragment", '"http://gw.test/v1"'],
    ["http://gw.test/v1#top", "a URL without query and fragment", '"http://gw.test/v1"'],
    [
      "http://gw.test/v1/chat/completions",
      "the base, without /chat/completions, which weir adds",
      '"http://gw.test/v1/chat/completions"',
    ],
    ["http://gw.test*x", "a weight of 0 or more after the star", '"http://gw.test*x"'],
    ["http://gw.test*-1", "a weight of 0 or more after the star", '"http://gw.test*-1"'],
  ])("%p is refused", (given, expected, found) => {
    expect(problemsOf({ OPENAI_API_KEYS: K1, OPENAI_BASE_URL: given })).toEqual([
      `cannot read OPENAI_BASE_URL: expected ${expected}, found ${found}`,
    ]);
  });

  test("list is crossed with the keys, and the weights multiply", () => {
    const env = {
      OPENAI_API_KEYS: `${K1},${K2}*3`,
      OPENAI_BASE_URLS: "http://a.test*2, http://b.test/x*0.5,http://a.test",
    };
    expect(shape(backendsOf(env))).toEqual([
      `${K1}@http://a.test/v1*2`,
      `${K2}@http://a.test/v1*6`,
      `${K1}@http://b.test/x*0.5`,
      `${K2}@http://b.test/x*1.5`,
    ]);
  });

  test("written in two ways is one address", () => {
    expect(openai({ OPENAI_BASE_URLS: "http://a.test,http://a.test/v1,http://A.test/" })).toEqual(
      at("http://a.test/v1"),
    );
  });

  test("list wins over the single one, which may be there for an SDK", () => {
    expect(openai({ OPENAI_BASE_URLS: "http://a.test", OPENAI_BASE_URL: "http://b.test" })).toEqual(
      at("http://a.test/v1"),
    );
  });

  test("of a provider without keys is left out, which is said", () => {
    const loaded = load({ OPENAI_BASE_URL: "http://a.test" });
    expect(loaded).toEqual({
      kind: "empty",
      warnings: ["OPENAI_BASE_URL is set, but openai has no keys (OPENAI_API_KEYS): it is left out"],
    });
  });
});

describe("further families", () => {
  test.each(PROVIDERS.filter(({ origin }) => origin !== undefined))(
    "of $name have their own paths at an address without a path",
    (provider) => {
      const [prefix] = provider.prefixes;
      expect(urlsOf({ [`${prefix}_API_KEY`]: K1, [`${prefix}_BASE_URL`]: "http://gw.test" })).toEqual(
        Object.fromEntries(
          Object.entries(provider.families).map(([f, { path }]) => [f, `http://gw.test${path}`]),
        ),
      );
    },
  );

  test.each([
    ["ANTHROPIC", "http://gw.test/a/v1", { anthropic: "/a/v1", openai: "/a/v1" }],
    ["OPENROUTER", "http://gw.test/or", { openai: "/or", anthropic: "/or" }],
    ["HUGGINGFACE", "http://gw.test/hf/v1", { openai: "/hf/v1", anthropic: "/hf/v1" }],
    ["GOOGLE", "http://gw.test/g/v1beta", { gemini: "/g/v1beta", openai: "/g/v1beta/openai" }],
    ["DEEPSEEK", "http://gw.test/v1", { openai: "/v1" }],
    ["MOONSHOT", "http://gw.test/kimi", { openai: "/kimi" }],
    ["DASHSCOPE", "http://gw.test/q", { openai: "/q" }],
  ])("of %s at %s follow the path only if they share it", (prefix, url, paths) => {
    expect(urlsOf({ [`${prefix}_API_KEY`]: K1, [`${prefix}_BASE_URL`]: url })).toEqual(
      Object.fromEntries(Object.entries(paths).map(([family, path]) => [family, `http://gw.test${path}`])),
    );
  });

  test.each([
    [
      "MOONSHOT",
      "https://api.moonshot.cn/v1",
      { openai: "https://api.moonshot.cn/v1", anthropic: "https://api.moonshot.cn/anthropic/v1" },
    ],
    [
      "MOONSHOT",
      "https://api.moonshot.cn/anthropic",
      { openai: "https://api.moonshot.cn/v1", anthropic: "https://api.moonshot.cn/anthropic/v1" },
    ],
    [
      "DEEPSEEK",
      "https://api.deepseek.com/v1",
      { openai: "https://api.deepseek.com/v1", anthropic: "https://api.deepseek.com/anthropic/v1" },
    ],
    [
      "GEMINI",
      "https://generativelanguage.googleapis.com/v1beta/openai/",
      {
        openai: "https://generativelanguage.googleapis.com/v1beta/openai",
        gemini: "https://generativelanguage.googleapis.com/v1beta",
      },
    ],
  ])("of %s at the known %s are those of the table", (prefix, url, urls) => {
    expect(urlsOf({ [`${prefix}_API_KEY`]: K1, [`${prefix}_BASE_URL`]: url })).toEqual(urls);
  });

  test("of Anthropic: a path without a version is kept, and said to differ from what SDKs make of it", () => {
    const env = { ANTHROPIC_API_KEY: K1, ANTHROPIC_BASE_URL: "https://corp.test/anthropic" };
    expect(urlsOf(env)).toEqual({
      anthropic: "https://corp.test/anthropic",
      openai: "https://corp.test/anthropic",
    });
    expect(warningsOf(env)).toEqual([
      "ANTHROPIC_BASE_URL does not end in a version: SDKs append /v1/messages to https://corp.test/anthropic, " +
        "weir appends /messages; write https://corp.test/anthropic/v1 if that is meant",
    ]);
    for (const path of ["", "/", "/v1", "/x/v1beta"])
      expect(warningsOf({ ...env, ANTHROPIC_BASE_URL: `https://corp.test${path}` })).toEqual([]);
  });
});

describe("engines", () => {
  test.each(["VLLM", "SGLANG", "OLLAMA", "LLAMACPP"])(
    "%s needs no key; each address has its own limits",
    (prefix) => {
      const name = prefix.toLowerCase();
      const backends = backendsOf({
        [`${prefix}_BASE_URLS`]: "http://10.0.0.1:8000*2,http://10.0.0.2:8000/x",
        [`${prefix}_CONCURRENCY`]: "4",
      });
      expect(shape(backends)).toEqual(["@http://10.0.0.1:8000/v1*2", "@http://10.0.0.2:8000/x*1"]);
      expect(new Set(backends.map(({ credential }) => credential.id)).size).toBe(2);
      for (const { kind, provider, ownAddress, credential, endpoints } of backends) {
        expect([kind, provider, ownAddress, credential.provider]).toEqual(["engine", name, true, name]);
        expect(credential.limits).toEqual({ concurrency: 4 });
        expect(credential.secret).toBeUndefined();
        expect(endpoints.anthropic?.baseUrl).toBe(endpoints.openai?.baseUrl as string);
      }
      expect(backends.map(({ credential }) => credential.label)).toEqual(["10.0.0.1:8000", "10.0.0.2:8000"]);
      expect(shape(backendsOf({ [`${prefix}_BASE_URL`]: "http://one.test" }))).toEqual([
        "@http://one.test/v1*1",
      ]);
    },
  );

  test("use keys that are given", () => {
    expect(shape(backendsOf({ VLLM_BASE_URLS: "http://a.test,http://b.test", VLLM_API_KEYS: K1 }))).toEqual([
      `${K1}@http://a.test/v1*1`,
      `${K1}@http://b.test/v1*1`,
    ]);
  });

  test("keep the operations that are at the root", () => {
    const endpoints = backendsOf({ VLLM_BASE_URL: "http://a.test" })[0]?.endpoints;
    expect(endpoints?.openai?.rootPaths).toContain("/tokenize");
    expect(endpoints?.anthropic?.rootPaths).toBeUndefined();
  });

  test("with keys and no address are left out; a list of keys is warned of, vLLM's own VLLM_API_KEY is not", () => {
    expect(load({ VLLM_API_KEYS: K1 })).toEqual({
      kind: "empty",
      warnings: ["VLLM_API_KEYS is set, but VLLM_BASE_URLS is not: it is left out"],
    });
    expect(load({ VLLM_API_KEY: K1 })).toEqual({ kind: "empty", warnings: [] });
  });

  test("with a bad key are not called without one", () => {
    expect(problemsOf({ VLLM_BASE_URL: "http://a.test", VLLM_API_KEYS: "a b" })).toHaveLength(1);
  });
});

describe("providers of one's own", () => {
  test("are named in WEIR_PROVIDERS and have their variables", () => {
    const config = configOf({
      WEIR_PROVIDERS: "My-Gpu, other,,my-gpu",
      MY_GPU_BASE_URLS: "http://gpu.test*2",
      MY_GPU_API_KEYS: K1,
      MY_GPU_RPM: "9",
      MY_GPU_MODELS: "m*",
      OTHER_BASE_URL: "http://other.test/api",
    });
    expect(shape(config.pool.backends)).toEqual([`${K1}@http://gpu.test/v1*2`, "@http://other.test/api*1"]);
    expect(config.pool.providers.map(({ name, kind, main }) => [name, kind, main])).toEqual([
      ["my-gpu", "hosted", "openai"],
      ["other", "hosted", "openai"],
    ]);
    expect(config.pool.backends[0]).toMatchObject({ models: ["m*"], ownAddress: true });
    expect(config.pool.backends[0]?.credential.limits).toEqual({ requestsPerMinute: 9 });
    expect(config.pool.backends[0]?.endpoints).toEqual({
      openai: {
        baseUrl: "http://gpu.test/v1",
        key: { in: "header", name: "authorization", prefix: "Bearer " },
      },
    });
    expect(config.warnings).toEqual([]);
  });

  test("without an address are a problem", () => {
    expect(problemsOf({ WEIR_PROVIDERS: "gpu" })).toEqual([
      'cannot read WEIR_PROVIDERS: expected GPU_BASE_URL or GPU_BASE_URLS beside the name "gpu", found neither',
    ]);
  });

  test("have names of letters, digits, - and _, and are not weir", () => {
    for (const name of ["a.b", "9x", "weir", "ü"])
      expect(problemsOf({ WEIR_PROVIDERS: name })[0]).toStartWith(
        "cannot read WEIR_PROVIDERS: expected names of letters",
      );
  });

  test("need no listing when the table knows them", () => {
    expect(warningsOf({ WEIR_PROVIDERS: "groq", GROQ_API_KEY: K1 })).toEqual([
      'WEIR_PROVIDERS need not list "groq": groq is known, and used once it is configured',
    ]);
  });
});

describe("Azure", () => {
  const env = { AZURE_OPENAI_API_KEYS: K1, AZURE_OPENAI_ENDPOINT: "https://x.openai.azure.com/" };
  const endpointOf = (more: Record<string, string>) => {
    const { baseUrl, modelPath, query } = backendsOf({ ...env, ...more })[0]?.endpoints.openai ?? {};
    return [baseUrl, modelPath, query];
  };

  test("without a version has /openai/v1", () => {
    expect(endpointOf({})).toEqual(["https://x.openai.azure.com/openai/v1", undefined, undefined]);
    expect(endpointOf({ AZURE_OPENAI_API_VERSION: "v1" })).toEqual(endpointOf({}));
    expect(backendsOf(env)[0]?.endpoints.openai?.key).toEqual({ in: "header", name: "api-key", prefix: "" });
    expect(Object.keys(backendsOf(env)[0]?.endpoints ?? {})).toEqual(["openai"]);
  });

  test("with `preview` says so in the query", () => {
    expect(endpointOf({ AZURE_OPENAI_API_VERSION: "preview" })).toEqual([
      "https://x.openai.azure.com/openai/v1",
      undefined,
      "api-version=preview",
    ]);
  });

  test.each(["2024-10-21", "2025-04-01-preview"])(
    "with the dated version %s has deployments in the path",
    (version) => {
      expect(endpointOf({ AZURE_OPENAI_API_VERSION: version })).toEqual([
        "https://x.openai.azure.com/openai",
        "/deployments/{model}",
        `api-version=${version}`,
      ]);
    },
  );

  test.each(["/openai", "/openai/", "/openai/v1", "/openai/v1/"])(
    "takes the endpoint with %s too",
    (path) => {
      expect(endpointOf({ AZURE_OPENAI_ENDPOINT: `https://x.openai.azure.com${path}` })).toEqual(
        endpointOf({}),
      );
    },
  );

  test("keeps the path of a gateway before /openai, and a base URL's path as it is", () => {
    expect(endpointOf({ AZURE_OPENAI_ENDPOINT: "https://apim.test/team" })[0]).toBe(
      "https://apim.test/team/openai/v1",
    );
    expect(endpointOf({ AZURE_OPENAI_BASE_URL: "https://apim.test/team" })[0]).toBe("https://apim.test/team");
    expect(endpointOf({ AZURE_OPENAI_BASE_URLS: "https://y.test,https://z.test" })[0]).toBe(
      "https://y.test/openai/v1",
    );
  });

  test("refuses another version", () => {
    expect(problemsOf({ ...env, AZURE_OPENAI_API_VERSION: "24-10" })).toEqual([
      'cannot read AZURE_OPENAI_API_VERSION: expected a dated version such as 2024-10-21, or v1, found "24-10"',
    ]);
  });

  test("needs an endpoint beside its keys, and keys beside its endpoint", () => {
    expect(problemsOf({ AZURE_OPENAI_API_KEY: K1 })).toEqual([
      "cannot read AZURE_OPENAI_API_KEY: expected AZURE_OPENAI_ENDPOINT beside it, found nothing",
    ]);
    expect(warningsOf({ AZURE_OPENAI_ENDPOINT: "https://x.test" })).toEqual([
      "AZURE_OPENAI_ENDPOINT is set, but azure-openai has no keys (AZURE_OPENAI_API_KEYS): it is left out",
    ]);
  });

  test("has no list of models", () => {
    expect(configOf(env).pool.providers[0]?.modelsRoute).toBeUndefined();
  });
});

describe("a base URL that leads back to weir", () => {
  const base = { OPENAI_API_KEYS: K1 };
  const isIgnored = (url: string, more: Record<string, string> = {}, hostname = "box.corp.test") => {
    const env = { ...base, OPENAI_BASE_URL: url, ...more };
    const ignored = backendsOf(env, { hostname })[0]?.origin === "https://api.openai.com";
    expect(warningsOf(env, { hostname }).some((text) => text.includes("leads back to weir"))).toBe(ignored);
    return ignored;
  };

  test.each([
    "localhost",
    "127.0.0.1",
    "127.5.5.5",
    "[::1]",
    "0.0.0.0",
    "BOX.corp.test",
    "box",
    "localhost.",
  ])("by the name %s is ignored with a warning, and the provider's own address used", (host) => {
    expect(isIgnored(`http://${host}:8080/v1`)).toBe(true);
  });

  test("is told by its port as well", () => {
    expect(isIgnored("http://localhost:8081/v1")).toBe(false);
    expect(isIgnored("http://localhost:8081/v1", { WEIR_PORT: "8081" })).toBe(true);
    expect(isIgnored("http://localhost", { PORT: "80" })).toBe(true);
    expect(isIgnored("http://localhost:8080", { WEIR_PORT: "0" })).toBe(false);
  });

  test("is told by the address that weir is bound to", () => {
    const bound = { WEIR_HOST: "10.0.0.5", WEIR_OPEN: "1" };
    expect(isIgnored("http://10.0.0.5:8080", bound)).toBe(true);
    expect(isIgnored("http://10.0.0.6:8080", bound)).toBe(false);
    expect(isIgnored("http://127.0.0.1:8080", bound)).toBe(false);
    expect(isIgnored("http://127.0.0.1:8080", { WEIR_HOST: "0.0.0.0", WEIR_OPEN: "1" })).toBe(true);
  });

  test("is taken out of a list", () => {
    const env = { ...base, OPENAI_BASE_URLS: "http://localhost:8080/v1,http://a.test" };
    expect(shape(backendsOf(env))).toEqual(at("http://a.test/v1"));
    expect(warningsOf(env)).toEqual([
      "OPENAI_BASE_URLS leads back to weir itself (http://localhost:8080), and is ignored",
    ]);
  });

  test("leaves an engine without any address, and nothing to say for a provider without keys", () => {
    expect(load({ VLLM_BASE_URL: "http://localhost:8080" })).toEqual({
      kind: "empty",
      warnings: ["VLLM_BASE_URL leads back to weir itself (http://localhost:8080), and is ignored"],
    });
    expect(load({ OPENAI_BASE_URL: "http://localhost:8080/v1" })).toEqual({ kind: "empty", warnings: [] });
  });
});
