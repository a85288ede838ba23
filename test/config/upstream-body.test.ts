// An upstream's body: what it comes to, what is wrong with it, and that nothing at all brings the reader down.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readUpstream } from "../../src/config/upstream-body.ts";
import { readUpstreamText } from "../../src/config/upstream-text.ts";
import type { UpstreamSpec, UpstreamTarget } from "../../src/core/upstream.ts";

function specOf(body: object): UpstreamSpec {
  const reading = readUpstream({ name: "a", targets: [{ host: "a.example" }], ...body });
  if (reading.kind === "problems") throw new Error(JSON.stringify(reading.problems));
  return reading.spec;
}
function targetOf(target: object): UpstreamTarget {
  const [read] = specOf({ targets: [{ host: "a.example", ...target }] }).targets;
  if (read === undefined) throw new Error("no target");
  return read;
}
const problemsOf = (body: unknown): readonly string[] => {
  const reading = readUpstream(body);
  return reading.kind === "upstream"
    ? []
    : reading.problems.map(({ path, expected, found }) => `${path}: ${expected}, found ${found ?? "that"}`);
};

describe("an upstream", () => {
  test("of little comes with every default", () => {
    const { targets, ...rest } = specOf({});
    expect(rest).toEqual({
      name: "a",
      strategy: "smooth-weighted-round-robin",
      health: { kind: "general" },
      unlistedModel: "refuse",
    });
    expect(targets).toEqual([
      { origin: "https://a.example", path: "", weight: 1, priority: 1, models: [], headers: new Map() },
    ]);
  });

  test("has TrustGate's algorithms and ours, and no code of anybody's", () => {
    for (const algorithm of ["round-robin", "weighted-round-robin", "Weighted_Round_Robin"])
      expect(specOf({ algorithm }).strategy).toBe("smooth-weighted-round-robin");
    for (const algorithm of ["least-conn", "least-connections"])
      expect(specOf({ algorithm }).strategy).toBe("least-connections");
    expect(specOf({ algorithm: "random" }).strategy).toBe("simple-shuffle");
    const wrong = { name: "a", targets: [{ host: "a" }] };
    expect(problemsOf({ ...wrong, algorithm: "semantic" })[0]).toStartWith("algorithm: one of least-used");
    expect(problemsOf({ ...wrong, algorithm: "custom:./x.ts" })).toHaveLength(1);
  });

  test("has its own rests, none, or weir's", () => {
    expect(specOf({ health_checks: { passive: true, threshold: 2, interval: 0.5 } }).health).toEqual({
      kind: "own",
      threshold: 2,
      restMs: 500,
    });
    expect(specOf({ health_checks: {} }).health).toEqual({ kind: "own", threshold: 3, restMs: 60_000 });
    expect(specOf({ health_checks: { passive: false } }).health).toEqual({ kind: "off" });
  });

  test("as Go writes it, with nulls and empty texts, is as if they were not there", () => {
    const body = {
      id: "",
      gateway_id: "g",
      algorithm: "",
      tags: null,
      health_checks: null,
      targets: [
        {
          host: "a.example",
          path: "",
          default_model: "",
          models: null,
          headers: null,
          stream: false,
          credentials: { header_name: "", header_value: "", param_name: "" },
        },
      ],
    };
    expect(specOf(body)).toEqual(specOf({}));
  });
});

describe("a target", () => {
  test("has an origin of its parts", () => {
    const origins: readonly [object, string][] = [
      [{ port: 443 }, "https://a.example"],
      [{ port: 8443 }, "https://a.example:8443"],
      [{ protocol: "http" }, "http://a.example"],
      [{ protocol: "http", port: 80 }, "http://a.example"],
      [{ host: "A.Example" }, "https://a.example"],
      [{ host: "10.0.0.1", protocol: "http", port: 8000 }, "http://10.0.0.1:8000"],
      [{ host: "::1", protocol: "http", port: 8000 }, "http://[::1]:8000"],
      [{ host: "[::1]" }, "https://[::1]"],
      [{ host: "vllm_1" }, "https://vllm_1"],
    ];
    for (const [target, origin] of origins) expect(targetOf(target).origin).toBe(origin);
  });

  test("has a path without the operation that TrustGate's users write along", () => {
    const paths: readonly [string, string][] = [
      ["/", ""],
      ["/v1", "/v1"],
      ["/v1/", "/v1"],
      ["/v1/chat/completions", "/v1"],
      ["/openai/v1/responses/", "/openai/v1"],
      ["/v1/messages", "/v1"],
      ["/chat/completions", ""],
    ];
    for (const [path, base] of paths) expect(targetOf({ path }).path).toBe(base);
  });

  test("has its key where it says, without the word Bearer", () => {
    const keys: readonly [object, string, object][] = [
      [
        { header_name: "Authorization", header_value: "Bearer sk-1" },
        "sk-1",
        { in: "header", name: "authorization", prefix: "Bearer " },
      ],
      [
        { header_name: "X-API-Key", header_value: "sk-1" },
        "sk-1",
        { in: "header", name: "x-api-key", prefix: "" },
      ],
      [
        { param_name: "Key", param_value: "sk-1", param_location: "query" },
        "sk-1",
        { in: "query", name: "Key", prefix: "" },
      ],
      [{ param_name: "key", param_value: "sk-1" }, "sk-1", { in: "query", name: "key", prefix: "" }],
      [
        { param_name: "api_key", param_value: "sk-1", param_location: "body" },
        "sk-1",
        { in: "body", name: "api_key", prefix: "" },
      ],
    ];
    for (const [credentials, secret, placement] of keys) {
      const { key } = targetOf({ credentials });
      expect([key?.secret.reveal(), key?.placement as unknown]).toEqual([secret, placement]);
    }
    expect(targetOf({ credentials: {} }).key).toBeUndefined();
  });

  test("has headers in lower case, their values sealed", () => {
    const { headers } = targetOf({ headers: { "X-Team": "blue" } });
    expect([...headers].map(([name, value]) => [name, value.reveal(), String(value)])).toEqual([
      ["x-team", "blue", "***"],
    ]);
  });

  const wrong: readonly (readonly [string, object])[] = [
    ["targets[0].host", { host: "" }],
    ["targets[0].host", { host: "999.1.1.1" }],
    ["targets[0].host", { host: "a b" }],
    ["targets[0].host", { host: "a.example:443" }],
    ["targets[0].host", { host: "a.example/v1" }],
    ["targets[0].port", { port: 65_536 }],
    ["targets[0].port", { port: "443" }],
    ["targets[0].protocol", { protocol: "ftp" }],
    ["targets[0].path", { path: "v1" }],
    ["targets[0].path", { path: "//evil.example/v1" }],
    ["targets[0].path", { path: "/v1?x=y" }],
    ["targets[0].weight", { weight: Number.NaN }],
    ["targets[0].weight", { weight: -0.1 }],
    ["targets[0].provider", { provider: "openai" }],
    ["targets[0].insecure_ssl", { insecure_ssl: true }],
    [
      "targets[0].credentials.param_location",
      { credentials: { param_name: "k", param_value: "v", param_location: "header" } },
    ],
    [
      "targets[0].credentials.param_name",
      { credentials: { param_name: "model", param_value: "v", param_location: "body" } },
    ],
    [
      "targets[0].credentials",
      { credentials: { header_name: "a", header_value: "b", param_name: "c", param_value: "d" } },
    ],
    [
      "targets[0].credentials.header_name",
      { credentials: { header_name: "Transfer-Encoding", header_value: "b" } },
    ],
    ["targets[0].credentials.header_value", { credentials: { header_name: "a" } }],
    ["targets[0].headers.Host", { headers: { Host: "b.example" } }],
    ["targets[0].headers.a", { headers: { a: "x\r\ny: z" } }],
  ];
  test.each(wrong.map(([path, target]) => [path, target] as const))(
    "is refused at %s: %j",
    (path, target) => {
      const problems = problemsOf({ name: "a", targets: [{ host: "a.example", ...target }] });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toStartWith(`${path}: `);
    },
  );
});

/** What YAML takes for more than letters. */
const UNITS = [
  "{}",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "#",
  "&a",
  "*a",
  "!",
  "|",
  ">",
  "-",
  "?",
  " ",
  "\n",
  "\t",
  '"',
  "'",
  "name",
];

describe("the reader", () => {
  test("takes any JSON for an upstream or for problems, and never throws", () => {
    const key = fc.constantFrom(
      "name",
      "targets",
      "host",
      "port",
      "credentials",
      "header_value",
      "headers",
      "algorithm",
      "__proto__",
      "constructor",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(key, tie("value"), { noNullPrototype: true }),
        fc.array(tie("value"), { maxLength: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const reading = readUpstream(body);
        expect(["upstream", "problems"]).toContain(reading.kind);
        if (reading.kind === "problems") expect(reading.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  test("takes any text for a value or for problems, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...UNITS) }), (text) => {
        const reading = readUpstreamText(text);
        if (reading.kind === "problems") expect(reading.problems.length).toBeGreaterThan(0);
        else readUpstream(reading.value);
      }),
      { numRuns: 1000 },
    );
  });

  test("tells a hundred problems of a body that has more", () => {
    const body = { name: "a", targets: Array.from({ length: 1000 }, () => ({ host: 1 })) };
    expect(problemsOf(body)).toHaveLength(100);
  });
});
