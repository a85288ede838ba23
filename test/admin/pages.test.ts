// The admin API over real sockets: TrustGate's paths, bodies and statuses.
import { describe, expect, test } from "bun:test";
import Ajv from "ajv/dist/2020";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { UpstreamStore } from "../../src/admin/store.ts";
import { makeFolder, type Operators, openStore, pagesOf, startOperators } from "../support/operators.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/samples/trustgate/upstream.json"), "utf8");
const UPSTREAMS = "/api/v1/gateways/any-gateway/upstreams";
const KEY = "sk-canary-0123456789abcdef";

interface Api extends Operators {
  readonly store: UpstreamStore;
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Response>;
}

function startApi(path = "", terms: Parameters<typeof openStore>[1] = {}): Api {
  const store = openStore(path, terms);
  const operators = startOperators({ pages: pagesOf(store) });
  return {
    ...operators,
    store,
    send: (method, path, body, headers = {}) =>
      fetch(operators.url + path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
  };
}

const upstream = (name: string, more: object = {}) => ({
  name,
  targets: [{ host: "a.example", credentials: { header_name: "x-api-key", header_value: KEY }, ...more }],
});
interface Refused {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems?: readonly { readonly path: string }[];
  };
}
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as Refused).error.code;

describe("TrustGate's sample", () => {
  test("is taken as it stands, comments and all, and comes back with its secrets masked", async () => {
    await using api = startApi();
    const made = await api.send("POST", UPSTREAMS, SAMPLE);
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(`${UPSTREAMS}/up-1`);
    const plain = JSON.parse(SAMPLE.replaceAll(/#.*$/gm, "")) as { targets: { credentials: object }[] };
    const masked = {
      ...plain,
      targets: plain.targets.map((target, at) => ({
        ...target,
        credentials: {
          header_name: "Authorization",
          // A key under 16 characters is hidden whole.
          header_value: at === 0 ? "Bearer ***" : "Bearer ***-key",
        },
      })),
    };
    const shown = { id: "up-1", gateway_id: "any-gateway", ...masked };
    expect(await made.json()).toEqual(shown);
    const read = await api.send("GET", `${UPSTREAMS}/up-1`);
    expect(read.status).toBe(200);
    expect(await read.json()).toEqual(shown);
    expect(await (await api.send("GET", UPSTREAMS)).json()).toEqual([shown]);
    const spec = api.store.list()[0]?.spec;
    expect(spec?.targets.map(({ origin, weight, defaultModel }) => [origin, weight, defaultModel])).toEqual([
      ["https://api.openai.com", 60, "gpt-4o-mini"],
      ["https://api.anthropic.com", 40, "claude-3-5-sonnet-20241022"],
    ]);
    expect(spec?.targets[0]?.key?.secret.reveal()).toBe("your-openai-key");
  });

  test("may be YAML", async () => {
    await using api = startApi();
    const yaml = "name: y # a note\ntargets:\n  - host: a.example\n    models: [m]\n";
    const made = await api.send("POST", UPSTREAMS, yaml, { "content-type": "application/yaml" });
    expect(made.status).toBe(201);
    expect(api.store.list()[0]?.spec.targets[0]?.models).toEqual(["m"]);
  });
});

describe("an upstream", () => {
  test("is replaced whole, and removed", async () => {
    await using api = startApi();
    await api.send("POST", UPSTREAMS, upstream("a", { weight: 3 }));
    const put = await api.send("PUT", `${UPSTREAMS}/up-1`, upstream("b"));
    expect(put.status).toBe(200);
    expect(api.store.list().map(({ spec }) => [spec.name, spec.targets[0]?.weight])).toEqual([["b", 1]]);
    const gone = await api.send("DELETE", `${UPSTREAMS}/up-1`);
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    expect((await api.send("GET", `${UPSTREAMS}/up-1`)).status).toBe(404);
    expect(await (await api.send("GET", UPSTREAMS)).json()).toEqual([]);
  });

  test("keeps its secrets when what was read is sent back", async () => {
    await using api = startApi();
    const target = { host: "a.example", headers: { "x-extra": KEY } };
    const other = { host: "b.example", credentials: { param_name: "key", param_value: `${KEY}-2` } };
    await api.send("POST", UPSTREAMS, { name: "a", targets: [upstream("a").targets[0], target, other] });
    const read = (await (await api.send("GET", `${UPSTREAMS}/up-1`)).json()) as {
      targets: { weight?: number }[];
    };
    expect(JSON.stringify(read)).not.toContain("canary");
    const targets = [...read.targets].toReversed().map((each) => ({ ...each, weight: 5 }));
    expect((await api.send("PUT", `${UPSTREAMS}/up-1`, { ...read, targets })).status).toBe(200);
    const [third, second, first] = api.store.list()[0]?.spec.targets ?? [];
    expect(first?.key?.secret.reveal()).toBe(KEY);
    expect(second?.headers.get("x-extra")?.reveal()).toBe(KEY);
    expect(third?.key?.secret.reveal()).toBe(`${KEY}-2`);
    expect([first?.weight, second?.weight, third?.weight]).toEqual([5, 5, 5]);
  });

  test("does not send a kept secret anywhere else", async () => {
    await using api = startApi();
    await api.send("POST", UPSTREAMS, upstream("a"));
    const masked = { header_name: "x-api-key", header_value: "***cdef" };
    const elsewhere = [
      { host: "evil.example", credentials: masked },
      { host: "a.example", port: 8443, credentials: masked },
      { host: "a.example", protocol: "http", credentials: masked },
      { host: "a.example", path: "/echo", credentials: masked },
      { host: "a.example", credentials: { ...masked, header_name: "x-other" } },
      { host: "a.example", credentials: { ...masked, header_value: "***abcd" } },
      { host: "a.example", headers: { "x-api-key": "***cdef" } },
    ];
    for (const target of elsewhere) {
      const put = await api.send("PUT", `${UPSTREAMS}/up-1`, { name: "a", targets: [target] });
      expect(put.status).toBe(400);
      expect(await put.text()).toContain("masked");
    }
    expect(
      (
        await api.send("POST", UPSTREAMS, {
          name: "b",
          targets: [{ host: "a.example", credentials: masked }],
        })
      ).status,
    ).toBe(400);
    const same = {
      host: "A.example",
      port: 443,
      protocol: "https",
      credentials: { ...masked, header_name: "X-API-Key" },
    };
    expect((await api.send("PUT", `${UPSTREAMS}/up-1`, { name: "a", targets: [same] })).status).toBe(200);
    expect(api.store.list()[0]?.spec.targets[0]?.key?.secret.reveal()).toBe(KEY);
  });

  test("has a name of its own", async () => {
    await using api = startApi();
    await api.send("POST", UPSTREAMS, upstream("a"));
    await api.send("POST", UPSTREAMS, upstream("b"));
    const again = await api.send("POST", UPSTREAMS, upstream("a"));
    expect([again.status, await codeOf(again)]).toEqual([409, "name_taken"]);
    expect((await api.send("PUT", `${UPSTREAMS}/up-2`, upstream("a"))).status).toBe(409);
    expect((await api.send("PUT", `${UPSTREAMS}/up-2`, upstream("b"))).status).toBe(200);
  });

  test("is changed only as the caller knows it, with If-Match", async () => {
    await using api = startApi();
    const made = await api.send("POST", UPSTREAMS, upstream("a"));
    const tag = made.headers.get("etag") ?? "";
    expect(tag).toBe('"up-1-1"');
    const path = `${UPSTREAMS}/up-1`;
    const put = await api.send("PUT", path, upstream("b"), { "if-match": `"other", ${tag}` });
    expect([put.status, put.headers.get("etag")]).toEqual([200, '"up-1-2"']);
    expect((await api.send("PUT", path, upstream("c"), { "if-match": tag })).status).toBe(412);
    expect((await api.send("DELETE", path, undefined, { "if-match": tag })).status).toBe(412);
    expect((await api.send("DELETE", path, undefined, { "if-match": "*" })).status).toBe(204);
  });

  test("that is not there is told, whatever the escapes in its name", async () => {
    await using api = startApi();
    for (const id of ["x", "%E0%A4%A", "__proto__", "a%20b"])
      for (const method of ["GET", "PUT", "DELETE"]) {
        const response = await api.send(
          method,
          `${UPSTREAMS}/${id}`,
          method === "PUT" ? upstream("a") : undefined,
        );
        expect([response.status, await codeOf(response)]).toEqual([404, "upstream_not_found"]);
      }
  });
});

test("the gateway is one, of whatever id", async () => {
  await using api = startApi();
  await api.send("POST", UPSTREAMS, upstream("a"));
  const list = await (await api.send("GET", "/api/v1/gateways")).json();
  expect(list).toEqual({
    gateways: [{ id: "weir", name: "weir", status: "active", upstreams: 1 }],
    count: 1,
    offset: 0,
    limit: 1,
  });
  const one = await (await api.send("GET", "/api/v1/gateways/3f2a%20b")).json();
  expect(one).toEqual({ id: "3f2a b", name: "weir", status: "active", upstreams: 1 });
  const elsewhere = await api.send("GET", "/api/v1/gateways/another/upstreams/up-1");
  expect(((await elsewhere.json()) as { gateway_id: string }).gateway_id).toBe("another");
});

describe("a request", () => {
  test("with another method is answered 405 with those there are", async () => {
    await using api = startApi();
    const allowed: readonly [string, string, string][] = [
      ["PATCH", `${UPSTREAMS}/up-1`, "GET, PUT, DELETE"],
      ["POST", `${UPSTREAMS}/up-1`, "GET, PUT, DELETE"],
      ["PUT", UPSTREAMS, "GET, POST"],
      ["POST", "/api/v1/gateways", "GET"],
      ["DELETE", "/api/v1/gateways/x", "GET"],
    ];
    for (const [method, path, allow] of allowed) {
      const response = await api.send(method, path, upstream("a"));
      expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    }
  });

  test("with mistakes is told all of them, and none of its keys", async () => {
    await using api = startApi();
    const body = {
      nam: "a",
      algorithm: "semantic",
      health_checks: { threshold: 0, interval: -1 },
      model_mismatch: "maybe",
      targets: [
        { host: "https://a.example", port: 0, weight: -1, priority: 1.5 },
        { host: "b.example", credentials: { header_value: KEY }, insecure_ssl: true },
        { host: "c.example", credentials: { header_name: "Host", header_value: `${KEY}\n` } },
        { host: "d.example", credentials: { [KEY]: KEY, param_location: "cookie" } },
        { host: "e.example", headers: { "content-length": "1", "bad name": KEY } },
        {
          host: "f.example",
          path: `/v1?key=${KEY}`,
          credentials: { header_name: "a", header_value: "${SECRET}" },
        },
        { host: `user:${KEY}@g.example` },
      ],
    };
    const response = await api.send("POST", UPSTREAMS, body);
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).not.toContain("canary");
    const { error } = JSON.parse(text) as Refused;
    expect(error.code).toBe("invalid_upstream");
    expect(error.problems?.map(({ path }) => path.replace(/\*\*\*\w*/, "(key)")).toSorted()).toEqual(
      [
        "algorithm",
        "health_checks.interval",
        "health_checks.threshold",
        "model_mismatch",
        "nam",
        "name",
        "targets[0].host",
        "targets[0].port",
        "targets[0].priority",
        "targets[0].weight",
        "targets[1].credentials.header_name",
        "targets[1].insecure_ssl",
        "targets[2].credentials.header_name",
        "targets[2].credentials.header_value",
        "targets[3].credentials.(key)",
        "targets[3].credentials.param_location",
        "targets[4].headers",
        "targets[4].headers.content-length",
        "targets[5].credentials.header_value",
        "targets[5].path",
        "targets[6].host",
      ].toSorted(),
    );
    for (const { path } of error.problems ?? []) expect(error.message).toContain(path);
    expect(api.store.list()).toEqual([]);
  });

  test("that is no JSON and no YAML is told where it breaks", async () => {
    await using api = startApi();
    const broken = await api.send("POST", UPSTREAMS, `{"name": "a",\n "targets": [${KEY}`);
    expect(broken.status).toBe(400);
    const text = await broken.text();
    expect(text).toMatch(/line \d+, column \d+/);
    const empty = await api.send("POST", UPSTREAMS, "");
    expect(await empty.text()).toContain("expected an upstream in JSON or YAML, found an empty body");
    expect(text).not.toContain(KEY);
  });

  test("that would name code, a file or a bomb is refused", async () => {
    await using api = startApi();
    const bodies = [
      { ...upstream("a"), algorithm: "custom:./evil.ts" },
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghijklm"
        .split("")
        .map(
          (name, at) => `${name}: &${name} [${Array<string>(9).fill(`*${"abcdefghijklm"[at]}`).join(",")}]`,
        )
        .join("\n")}`,
      "x: &x [*x]",
      "[".repeat(100_000),
      "- ".repeat(100_000),
      "null",
      "",
      "[]",
      '"text"',
    ];
    for (const body of bodies) expect((await api.send("POST", UPSTREAMS, body)).status).toBe(400);
  });

  test("of any type is read from a program, which has no page's marks", async () => {
    await using api = startApi();
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await api.send("POST", UPSTREAMS, SAMPLE, form)).status).toBe(201);
  });

  test("of a form's type from a page, packed, too large, or not in UTF-8 is refused before it is read", async () => {
    await using api = startApi();
    for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
      const page = { "content-type": type, "sec-fetch-site": "same-origin" };
      expect([type, (await api.send("POST", UPSTREAMS, SAMPLE, page)).status]).toEqual([type, 415]);
    }
    expect((await api.send("POST", UPSTREAMS, SAMPLE, { "content-encoding": "gzip" })).status).toBe(415);
    expect((await api.send("POST", UPSTREAMS, `#${"x".repeat(256 * 1024)}`)).status).toBe(413);
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(35)),
    });
    const headers = { "content-type": "application/json" };
    const streamed = await fetch(api.url + UPSTREAMS, { method: "POST", body: endless, headers });
    expect(streamed.status).toBe(413);
    const body = Uint8Array.of(34, 0xff, 34);
    expect((await fetch(api.url + UPSTREAMS, { method: "POST", body, headers })).status).toBe(400);
    expect(api.store.list()).toEqual([]);
  });

  test("that cannot be written down changes nothing", async () => {
    using folder = makeFolder();
    await using api = startApi(join(folder.path, "missing", "upstreams.json"));
    const response = await api.send("POST", UPSTREAMS, upstream("a"));
    expect([response.status, await codeOf(response)]).toEqual([500, "state_not_written"]);
    expect(await (await api.send("GET", UPSTREAMS)).json()).toEqual([]);
  });
});

test("100 upstreams made at once are all there, and after a restart too", async () => {
  using folder = makeFolder();
  await using api = startApi(folder.file);
  const made = await Promise.all(
    Array.from({ length: 100 }, (_, at) => api.send("POST", UPSTREAMS, upstream(`name-${at}`))),
  );
  expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
  const ids = await Promise.all(made.map(async (each) => ((await each.json()) as { id: string }).id));
  expect(new Set(ids).size).toBe(100);
  const listed = (await (await api.send("GET", UPSTREAMS)).json()) as { id: string }[];
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(ids));
  expect(
    openStore(folder.file)
      .list()
      .map(({ id }) => id),
  ).toEqual(listed.map(({ id }) => id));
  expect(existsSync(join(folder.path, ".upstreams.json.new"))).toBe(false);
});

test("no answer holds a secret", async () => {
  await using api = startApi();
  const secret = (name: string) => `${KEY}-${name}`;
  const body = {
    name: "a",
    health_checks: { headers: { authorization: secret("health") } },
    targets: [
      {
        host: "a.example",
        credentials: { header_name: "Authorization", header_value: `Bearer ${secret("bearer")}` },
      },
      { host: "b.example", credentials: { param_name: "key", param_value: secret("param") } },
      { host: "c.example", headers: { "x-extra": secret("header") } },
      { host: "d.example", credentials: { header_name: "x-api-key", header_value: "short" } },
    ],
  };
  const answers = [
    await api.send("POST", UPSTREAMS, body),
    await api.send("POST", UPSTREAMS, body),
    await api.send("GET", UPSTREAMS),
    await api.send("GET", `${UPSTREAMS}/up-1`),
    await api.send("PUT", `${UPSTREAMS}/up-1`, body),
    await api.send("GET", "/api/v1/gateways"),
  ];
  for (const each of answers) {
    expect(each.headers.get("cache-control")).toBe("no-store");
    const text = await each.text();
    expect(text).not.toContain("canary");
    expect(text).not.toContain("short");
  }
  expect(Bun.inspect(api.store.list(), { depth: 20 })).not.toContain("canary");
  expect(JSON.stringify(api.store.list())).not.toContain("canary");
});

describe("the description", () => {
  interface Description {
    readonly openapi: string;
    readonly paths: Record<
      string,
      Record<
        string,
        {
          readonly responses: object;
          readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
        }
      >
    >;
  }

  test("is OpenAPI, and names every path, method and status", async () => {
    await using api = startApi();
    const response = await api.get("/api/v1/openapi.json");
    expect(response.headers.get("content-type")).toBe("application/json");
    const { openapi, paths } = (await response.json()) as Description;
    expect(openapi).toStartWith("3.1.");
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { responses }]) => `${method} ${path} ${Object.keys(responses).join(" ")}`,
      ),
    );
    const base = "/api/v1/gateways";
    expect(told.toSorted()).toEqual(
      [
        `get ${base} 200 401`,
        `get ${base}/{gateway} 200 401`,
        `get ${base}/{gateway}/upstreams 200 401`,
        `post ${base}/{gateway}/upstreams 201 400 401 409 413 415 500`,
        `get ${base}/{gateway}/upstreams/{upstream} 200 401 404`,
        `put ${base}/{gateway}/upstreams/{upstream} 200 400 401 404 409 412 413 415 500`,
        `delete ${base}/{gateway}/upstreams/{upstream} 204 400 401 404 412 500`,
      ].toSorted(),
    );
  });

  test("has a schema that takes the sample and refuses what the API refuses", async () => {
    await using api = startApi();
    const { paths } = (await (await api.get("/api/v1/openapi.json")).json()) as Description;
    const content = paths["/api/v1/gateways/{gateway}/upstreams"]?.["post"]?.requestBody?.content ?? {};
    expect(Object.keys(content)).toEqual(["application/json"]);
    const check = new Ajv({ strict: false }).compile(content["application/json"]?.schema ?? false);
    expect(check(JSON.parse(SAMPLE.replaceAll(/#.*$/gm, "")))).toBe(true);
    for (const wrong of [{}, { name: "a" }, { name: "a", targets: [{}] }, { ...upstream("a"), extra: 1 }])
      expect(check(wrong)).toBe(false);
  });
});
