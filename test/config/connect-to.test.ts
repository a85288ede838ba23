import { expect, test } from "bun:test";
import { backendsOf, K1, load, loadGood, problemsOf, warningsOf } from "./load-env.ts";

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
  ["https://api.openai.org=http://127.0.0.1:9", "the origin of a configured backend before the ="],
])("--connect-to %p is wrong usage", (flag, expected) => {
  const [problem = "", ...others] = problemsOf(env, to(flag));
  expect(problem).toStartWith(`cannot read --connect-to: expected ${expected}`);
  expect(others).toEqual([]);
  expect(load(env, to(flag))).toMatchObject({ kind: "problems", problems: [{ kind: "usage" }] });
});

test("an origin that no backend has yet is a warning where backends may be added over HTTP", () => {
  const argv = ["--connect-to", "https://api.openai.com=http://127.0.0.1:9000"];
  const env = { GROQ_API_KEYS: K1 };
  expect(problemsOf(env, { argv })).toHaveLength(1);
  expect(warningsOf({ ...env, WEIR_ADMIN_KEY: "admin-key-0001" }, { argv })).toEqual([
    "--connect-to https://api.openai.com: no backend has this origin yet",
  ]);
});
