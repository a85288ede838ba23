import { expect, test } from "bun:test";
import { backendsOf, configOf, K1, load, loadGood, problemsOf, warningsOf } from "./load-env.ts";

const env = { OPENAI_API_KEY: K1, ANTHROPIC_API_KEY: K1, HTTPS_PROXY: "http://proxy.test:3128" };
const to = (...flags: string[]) => ({ argv: flags.flatMap((flag) => ["--connect-to", flag]) });

test("--connect-to dials another address under the configured name", () => {
  const setting = to("https://api.openai.com=http://127.0.0.1:9000");
  const [openai, anthropic] = backendsOf(env, setting);
  expect(openai).toMatchObject({
    origin: "http://127.0.0.1:9000",
    hostHeader: "api.openai.com",
    ownAddress: false,
  });
  expect(openai?.endpoints.openai?.baseUrl).toBe("http://127.0.0.1:9000/v1");
  expect(openai?.proxyUrl).toBeUndefined();
  expect(anthropic).toMatchObject({
    origin: "https://api.anthropic.com",
    proxyUrl: "http://proxy.test:3128/",
  });
  expect(loadGood(env, setting).resolved.providers[0]?.backends[0]?.host).toBe("api.openai.com");
});

test("--connect-to keeps ids and route, and may be repeated", () => {
  const moved = loadGood(
    env,
    to("https://api.openai.com=http://localhost:1", "https://API.anthropic.com/=http://[::1]:2/"),
  );
  expect(moved.config.pool.backends.map(({ origin }) => origin)).toEqual([
    "http://localhost:1",
    "http://[::1]:2",
  ]);
  const plain = loadGood(env).config.pool;
  expect(moved.config.pool.backends.map(({ id }) => id)).toEqual(plain.backends.map(({ id }) => id));
  expect(moved.config.pool.providerRoutes).toEqual(plain.providerRoutes);
});

test("--connect-to keeps the port in the host it stands for, and every path", () => {
  const own = { OPENAI_API_KEY: K1, OPENAI_BASE_URL: "https://gw.test:8443/x" };
  const [backend] = backendsOf(own, to("https://gw.test:8443=http://127.0.0.1:9"));
  expect(backend?.hostHeader).toBe("gw.test:8443");
  expect(backend?.endpoints.openai?.baseUrl).toBe("http://127.0.0.1:9/x");
});

test.each([
  ["https://api.openai.com", "ORIGIN=URL"],
  ["https://api.openai.com=", "ORIGIN=URL"],
  ["=http://127.0.0.1:9", "ORIGIN=URL"],
  ["api.openai.com=http://127.0.0.1:9", "ORIGIN=URL"],
  ["https://api.openai.com/v1=http://127.0.0.1:9", "ORIGIN=URL"],
  ["https://api.openai.com=http://127.0.0.1:9/v1", "ORIGIN=URL"],
  ["https://api.openai.com=http://10.0.0.1:9", "a loopback URL after the ="],
  ["https://api.openai.com=http://127.0.0.1:8080", "another address than weir's own after the ="],
])("--connect-to %p is wrong usage", (flag, expected) => {
  const [problem = "", ...others] = problemsOf(env, to(flag));
  expect(problem).toStartWith(`cannot read --connect-to: expected ${expected}`);
  expect(others).toEqual([]);
  expect(load(env, to(flag))).toMatchObject({ kind: "problems", problems: [{ kind: "usage" }] });
});

test("an origin that nothing has is a warning: its backend may come over HTTP or by a reload, or have gone by one", () => {
  const flag = "https://api.openai.org=http://127.0.0.1:9";
  expect(problemsOf(env, to(flag))).toEqual([]);
  expect(warningsOf(env, to(flag))).toEqual([
    "--connect-to https://api.openai.org: nothing has this origin yet",
  ]);
});

test("--connect-to stands in for a webhook too, without a proxy and although it is on this machine", () => {
  const setting = to("https://hooks.corp.test=http://127.0.0.1:9000");
  const hooks = { ...env, WEIR_WEBHOOKS: "https://hooks.corp.test/a?b=c,https://hooks.slack.com/x" };
  const [moved, other] = configOf(hooks, setting).webhooks;
  expect(moved?.url.reveal()).toBe("http://127.0.0.1:9000/a?b=c");
  expect(moved).toMatchObject({ format: "json", allowPrivate: true });
  expect(moved?.proxyUrl).toBeUndefined();
  expect(other?.url.reveal()).toBe("https://hooks.slack.com/x");
  expect(other?.allowPrivate).toBeUndefined();
  expect(other?.proxyUrl).toBe("http://proxy.test:3128/");
  expect(warningsOf(hooks, setting)).toEqual([]);
});
