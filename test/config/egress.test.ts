import { describe, expect, test } from "bun:test";
import { secretsOf } from "../../src/config/secrets.ts";
import { backendsOf, type Env, K1, loadGood, problemsOf } from "./load-env.ts";

const PROXY = "http://proxy.test:3128";

/** The proxy for a provider of one's own at this address. */
const proxyTo = (url: string, env: Env) =>
  backendsOf({ WEIR_PROVIDERS: "p", P_BASE_URL: url, ...env })[0]?.proxyUrl?.replace(/\/$/, "");

describe("the proxy of the environment", () => {
  test("is used for hosted providers, by the scheme of the address", () => {
    const env = { HTTPS_PROXY: "http://s.test:1", HTTP_PROXY: "http://h.test:2" };
    expect(proxyTo("https://api.test", env)).toBe("http://s.test:1");
    expect(proxyTo("http://api.test", env)).toBe("http://h.test:2");
    expect(backendsOf({ OPENAI_API_KEY: K1, ...env })[0]?.proxyUrl).toBe("http://s.test:1/");
  });

  test("may be ALL_PROXY, lower case, and without a scheme; lower case goes first", () => {
    expect(proxyTo("https://api.test", { ALL_PROXY: PROXY })).toBe(PROXY);
    expect(proxyTo("http://api.test", { all_proxy: PROXY })).toBe(PROXY);
    expect(
      proxyTo("https://api.test", { https_proxy: "proxy.test:3128", HTTPS_PROXY: "http://no.test" }),
    ).toBe(PROXY);
    expect(proxyTo("https://api.test", { HTTPS_PROXY: PROXY, ALL_PROXY: "http://no.test" })).toBe(PROXY);
    expect(proxyTo("https://api.test", {})).toBeUndefined();
  });

  test.each([
    ["100%pure", "100%25pure"],
    ["%", "%25"],
    ["a%zz%41", "a%25zz%41"],
    ["%ff", "%25ff"],
    ["p%C3%A9", "p%C3%A9"],
  ])("may have the password %s, whose secret is known", (written, sent) => {
    const { config } = loadGood({ OPENAI_API_KEY: K1, HTTPS_PROXY: `http://user:${written}@proxy.test` });
    expect(config.pool.backends[0]?.proxyUrl).toBe(`http://user:${sent}@proxy.test/`);
    expect(secretsOf(config).map((secret) => secret.reveal())).toContain(decodeURIComponent(sent));
  });

  test("keeps its user and password, and shows neither", () => {
    const env = { OPENAI_API_KEY: K1, HTTPS_PROXY: "http://user:secret-word@proxy.test:3128" };
    expect(backendsOf(env)[0]?.proxyUrl).toBe("http://user:secret-word@proxy.test:3128/");
    const shown = JSON.stringify(loadGood(env).resolved);
    expect(shown).toContain("http://proxy.test:3128");
    expect(shown).not.toContain("secret-word");
  });

  test.each([
    "http://10.1.2.3:8000",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.1.1",
    "http://169.254.1.1",
    "http://100.64.0.1",
    "http://127.0.0.1:9",
    "http://localhost:9",
    "http://[::1]:9",
    "http://[fd12::1]",
    "http://[fe80::1]",
    "http://[::ffff:10.0.0.1]",
    "http://gpu-node:8000",
  ])("is never used for %s", (url) => {
    expect(proxyTo(url, { HTTP_PROXY: PROXY, ALL_PROXY: PROXY })).toBeUndefined();
  });

  test.each([
    "http://11.0.0.1",
    "http://172.32.0.1",
    "http://100.128.0.1",
    "http://[2001:db8::1]",
    "http://a.b",
  ])("is used for %s", (url) => {
    expect(proxyTo(url, { HTTP_PROXY: PROXY })).toBe(PROXY);
  });

  test("is never used for engines", () => {
    expect(
      backendsOf({ VLLM_BASE_URL: "http://gpu.example.com", HTTP_PROXY: PROXY })[0]?.proxyUrl,
    ).toBeUndefined();
  });

  test("that is SOCKS is a problem, for nothing may go around it unasked; once, and only if it is needed", () => {
    const env = { OPENAI_API_KEYS: `${K1},other-key`, ALL_PROXY: "socks5h://proxy.test:1080" };
    expect(problemsOf(env)).toEqual([
      "cannot read ALL_PROXY: expected an http:// or https:// URL (or set upstream.proxy, WEIR_UPSTREAM_PROXY, to none), found a SOCKS proxy",
    ]);
    expect(problemsOf({ ...env, WEIR_UPSTREAM_PROXY: "none" })).toEqual([]);
    expect(problemsOf({ ...env, HTTPS_PROXY: PROXY })).toEqual([]);
    expect(problemsOf({ VLLM_BASE_URL: "http://gpu.test", ALL_PROXY: "socks5://p.test" })).toEqual([]);
  });
});

const spares = (list: string, url: string) =>
  proxyTo(url, { ALL_PROXY: PROXY, NO_PROXY: list }) === undefined;

describe("NO_PROXY", () => {
  test.each([
    ["*", "https://api.test", true],
    ["api.test", "https://api.test", true],
    ["API.test", "https://api.TEST", true],
    ["test", "https://api.test", true],
    [".test", "https://api.test", true],
    ["*.test", "https://api.test", true],
    ["api.test", "https://eu.api.test", true],
    [".api.test", "https://api.test", true],
    ["pi.test", "https://api.test", false],
    ["api.test.", "https://api.test", true],
    ["other.test, api.test", "https://api.test", true],
    ["other.test api.test", "https://api.test", true],
    ["api.test:443", "https://api.test", true],
    ["api.test:8443", "https://api.test", false],
    ["api.test:8443", "https://api.test:8443", true],
    ["8.8.8.8", "https://8.8.8.8", true],
    ["8.8.8.8", "https://8.8.8.9", false],
    ["8.8.0.0/16", "https://8.8.200.1", true],
    ["8.8.0.0/16", "https://8.9.0.1", false],
    ["8.8.8.8:443", "https://8.8.8.8", true],
    ["8.8.8.8/33", "https://8.8.8.8", false],
    ["2001:db8::/32", "https://[2001:db8::5]", true],
    ["[2001:db8:0::5]", "https://[2001:db8::5]", true],
    ["api.test/16", "https://api.test", false],
    [".", "https://api.test", false],
    ["", "https://api.test", false],
  ])("%p for %s: %p", (list, url, spared) => {
    expect(spares(list, url)).toBe(spared);
  });
});

describe("upstream.proxy", () => {
  test("none uses no proxy, a URL that one for every hosted provider", () => {
    expect(proxyTo("https://api.test", { HTTPS_PROXY: PROXY, WEIR_UPSTREAM_PROXY: "none" })).toBeUndefined();
    const env = { HTTPS_PROXY: "http://no.test", WEIR_UPSTREAM_PROXY: "proxy.test:3128", NO_PROXY: "b.test" };
    expect(proxyTo("https://api.test", env)).toBe(PROXY);
    expect(proxyTo("https://b.test", env)).toBeUndefined();
    expect(proxyTo("http://10.0.0.1", env)).toBeUndefined();
  });

  test("does not show its password", () => {
    for (const url of ["http://u:secret-word@p.test", "u:secret-word@p.test:1"]) {
      const env = { OPENAI_API_KEY: K1, WEIR_UPSTREAM_PROXY: url };
      expect(JSON.stringify(loadGood(env).resolved)).not.toContain("secret-word");
      const [problem = ""] = problemsOf({
        ...env,
        WEIR_UPSTREAM_PROXY: `socks5://${url.replace("http://", "")}`,
      });
      expect(problem).toContain("WEIR_UPSTREAM_PROXY");
      expect(problem).not.toContain("secret-word");
    }
  });
});
