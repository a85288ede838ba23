// What passes between client and upstream, and what never does (section 6 of the contract).
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Endpoint, KeyPlacement } from "../../src/core/backend.ts";
import { Secret } from "../../src/core/credential.ts";
import {
  INSTANCE_HEADER,
  type Outgoing,
  requestHeaders,
  stripResponseHeaders,
  upstreamQuery,
} from "../../src/proxy/headers.ts";

const BEARER: KeyPlacement = { in: "header", name: "authorization", prefix: "Bearer " };
const endpointOf = (key: KeyPlacement = BEARER, query?: string): Endpoint => ({
  baseUrl: "http://up/v1",
  key,
  ...(query === undefined ? {} : { query }),
});
const ours = new Secret("sk-ours");

function sent(
  incoming: Headers | Record<string, string>,
  fields: Partial<Outgoing> = {},
): Record<string, string> {
  const headers = requestHeaders({
    incoming: new Headers(incoming),
    endpoint: endpointOf(),
    secret: undefined,
    instanceId: undefined,
    hostHeader: undefined,
    fixed: undefined,
    ...fields,
  });
  return Object.fromEntries(headers);
}

const NEVER_SENT = [
  ..."authorization x-api-key api-key x-goog-api-key cookie openai-organization openai-project forwarded".split(
    " ",
  ),
  ..."x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-anything via origin referer".split(" "),
  ..."sec-fetch-site sec-fetch-mode sec-ch-ua sec-websocket-key host content-length expect".split(" "),
  ..."connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer".split(" "),
  ..."transfer-encoding upgrade x-weir-provider x-weir-instance x-weir-anything".split(" "),
];

describe("a request header", () => {
  test.each(NEVER_SENT)("named %s is not passed on, in any case", (name) => {
    expect(sent({ [name]: "x" })).toEqual({});
    expect(sent({ [name.toUpperCase()]: "x" })).toEqual({});
  });

  test("of any other name passes as it is", () => {
    const passing = {
      accept: "text/event-stream",
      "accept-encoding": "gzip, br",
      "anthropic-beta": "a,b",
      "anthropic-version": "2023-06-01",
      "content-type": "application/json; charset=utf-8",
      "idempotency-key": "k",
      "openai-beta": "assistants=v2",
      "user-agent": "OpenAI/JS",
      "x-request-id": "r",
      "x-stainless-retry-count": "1",
      "x-custom": "é",
      "x-forwardedfor": "x",
      security: "x",
      cookies: "x",
    };
    expect(sent(passing)).toEqual(passing);
  });

  test("that Connection names is not passed on", () => {
    expect(
      sent({ connection: "X-Hop, keep-alive ,  x-other", "x-hop": "1", "x-other": "2", "x-stay": "3" }),
    ).toEqual({ "x-stay": "3" });
    const twice = new Headers({ "x-hop": "1", "x-other": "2" });
    twice.append("connection", "close");
    twice.append("connection", "x-hop");
    expect(sent(twice)).toEqual({ "x-other": "2" });
    expect(sent({ connection: ',, ,"odd",', "x-stay": "3" })).toEqual({ "x-stay": "3" });
    for (const usual of ["keep-alive", "close", "Keep-Alive", "upgrade"])
      expect(sent({ connection: usual, "keep-alive": "timeout=5", upgrade: "h2c", "x-stay": "3" })).toEqual({
        "x-stay": "3",
      });
  });
});

describe("our key", () => {
  test("takes the place of the caller's, with its prefix", () => {
    const theirs = {
      authorization: "Bearer theirs",
      "x-api-key": "theirs",
      "api-key": "theirs",
      "x-goog-api-key": "theirs",
    };
    expect(sent(theirs, { secret: ours })).toEqual({ authorization: "Bearer sk-ours" });
    for (const name of ["x-api-key", "api-key", "x-goog-api-key", "x-special"])
      expect(
        sent(theirs, { secret: ours, endpoint: endpointOf({ in: "header", name, prefix: "" }) }),
      ).toEqual({ [name]: "sk-ours" });
  });

  test("cannot be removed by a Connection header", () => {
    expect(
      sent(
        { connection: "authorization, x-weir-instance, host" },
        { secret: ours, instanceId: "me", hostHeader: "real" },
      ),
    ).toEqual({
      authorization: "Bearer sk-ours",
      [INSTANCE_HEADER]: "me",
      host: "real",
    });
  });

  test("stands in no header when it belongs into the query, or there is none", () => {
    const endpoint = endpointOf({ in: "query", name: "key", prefix: "" });
    expect(sent({ authorization: "Bearer theirs" }, { secret: ours, endpoint })).toEqual({});
    expect(sent({ authorization: "Bearer theirs" })).toEqual({});
  });
});

describe("the trace of weirs", () => {
  test("grows by this one's id, only where it is asked for", () => {
    expect(sent({}, { instanceId: "me" })).toEqual({ [INSTANCE_HEADER]: "me" });
    expect(sent({ [INSTANCE_HEADER]: "other" }, { instanceId: "me" })).toEqual({
      [INSTANCE_HEADER]: "other, me",
    });
    expect(sent({ [INSTANCE_HEADER]: "other" })).toEqual({});
  });
});

describe("the incoming headers", () => {
  test("are left as they were", () => {
    const incoming = new Headers({ authorization: "Bearer theirs", connection: "x-hop", "x-hop": "1" });
    sent(incoming, { secret: ours });
    expect(incoming.get("authorization")).toBe("Bearer theirs");
    expect(incoming.get("x-hop")).toBe("1");
  });
});

const query = (search: string, endpoint = endpointOf(), secret?: Secret) =>
  upstreamQuery(search, endpoint, secret);

/** A letter as it is, or escaped in either case. */
const letter = (char: string) => {
  const hex = char.charCodeAt(0).toString(16);
  return fc.constantFrom(char, `%${hex}`, `%${hex.toUpperCase()}`);
};

describe("the query", () => {
  test("passes as it stands, without any key", () => {
    for (const search of [
      "?a=1&b=2",
      "?alt=sse",
      "?a=%20+%2B",
      "?&&",
      "?keys=1&a-key=2&KEY=3",
      "?a=key=1",
      "?%zz=1",
      "?%256bey=1",
    ])
      expect(query(search)).toBe(search);
    for (const search of [
      "",
      "?",
      "?key=x",
      "?key",
      "?key=",
      "?key=a&key=b",
      "?%6bey=x",
      "?%6B%65%79=x",
      "?k%65y=x&key=y",
    ])
      expect(query(search)).toBe("");
    expect(query("?a=1&key=x&b=2&%6bey=y&c")).toBe("?a=1&b=2&c");
  });

  test("gets what the endpoint adds, and our key where it belongs there", () => {
    expect(query("", endpointOf(BEARER, "api-version=2024-10-21"))).toBe("?api-version=2024-10-21");
    expect(query("?a=1", endpointOf(BEARER, "api-version=2024-10-21"), ours)).toBe(
      "?a=1&api-version=2024-10-21",
    );
    const inQuery = endpointOf({ in: "query", name: "key", prefix: "" });
    expect(query("?alt=sse&key=theirs", inQuery, new Secret("a&b=c d"))).toBe("?alt=sse&key=a%26b%3Dc%20d");
    expect(query("?key=theirs", inQuery)).toBe("");
  });

  test("never shows an upstream a key of the caller's", () => {
    const name = fc.oneof(
      fc.tuple(letter("k"), letter("e"), letter("y")).map((parts) => parts.join("")),
      fc.constantFrom("a", "keys", "%ff", "%"),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.constantFrom("", "=", "=theirs", "=a=b"))), (pairs) => {
        const search = `?${pairs.map((pair) => pair.join("")).join("&")}`;
        expect(new URLSearchParams(query(search)).has("key")).toBe(false);
      }),
    );
  });
});

const stripped = (headers: Headers | Record<string, string>): Record<string, string> => {
  const copy = new Headers(headers);
  stripResponseHeaders(copy);
  return Object.fromEntries(copy);
};

describe("a response header", () => {
  test.each([
    ..."connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split(
      " ",
    ),
    ..."alt-svc strict-transport-security access-control-allow-origin access-control-expose-headers".split(
      " ",
    ),
    ..."access-control-anything".split(" "),
  ])("named %s does not reach the client", (name) => {
    expect(stripped({ [name]: "x" })).toEqual({});
    expect(stripped({ [name.toUpperCase()]: "x" })).toEqual({});
  });

  test("that sets cookies does not reach the client, however many", () => {
    const headers = new Headers({ "x-stay": "1" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    stripResponseHeaders(headers);
    expect(headers.getSetCookie()).toEqual([]);
    expect(Object.fromEntries(headers)).toEqual({ "x-stay": "1" });
  });

  test("that Connection names does not reach the client, and odd names there do no harm", () => {
    expect(stripped({ connection: 'X-Hop, bad name, , "q", close', "x-hop": "1", "x-stay": "2" })).toEqual({
      "x-stay": "2",
    });
  });

  test("of any other name does", () => {
    const passing = {
      "content-encoding": "gzip",
      "content-length": "5",
      "content-type": "application/json",
      "retry-after": "7",
      "x-ratelimit-remaining-requests": "1",
      "x-request-id": "r",
      "x-should-retry": "false",
      "anthropic-ratelimit-requests-limit": "5",
      "openai-processing-ms": "9",
    };
    expect(stripped(passing)).toEqual(passing);
  });
});

test("a parameter that the endpoint sets replaces the client's own", () => {
  const endpoint = {
    baseUrl: "https://a",
    key: { in: "header", name: "api-key", prefix: "" },
    query: "api-version=1",
  } as const;
  expect(upstreamQuery("?api%2Dversion=9&x=1", endpoint, undefined)).toBe("?x=1&api-version=1");
});

describe("a backend's fixed headers", () => {
  test("are sent over the client's, and under the key", () => {
    const fixed = { "x-team": "ours", "x-token": new Secret("t"), authorization: "Bearer fixed" };
    expect(sent({ "x-team": "theirs", "x-stay": "1" }, { fixed })).toEqual({
      "x-team": "ours",
      "x-token": "t",
      "x-stay": "1",
      authorization: "Bearer fixed",
    });
    expect(sent({}, { fixed, secret: ours })["authorization"]).toBe("Bearer sk-ours");
  });
});

test("a key that belongs into the body is in no header and no query", () => {
  const endpoint = endpointOf({ in: "body", name: "api_key", prefix: "" });
  expect(sent({}, { endpoint, secret: ours })).toEqual({});
  expect(upstreamQuery("?a=1&key=x", endpoint, ours)).toBe("?a=1");
  expect(upstreamQuery("", endpoint, ours)).toBe("");
});
