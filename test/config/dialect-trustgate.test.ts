import { describe, expect, test } from "bun:test";
import { draftOfUpstreams } from "../../src/config/dialect-trustgate.ts";
import { describePlace } from "../../src/config/tree.ts";
import { readUpstream } from "../../src/config/upstream-body.ts";
import { readForeign, routeOf, targetsOf } from "./dialect-draft.ts";

const target = (host: string, rest: object = {}) => ({ host, port: 443, protocol: "https", ...rest });
const upstream = (name: string, targets: readonly object[], rest: object = {}) => ({
  name,
  targets,
  ...rest,
});
const read = (...files: readonly object[]) =>
  readForeign(JSON.stringify(files.length === 1 ? files[0] : files));

describe("an upstream of TrustGate's", () => {
  test("may stand in a file of several", () => {
    const both = read(upstream("a", [target("x.example")]), upstream("b", [target("y.example")]));
    expect(both.dialect).toBe("TrustGate");
    expect(targetsOf(both, "a")).toEqual(["upstream-x.example https://x.example =*1"]);
    expect(targetsOf(both, "b")).toEqual(["upstream-y.example https://y.example =*1"]);
    expect(both.draft.modelless).toBe("a");
  });

  test("serves every family that a well-known host offers", () => {
    const read1 = read(
      upstream("a", [target("api.anthropic.com"), target("localhost", { port: 9000, protocol: "http" })]),
    );
    expect(read1.draft.providers.map(({ base }) => Object.keys(base.families).toSorted())).toEqual([
      ["anthropic", "openai"],
      ["openai"],
    ]);
  });

  test("leads unlisted models to targets without a list, or nowhere, or to defaults", () => {
    const listed = target("x.example", { models: ["m"], default_model: "m" });
    const open = target("y.example", { default_model: "d" });
    expect(targetsOf(read(upstream("a", [listed, open])), "*")).toEqual([
      "upstream-y.example https://y.example =*1",
    ]);
    expect(targetsOf(read(upstream("a", [listed, open])), "m")).toEqual([
      "upstream-x.example https://x.example m*1",
    ]);
    expect(read(upstream("a", [listed])).draft.routes.map(({ name }) => name)).toEqual(["a", "m"]);
    expect(targetsOf(read(upstream("a", [listed], { model_mismatch: "default" })), "*")).toEqual([
      "upstream-x.example https://x.example m*1",
    ]);
  });

  test("asks by its name for each default, and leaves out targets without one", () => {
    const targets = [target("x.example", { default_model: "d" }), target("y.example", { models: ["m"] })];
    expect(targetsOf(read(upstream("a", targets)), "a")).toEqual([
      "upstream-x.example https://x.example d*1",
    ]);
    expect(targetsOf(read(upstream("a", [target("y.example", { models: ["m", "n"] })])), "a")).toEqual([
      "upstream-y.example https://y.example m*1",
    ]);
  });

  test("puts each key where its target says", () => {
    const read1 = read(
      upstream("a", [
        target("x.example", { credentials: { header_name: "X-Key", header_value: "k1" } }),
        target("x.example", {
          path: "/v2",
          credentials: { param_name: "key", param_value: "k2", param_location: "query" },
        }),
      ]),
    );
    expect(read1.draft.providers.map(({ name, keyPlacement }) => [name, keyPlacement])).toEqual([
      ["upstream-x.example", { in: "header", name: "x-key", prefix: "" }],
      ["upstream-x.example-v2", { in: "query", name: "key", prefix: "" }],
    ]);
  });

  test("adds headers, and rests its targets as it says", () => {
    const checks = { passive: true, threshold: 2, interval: 30 };
    const own = read(
      upstream("a", [target("x.example", { headers: { "X-A": "1" } })], { health_checks: checks }),
    );
    expect(routeOf(own, "a").targets[0]).toMatchObject({
      cooldown: { threshold: 2, firstMs: 30_000, maxMs: 30_000, windowMs: 30_000 },
    });
    expect(String(routeOf(own, "a").targets[0]?.headers?.["x-a"])).toBe("***");
    const off = read(upstream("a", [target("x.example")], { health_checks: { passive: false } }));
    expect(routeOf(off, "a").targets[0]?.cooldown).toEqual({ threshold: Infinity });
    expect(routeOf(read(upstream("a", [target("x.example")])), "a").targets[0]).not.toHaveProperty(
      "cooldown",
    );
  });

  test.each([
    [undefined, "smooth-weighted-round-robin"],
    ["round-robin", "smooth-weighted-round-robin"],
    ["weighted-round-robin", "smooth-weighted-round-robin"],
    ["least-conn", "least-connections"],
    ["least-connections", "least-connections"],
    ["random", "simple-shuffle"],
  ])("with algorithm %s has the strategy %s", (algorithm, strategy) => {
    const rest = algorithm === undefined ? {} : { algorithm };
    expect(routeOf(read(upstream("a", [target("x.example")], rest)), "a").strategy?.text).toBe(strategy);
  });

  test("with mistakes tells each at its line and column", () => {
    const text =
      "name: a\nalgorithm: semantic\ntargets:\n  - host: x.example\n    port: 99999\n    weight: -1\n  - host: y.example\n    wieght: 1\n";
    const places = readForeign(text).problems.map((problem) => /f\.yaml:\d+:\d+ \S+/.exec(problem)?.[0]);
    expect(places.toSorted((a = "", b = "") => (a < b ? -1 : 1))).toEqual([
      "f.yaml:2:12 algorithm:",
      "f.yaml:5:11 targets[0].port:",
      "f.yaml:6:13 targets[0].weight:",
      "f.yaml:8:13 targets[1].wieght:",
    ]);
  });

  test("expands references in a file", () => {
    const text = JSON.stringify(
      upstream("a", [
        target("x.example", { credentials: { header_name: "Authorization", header_value: "Bearer ${K}" } }),
      ]),
    );
    expect(targetsOf(readForeign(text, { env: { K: "sk-1" } }), "a")).toEqual([
      "upstream-x.example sk-1 https://x.example =*1",
    ]);
    expect(readForeign(text).problems).toHaveLength(1);
  });
});

describe("upstreams of the admin API", () => {
  const specOf = (body: object) => {
    const reading = readUpstream(body);
    if (reading.kind === "problems") throw new RangeError(JSON.stringify(reading.problems));
    return reading.spec;
  };

  test("make the same draft, a model that two of them list leading to the first", () => {
    const draft = draftOfUpstreams([
      specOf(upstream("a", [target("x.example", { models: ["m", "b"] })])),
      specOf(upstream("b", [target("y.example", { models: ["m"] })])),
    ]);
    const places = draft.routes.map(({ name, targets }) => [name, targets[0]?.provider]);
    expect(places).toEqual([
      ["a", "upstream-x.example"],
      ["b", "upstream-y.example"],
      ["m", "upstream-x.example"],
    ]);
    const [route] = draft.routes;
    // Whoever posted it has no line to look at.
    expect(route && describePlace(route.at)).toBe(`admin API ${route?.name}`);
  });

  test("of which there are none make nothing", () => {
    expect(draftOfUpstreams([])).toMatchObject({ providers: [], routes: [] });
    expect(draftOfUpstreams([]).modelless).toBeUndefined();
  });
});
