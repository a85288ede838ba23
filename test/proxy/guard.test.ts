// Who may come in: Host, origin, token, loop; before anything else looks at the request.
import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/credential.ts";
import { familyOfPath } from "../../src/core/operation.ts";
import { allowOrigin, createGuard, type GuardRules } from "../../src/proxy/guard.ts";
import { INSTANCE_HEADER } from "../../src/proxy/headers.ts";
import { refuse } from "../../src/core/refusal.ts";

const RULES: GuardRules = {
  boundHost: "127.0.0.1",
  hostname: "Box.lan.example",
  allowedHosts: [],
  allowedOrigins: [],
  accessKeys: [],
  instanceId: "weir-1",
};
const TOKENS: Partial<GuardRules> = { accessKeys: [new Secret("token-one"), new Secret("token-two")] };

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

function answer(
  rules: Partial<GuardRules>,
  { method = "POST", path = "/v1/chat/completions", headers = {} }: Asked,
): Response | undefined {
  const all = new Headers({ host: "localhost:8080", ...headers });
  // A real Request refuses forbidden methods and normalises; the server's does not.
  const request = { method, url: `http://localhost:8080${path}`, headers: all } as Request;
  const guard = createGuard({ ...RULES, ...rules });
  const refused = guard.screen(request);
  // Health is open to everybody; what else there is needs the token.
  if (refused !== undefined || /^\/health([/?]|$)/.test(path)) return refused;
  const refusal = guard.admit(request);
  return refusal && refuse(familyOfPath(path), refusal);
}
const status = (rules: Partial<GuardRules>, asked: Asked): number | undefined => answer(rules, asked)?.status;
const withHost = (host: string, rules: Partial<GuardRules> = {}) => status(rules, { headers: { host } });

describe("a Host", () => {
  const loopback = [
    "localhost",
    "localhost:8080",
    "LOCALHOST",
    "127.0.0.1",
    "127.1.2.3:1",
    "[::1]",
    "[::1]:8080",
  ];
  const literals = ["10.0.0.5", "8.8.8.8:80", "[fe80::1]", "[2001:db8::1]:8080"];
  const plain = ["box", "weir:8080", "a"];
  const own = ["box.lan.example", "BOX.LAN.EXAMPLE:8080"];
  const foreign = [
    "evil.com",
    "localhost.evil.com",
    "127.0.0.1.evil.com",
    "evil.com:8080",
    "localhost.",
    "xn--a.b",
    "127.0.0.1.",
    "1.2.3.4.5",
  ];

  test("of loopback is always served", () => {
    for (const host of loopback)
      for (const boundHost of ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "192.168.1.5"])
        expect(withHost(host, { boundHost })).toBeUndefined();
  });

  test("of another kind is not served on loopback", () => {
    for (const host of [...literals, ...plain, ...own, ...foreign])
      for (const boundHost of ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
        expect(withHost(host, { boundHost })).toBe(421);
  });

  test("elsewhere may be an address, a name without a dot, or our own", () => {
    for (const boundHost of ["0.0.0.0", "::", "192.168.1.5", "box.lan.example"]) {
      for (const host of [...literals, ...plain, ...own])
        expect(withHost(host, { boundHost })).toBeUndefined();
      for (const host of foreign) expect(withHost(host, { boundHost })).toBe(421);
    }
  });

  test("may be one that is allowed, with or without its port", () => {
    const allowed = { boundHost: "0.0.0.0", allowedHosts: ["LLM.example.com", "other.example:9000"] };
    expect(withHost("llm.example.com", allowed)).toBeUndefined();
    expect(withHost("llm.example.com:1234", allowed)).toBeUndefined();
    expect(withHost("other.example:9000", allowed)).toBeUndefined();
    expect(withHost("other.example:9001", allowed)).toBe(421);
    expect(withHost("other.example", allowed)).toBe(421);
    expect(withHost("sub.llm.example.com", allowed)).toBe(421);
  });

  test("may be any well-formed one where a token is needed", () => {
    for (const host of [...literals, ...foreign])
      expect(status(TOKENS, { headers: { host, authorization: "Bearer token-one" } })).toBeUndefined();
  });

  test("that is malformed is refused before all else, also with a token and for health", () => {
    const malformed = [
      "",
      "a@evil.com",
      "a b",
      "a, b",
      "localhost, localhost",
      "a/../x?",
      "a\\b",
      "http://localhost",
      "localhost:",
      "localhost:80a",
      "localhost:123456",
      "::1",
      "[::1",
      "[::1]x",
      "[::g]",
      "héllo",
      "a%2fb",
      "[fe80::1%25eth0]",
      ":8080",
    ];
    for (const host of malformed) {
      expect(withHost(host)).toBe(400);
      expect(status(TOKENS, { headers: { host, authorization: "Bearer token-one" } })).toBe(400);
      expect(status({}, { path: "/health", headers: { host } })).toBe(400);
    }
    const request = { method: "GET", url: "http://localhost/health", headers: new Headers() } as Request;
    expect(createGuard(RULES).screen(request)?.status).toBe(400);
  });
});

const withOrigin = (headers: Record<string, string>, rules: Partial<GuardRules> = {}) =>
  status(rules, { headers });

describe("a caller's origin", () => {
  test("may be absent, as with every program", () => {
    expect(withOrigin({})).toBeUndefined();
    for (const site of ["same-origin", "none", "same-site"])
      expect(withOrigin({ "sec-fetch-site": site })).toBeUndefined();
  });

  test("may be weir's own page", () => {
    expect(withOrigin({ origin: "http://localhost:8080" })).toBeUndefined();
    expect(withOrigin({ origin: "HTTP://LOCALHOST:8080", "sec-fetch-site": "same-origin" })).toBeUndefined();
    expect(withOrigin({ origin: "https://localhost:8080" })).toBeUndefined();
  });

  test("of another site is refused", () => {
    for (const origin of [
      "http://evil.com",
      "null",
      "http://localhost",
      "http://localhost:3000",
      "http://localhost:8080.evil.com",
      "file://",
      "",
    ])
      expect(withOrigin({ origin })).toBe(403);
    expect(withOrigin({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(withOrigin({ origin: "http://evil.com", "sec-fetch-site": "same-origin" })).toBe(403);
    expect(
      status(TOKENS, { headers: { origin: "http://evil.com", authorization: "Bearer token-one" } }),
    ).toBe(403);
  });

  test("may be one that is allowed", () => {
    const allowed = { allowedOrigins: ["https://App.example/", "http://localhost:3000"] };
    expect(
      withOrigin({ origin: "https://app.example", "sec-fetch-site": "cross-site" }, allowed),
    ).toBeUndefined();
    expect(withOrigin({ origin: "http://localhost:3000" }, allowed)).toBeUndefined();
    expect(withOrigin({ origin: "http://app.example" }, allowed)).toBe(403);
    expect(withOrigin({ origin: "https://app.example.evil" }, allowed)).toBe(403);
    expect(withOrigin({ "sec-fetch-site": "cross-site" }, allowed)).toBe(403);
  });

  test("may be any where all are allowed", () => {
    for (const origin of ["http://evil.com", "null"])
      expect(withOrigin({ origin }, { allowedOrigins: ["*"] })).toBeUndefined();
    expect(withOrigin({ "sec-fetch-site": "cross-site" }, { allowedOrigins: ["*"] })).toBeUndefined();
  });
});

describe("a preflight", () => {
  const headers = {
    origin: "https://app.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };

  test("of an allowed origin is answered without a token", () => {
    const response = answer(
      { ...TOKENS, allowedOrigins: ["https://app.example"] },
      { method: "OPTIONS", headers },
    );
    expect(response?.status).toBe(204);
    expect(response?.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response?.headers.get("access-control-allow-headers")).toBe("authorization");
    expect(response?.headers.get("vary")).toBe("origin");
    expect(response?.headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("of another origin is refused without any permission", () => {
    const response = answer({}, { method: "OPTIONS", headers });
    expect(response?.status).toBe(403);
    expect([...(response?.headers.keys() ?? [])].filter((name) => name.startsWith("access-control"))).toEqual(
      [],
    );
  });

  test("is not every OPTIONS", () => {
    expect(status({}, { method: "OPTIONS" })).toBeUndefined();
    expect(status(TOKENS, { method: "OPTIONS" })).toBe(401);
  });
});

const allow = (allowed: readonly string[], origin: string | undefined) => {
  const response = new Response(null, { headers: { vary: "accept" } });
  const headers = new Headers(origin === undefined ? {} : { origin });
  allowOrigin(response, { headers } as Request, allowed);
  return [response.headers.get("access-control-allow-origin"), response.headers.get("vary")];
};

describe("an answer", () => {
  test("may be read by a page of an allowed origin only", () => {
    expect(allow(["https://app.example"], "https://app.example")).toEqual([
      "https://app.example",
      "accept, origin",
    ]);
    expect(allow(["https://app.example/"], "https://APP.example")).toEqual([
      "https://APP.example",
      "accept, origin",
    ]);
    expect(allow(["*"], "https://any")).toEqual(["https://any", "accept, origin"]);
    expect(allow(["https://app.example"], "https://evil")).toEqual([null, "accept"]);
    expect(allow(["https://app.example"], undefined)).toEqual([null, "accept"]);
    expect(allow([], "https://app.example")).toEqual([null, "accept"]);
  });
});

describe("a client token", () => {
  test("is not asked for where none is set", () => {
    expect(status({}, { headers: { authorization: "Bearer whatever" } })).toBeUndefined();
  });

  test("may come in any of four headers", () => {
    for (const token of ["token-one", "token-two"])
      for (const headers of [
        { authorization: `Bearer ${token}` },
        { authorization: `bearer   ${token}` },
        { authorization: token },
        { "x-api-key": token },
        { "api-key": token },
        { "x-goog-api-key": token },
        { authorization: "Bearer wrong", "x-api-key": token },
      ])
        expect(status(TOKENS, { headers })).toBeUndefined();
  });

  test("must be right to the letter", () => {
    for (const headers of [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: "Bearer token-on" },
      { authorization: "Bearer token-one1" },
      { authorization: "Bearer TOKEN-ONE" },
      { authorization: "Basic token-one" },
      { authorization: "Bearer token-one, Bearer token-two" },
      { "x-api-key": "Bearer token-one" },
      { cookie: "token-one" },
      { "x-auth": "token-one" },
    ] as Record<string, string>[])
      expect(status(TOKENS, { headers })).toBe(401);
    expect(status(TOKENS, { path: "/v1/chat/completions?key=token-one" })).toBe(401);
  });

  test("is asked for on every path but health", () => {
    for (const path of ["/", "/v1/models", "/metrics", "/dashboard", "/healthy", "/v1/health"])
      expect(status(TOKENS, { method: "GET", path })).toBe(401);
    for (const path of ["/health", "/health/live", "/health/ready", "/health?x=y"])
      expect(status(TOKENS, { method: "GET", path })).toBeUndefined();
  });

  test("is not told in the refusal, and nor are the right ones", async () => {
    const response = answer(TOKENS, { headers: { authorization: "Bearer wrong-guess" } });
    const text = (await response?.text()) ?? "";
    expect(text).not.toMatch(/wrong-guess|token-one|token-two/);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: "invalid_api_key", type: "authentication_error" },
    });
  });
});

describe("health", () => {
  test("is open to every host and origin", () => {
    const headers = { host: "evil.com", origin: "http://evil.com", "sec-fetch-site": "cross-site" };
    expect(status({}, { method: "GET", path: "/health/ready", headers })).toBeUndefined();
  });
});

describe("a loop", () => {
  test("is refused with 508", () => {
    expect(status({}, { headers: { [INSTANCE_HEADER]: "weir-1" } })).toBe(508);
    expect(status({}, { headers: { [INSTANCE_HEADER]: "weir-0, weir-1, weir-2" } })).toBe(508);
    expect(status({}, { headers: { [INSTANCE_HEADER]: "weir-0" } })).toBeUndefined();
  });
});

describe("a request that is odd in form", () => {
  test("is refused for its method", () => {
    for (const method of ["CONNECT", "TRACE"]) expect(status({}, { method })).toBe(405);
  });

  test("is refused for a repeated length", () => {
    expect(status({}, { headers: { "content-length": "3, 3" } })).toBe(400);
    expect(status({}, { headers: { "content-length": "3" } })).toBeUndefined();
  });
});

describe("a refusal", () => {
  test("has the shape of the path's family", async () => {
    const shape = async (path: string) => (await answer(TOKENS, { path })?.json()) as Record<string, unknown>;
    expect(await shape("/v1/chat/completions")).toMatchObject({
      error: { code: "invalid_api_key", param: null },
    });
    expect(await shape("/v1/messages")).toMatchObject({
      type: "error",
      error: { type: "authentication_error" },
    });
    expect(await shape("/v1beta/models/g:generateContent")).toMatchObject({
      error: { code: 401, status: "UNAUTHENTICATED" },
    });
    expect(answer(TOKENS, {})?.headers.get("content-type")).toBe("application/json");
  });
});
