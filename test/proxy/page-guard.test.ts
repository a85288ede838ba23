// Who may see what operators see: peers, keys, cookies, other sites' pages, and those who guess.
import { describe, expect, test } from "bun:test";
import type { Page } from "../../src/core/page.ts";
import { Secret } from "../../src/core/credential.ts";
import { createAccess } from "../../src/proxy/access.ts";
import { ADMIN_KEY, startOperators } from "../support/operators.ts";
import { exchange } from "../support/raw.ts";

const say = (text: string) => () => new Response(text);
const PAGES: readonly Page[] = [
  { method: "GET", path: "/dashboard", respond: say("the dashboard") },
  { method: "GET", path: "/metrics", respond: say("metrics") },
  { method: "POST", path: "/api/reset", respond: say("reset") },
  { method: "GET", path: "/health", access: "open", respond: say("alive") },
  { method: "GET", path: "/v1/models", access: "client", respond: say("models") },
];
const start = (adminKey?: string, more: object = {}) => startOperators({ pages: PAGES, adminKey, ...more });
const BEARER = { authorization: `Bearer ${ADMIN_KEY}` };

describe("without an admin key", () => {
  test("a caller on this machine sees everything", async () => {
    await using weir = start();
    for (const path of ["/dashboard", "/metrics", "/health"]) expect((await weir.get(path)).status).toBe(200);
    expect((await fetch(`${weir.url}/api/reset`, { method: "POST" })).status).toBe(200);
  });

  test("a caller that comes through a proxy sees health alone", async () => {
    await using weir = start();
    for (const name of [
      "x-forwarded-for",
      "X-Forwarded-Proto",
      "x-forwarded-anything",
      "forwarded",
      "via",
      "x-real-ip",
    ]) {
      const refused = await weir.get("/dashboard", { [name]: "127.0.0.1", accept: "text/html" });
      expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
        403,
        "admin_closed",
      ]);
      expect((await weir.get("/health", { [name]: "127.0.0.1" })).status).toBe(200);
    }
  });

  test("only peers of loopback count as this machine", () => {
    const guard = pageGuardOf(undefined);
    const admits = (peer: string | undefined) => guard.admit(requestOf({}), peer) === undefined;
    for (const peer of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) expect(admits(peer)).toBe(true);
    for (const peer of [
      undefined,
      "",
      "10.0.0.1",
      "172.17.0.1",
      "::ffff:10.0.0.1",
      "fe80::1",
      "1.127.0.0",
      "::2",
    ])
      expect(admits(peer)).toBe(false);
  });

  test("a foreign Host is refused also where client tokens let any Host in", async () => {
    await using weir = start(undefined, { rules: { accessKeys: [new Secret("token")] } });
    const host = (name: string) =>
      exchange(
        weir.port,
        `GET /dashboard HTTP/1.1\r\nHost: ${name}\r\nAuthorization: Bearer token\r\nConnection: close\r\n\r\n`,
      );
    expect(await host("evil.example")).toStartWith("HTTP/1.1 403");
    expect(await host("localhost")).toStartWith("HTTP/1.1 200");
  });

  test("a client token opens no page of operators to a proxy's callers, and is asked for by pages of clients", async () => {
    await using weir = start(undefined, { rules: { accessKeys: [new Secret("token")] } });
    const client = { authorization: "Bearer token" };
    expect((await weir.get("/dashboard", { ...client, via: "1.1 proxy" })).status).toBe(403);
    expect((await weir.get("/dashboard")).status).toBe(200);
    expect((await weir.get("/v1/models")).status).toBe(401);
    expect((await weir.get("/v1/models", client)).status).toBe(200);
  });

  test("there is nothing to log in with", async () => {
    await using weir = start();
    const login = await weir.get("/dashboard/login");
    expect([login.status, login.headers.get("location")]).toEqual([303, "/dashboard"]);
    const sent = await fetch(`${weir.url}/dashboard/login`, {
      method: "POST",
      body: new URLSearchParams({ key: "" }),
    });
    expect(sent.status).toBe(404);
  });
});

describe("with an admin key", () => {
  test("it is needed everywhere but for health, from this machine too", async () => {
    await using weir = start(ADMIN_KEY);
    for (const path of ["/dashboard", "/metrics"]) {
      const refused = await weir.get(path);
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="weir"']);
      expect(refused.headers.get("content-type")).toBe("application/json");
    }
    expect((await fetch(`${weir.url}/api/reset`, { method: "POST" })).status).toBe(401);
    expect((await weir.get("/health")).status).toBe(200);
    expect((await weir.get("/dashboard/other")).status).toBe(404);
  });

  test("it is taken as bearer and as x-api-key, through proxies too", async () => {
    await using weir = start(ADMIN_KEY);
    const ways = [BEARER, { authorization: `bearer  ${ADMIN_KEY}` }, { "x-api-key": ADMIN_KEY }];
    for (const way of ways) {
      expect((await weir.get("/metrics", way)).status).toBe(200);
      expect((await weir.get("/metrics", { ...way, "x-forwarded-for": "8.8.8.8" })).status).toBe(200);
    }
  });

  test("nothing near it is taken", async () => {
    await using weir = start(ADMIN_KEY);
    const wrong = [
      ADMIN_KEY.slice(0, -1),
      `${ADMIN_KEY}0`,
      ADMIN_KEY.toUpperCase(),
      "",
      "undefined",
      "null",
      `${ADMIN_KEY}, ${ADMIN_KEY}`,
    ];
    for (const key of wrong) {
      const refused = await weir.get("/metrics", { "x-api-key": key });
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain(ADMIN_KEY);
    }
    expect((await weir.get("/metrics", { authorization: `Basic ${btoa(`x:${ADMIN_KEY}`)}` })).status).toBe(
      401,
    );
  });

  test("it opens pages without a client token, and a client token alone does not", async () => {
    await using weir = start(ADMIN_KEY, { rules: { accessKeys: [new Secret("token")] } });
    expect((await weir.get("/metrics", BEARER)).status).toBe(200);
    expect((await weir.get("/metrics", { authorization: "Bearer token" })).status).toBe(401);
    expect((await weir.get("/v1/models", BEARER)).status).toBe(401);
    expect((await weir.get("/v1/models", { authorization: "Bearer token" })).status).toBe(200);
  });

  test("another spelling of a path leads to no page", async () => {
    await using weir = start(ADMIN_KEY, { rules: { accessKeys: [] } });
    for (const path of [
      "/%6detrics",
      "/metrics/",
      "//metrics",
      "/./metrics",
      "/METRICS",
      "/metrics%2f",
      "/metrics;x",
      "/x/../metrics",
    ]) {
      const answer = await exchange(
        weir.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    }
  });
});

test("the dashboard's own port has it at LLMRouter's addresses too", async () => {
  await using weir = start();
  for (const path of ["/", "/charts", "/dashboard"])
    expect(await (await weir.get(path)).text()).toBe("the dashboard");
  await using keyed = start(ADMIN_KEY);
  for (const path of ["/", "/charts"]) expect((await keyed.get(path)).status).toBe(401);
});

describe("a wrong key", () => {
  test("is counted by what it says: ten different ones, and the address waits", async () => {
    await using weir = start(ADMIN_KEY);
    const sendKey = (key: string) => weir.get("/metrics", { "x-api-key": key });
    for (let times = 0; times < 30; times += 1) expect((await sendKey("same")).status).toBe(401);
    for (let at = 1; at < 10; at += 1) expect((await sendKey(`guess-${at}`)).status).toBe(401);
    const refused = await sendKey("guess-10");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect((await sendKey(ADMIN_KEY)).status).toBe(429);
    weir.advance(60_000);
    expect((await sendKey(ADMIN_KEY)).status).toBe(200);
  });

  test("keeps no session and no other address out", async () => {
    await using weir = start(ADMIN_KEY);
    const cookie = await logIn(weir.url);
    const guard = pageGuardOf(ADMIN_KEY);
    for (let at = 0; at < 20; at += 1) {
      await weir.get("/metrics", { "x-api-key": `guess-${at}` });
      guard.admit(requestOf({ "x-api-key": `guess-${at}` }), "2001:db8:0:1::1");
    }
    expect((await weir.get("/metrics", { "x-api-key": ADMIN_KEY })).status).toBe(429);
    expect((await weir.get("/metrics", { cookie })).status).toBe(200);
    const status = (peer: string) => guard.admit(requestOf({ "x-api-key": ADMIN_KEY }), peer)?.status;
    expect(status("2001:db8:0:1:ffff::2")).toBe(429);
    expect(status("2001:db8:0:2::1")).toBeUndefined();
    expect(status("10.0.0.1")).toBeUndefined();
  });

  test("of ever new addresses fills no memory", () => {
    const guard = pageGuardOf(ADMIN_KEY);
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 30_000; at += 1)
      guard.judge(`guess-${at}`, `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
    Bun.gc(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 ** 2);
    expect(guard.judge(ADMIN_KEY, "192.168.0.1")).toBeUndefined();
  });
});

describe("a browser", () => {
  test("that asks for a page gets a form without script, and programs do not", async () => {
    await using weir = start(ADMIN_KEY);
    const page = await weir.get("/dashboard", { accept: "text/html,*/*" });
    expect([page.status, page.headers.get("content-type")]).toEqual([401, "text/html; charset=utf-8"]);
    const html = await page.text();
    expect(html).toContain('action="/dashboard/login"');
    expect(html).toContain('value="/dashboard"');
    expect(html).not.toContain("<script");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    const [style = ""] = /(?<=<style>)[\s\S]*(?=<\/style>)/.exec(html) ?? [];
    const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect((await weir.get("/dashboard", { accept: "application/json" })).headers.get("content-type")).toBe(
      "application/json",
    );
    const wrongKey = await weir.get("/dashboard", { accept: "text/html", "x-api-key": "wrong" });
    expect(wrongKey.headers.get("content-type")).toBe("application/json");
  });

  test("logs in by form, is led on to where it was going, and logs out", async () => {
    await using weir = start(ADMIN_KEY);
    const origin = weir.url;
    const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(weir.url + path, {
        method: "POST",
        body: new URLSearchParams(fields),
        redirect: "manual",
        headers: { origin, "sec-fetch-site": "same-origin", ...headers },
      });
    const wrong = await post("/dashboard/login", { key: "wrong" });
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
    expect(await wrong.text()).toContain("That is not the admin key.");
    const right = await post("/dashboard/login", { key: ` ${ADMIN_KEY} `, next: "/metrics" });
    expect([right.status, right.headers.get("location")]).toEqual([303, "/metrics"]);
    const set = right.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^weir_session_\d+=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
    const cookie = set.split(";")[0] ?? "";
    expect((await weir.get("/metrics", { cookie: `a=b; ${cookie}; c=d` })).status).toBe(200);
    expect((await weir.get("/dashboard/login", { cookie })).status).toBe(303);
    const out = await post("/dashboard/logout", {}, { cookie });
    expect(out.headers.get("set-cookie")).toMatch(/^weir_session_\d+=; Path=\/; Max-Age=0;/);
    expect((await weir.get("/metrics", { cookie })).status).toBe(401);
  });

  test("behind TLS gets a cookie for TLS alone", async () => {
    await using weir = start(ADMIN_KEY);
    const set = async (headers: Record<string, string>) => {
      const response = await fetch(`${weir.url}/dashboard/login`, {
        method: "POST",
        body: JSON.stringify({ key: ADMIN_KEY }),
        headers: { "content-type": "application/json", ...headers },
      });
      expect(response.status).toBe(204);
      return response.headers.get("set-cookie") ?? "";
    };
    expect(await set({ "x-forwarded-proto": "https" })).toEndWith("; Secure");
    expect(await set({ origin: weir.url.replace("http:", "https:") })).toEndWith("; Secure");
    expect(await set({})).not.toContain("Secure");
  });

  test("is led to no other site after the login", async () => {
    await using weir = start(ADMIN_KEY);
    for (const next of [
      "//evil.example",
      "https://evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "/a\r\nx: y",
      "/%2f/evil",
      "",
    ]) {
      const body = new URLSearchParams({ key: ADMIN_KEY, next });
      const response = await fetch(`${weir.url}/dashboard/login`, {
        method: "POST",
        body,
        redirect: "manual",
      });
      expect(response.headers.get("location")).toBe("/dashboard");
    }
    const page = await weir.get('/dashboard?"><script>alert(1)</script>', { accept: "text/html" });
    expect(await page.text()).not.toContain("<script>");
  });

  test("is not asked again while the page is in use, for a month", async () => {
    await using weir = start(ADMIN_KEY);
    const cookie = await logIn(weir.url);
    for (let halfDays = 0; halfDays < 60; halfDays += 1) {
      expect((await weir.get("/metrics", { cookie })).status).toBe(200);
      weir.advance(12 * 3_600_000 - 1);
    }
    expect((await weir.get("/metrics", { cookie })).status).toBe(200);
    weir.advance(60);
    expect((await weir.get("/metrics", { cookie })).status).toBe(401);
  });

  test("is asked again after half a day without use, and when the key has changed", async () => {
    await using weir = start(ADMIN_KEY);
    const first = await logIn(weir.url);
    weir.advance(12 * 3_600_000 - 1);
    expect((await weir.get("/metrics", { cookie: first })).status).toBe(200);
    weir.advance(12 * 3_600_000);
    expect((await weir.get("/metrics", { cookie: first })).status).toBe(401);
    const second = await logIn(weir.url);
    weir.changeKey(ADMIN_KEY);
    expect((await weir.get("/metrics", { cookie: second })).status).toBe(200);
    weir.changeKey("another-key");
    expect((await weir.get("/metrics", { cookie: second })).status).toBe(401);
    weir.changeKey(ADMIN_KEY);
    expect((await weir.get("/metrics", { cookie: second })).status).toBe(401);
  });

  test("keeps the sessions of several weirs on one host apart", async () => {
    await using one = start(ADMIN_KEY);
    await using two = start(ADMIN_KEY);
    // A browser sends the cookies of a host to all its ports.
    const cookie = [await logIn(one.url), await logIn(two.url)].join("; ");
    for (const weir of [one, two]) expect((await weir.get("/metrics", { cookie })).status).toBe(200);
    expect((await two.get("/metrics", { cookie: await logIn(one.url) })).status).toBe(401);
  });

  test("may hold one of a thousand sessions; then the oldest ends", async () => {
    await using weir = start(ADMIN_KEY);
    const first = await logIn(weir.url);
    const second = await logIn(weir.url);
    for (let at = 0; at < 999; at += 1) await logIn(weir.url);
    expect((await weir.get("/metrics", { cookie: first })).status).toBe(401);
    expect((await weir.get("/metrics", { cookie: second })).status).toBe(200);
  });

  test("cannot make a session up", async () => {
    await using weir = start(ADMIN_KEY);
    for (const value of ["", "x", ADMIN_KEY, "__proto__", "a".repeat(43), "a".repeat(10_000)])
      for (const name of ["weir_session", `weir_session_${new URL(weir.url).port}`])
        expect((await weir.get("/metrics", { cookie: `${name}=${value}` })).status).toBe(401);
  });

  test("sends nothing on behalf of other sites' pages", async () => {
    await using weir = start(ADMIN_KEY);
    const cookie = await logIn(weir.url);
    const post = (headers: Record<string, string>) =>
      fetch(`${weir.url}/api/reset`, { method: "POST", headers: { cookie, ...headers } });
    const own = weir.url;
    expect((await post({ origin: own })).status).toBe(200);
    expect((await post({ "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect((await post({})).status).toBe(403);
    const otherPort = "http://127.0.0.1:3000";
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: otherPort, "sec-fetch-site": "same-site" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" },
    ])
      expect((await post(headers)).status).toBe(403);
    expect(
      (await weir.get("/metrics", { cookie, origin: otherPort, "sec-fetch-site": "same-site" })).status,
    ).toBe(403);
    expect(
      (await weir.get("/metrics", { cookie, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }))
        .status,
    ).toBe(403);
    const link = { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" };
    expect((await weir.get("/metrics", { cookie, ...link })).status).toBe(200);
  });

  test("of a listed origin may come with the key, and not where there is none", async () => {
    const rules = { allowedOrigins: ["https://app.example", "*"] };
    await using keyed = start(ADMIN_KEY, { rules });
    await using open = start(undefined, { rules });
    const from = (origin: string) => ({ ...BEARER, origin });
    expect((await keyed.get("/metrics", from("https://app.example"))).status).toBe(200);
    expect((await keyed.get("/metrics", from("https://evil.example"))).status).toBe(403);
    expect((await open.get("/metrics", from("https://app.example"))).status).toBe(403);
    expect((await open.get("/metrics", from("https://evil.example"))).status).toBe(403);
  });
});

describe("a login's body", () => {
  test("is a form or JSON, short, and of a known length", async () => {
    await using weir = start(ADMIN_KEY);
    const send = (body: RequestInit["body"], type: string) =>
      fetch(`${weir.url}/dashboard/login`, {
        method: "POST",
        body: body ?? null,
        headers: { "content-type": type },
      });
    expect((await send(`key=${ADMIN_KEY}`, "text/plain")).status).toBe(415);
    expect((await send("x".repeat(9000), "application/json")).status).toBe(413);
    const stream = new ReadableStream({ start: (it) => (it.enqueue(new Uint8Array(1)), it.close()) });
    expect((await send(stream, "application/json")).status).toBe(413);
    for (const body of ["{", "[]", "null", '"x"', "{}", '{"key": 1}'])
      expect((await send(body, "application/json")).status).toBe(401);
  });
});

function pageGuardOf(key: string | undefined) {
  const rules = {
    boundHost: "127.0.0.1",
    hostname: "box",
    allowedHosts: [],
    allowedOrigins: [],
    accessKeys: [],
    instanceId: "weir-1",
    adminKey: key === undefined ? undefined : new Secret(key),
  };
  return createAccess(
    () => rules,
    () => 0,
  ).pageGuard();
}

const requestOf = (headers: Record<string, string>): Request =>
  new Request("http://localhost/metrics", { headers: { host: "localhost", ...headers } });

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/dashboard/login`, {
    method: "POST",
    body: JSON.stringify({ key: ADMIN_KEY }),
    headers: { "content-type": "application/json" },
  });
  expect(response.status).toBe(204);
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}
