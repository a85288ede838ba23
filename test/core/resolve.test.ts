// From model to provider, step by step in the contract's order (section 4).
import { describe, expect, test } from "bun:test";
import type { Family } from "../../src/core/backend.ts";
import { nextSnapshot, type PoolSnapshot, withModels } from "../../src/core/pool.ts";
import {
  isHidden,
  knownModels,
  modelsOf,
  namedModels,
  resolveModel,
  resolveProvider,
} from "../../src/core/resolve.ts";
import { makeBackend, makeSpec, type ProviderFields } from "../support/slots.ts";

interface Row extends Partial<Omit<ProviderFields, "backends">> {
  readonly models?: readonly string[];
  readonly lists?: readonly string[];
  readonly families?: readonly Family[];
}
type Rows = Readonly<Record<string, Row>>;

/** Providers with one backend each, and what each lists. */
function snapshotOf(rows: Rows): PoolSnapshot {
  const spec = makeSpec(
    Object.fromEntries(
      Object.entries(rows).map(([name, row]): [string, ProviderFields] => {
        const { models = [], families = ["openai"], kind = "hosted" } = row;
        return [name, { ...row, backends: [makeBackend(name, { models, families, kind })] }];
      }),
    ),
  );
  const lists = Object.entries(rows).flatMap(([name, row]) =>
    row.lists === undefined ? [] : [[name, row.lists] as const],
  );
  return withModels(nextSnapshot(undefined, spec), new Map(lists));
}

const owns = (prefix: string) => (model: string) => model.startsWith(prefix);

function told(rows: Rows, model: string, family: Family = "openai"): string {
  const found = resolveModel(snapshotOf(rows), family, model);
  return found.kind === "route"
    ? `${found.route.name}: ${found.model} by ${found.by}`
    : `unknown, near ${found.near.join(" ")}`;
}

describe("a model with a provider's name before it", () => {
  const rows: Rows = {
    openai: { ownsModel: owns("gpt-") },
    groq: { ownsModel: owns("groq/compound") },
    router: { lists: ["openai/gpt-4o"] },
  };

  test("goes to that provider without the prefix, whoever else may have it", () => {
    expect(told(rows, "openai/gpt-4o")).toBe("openai: gpt-4o by prefix");
    expect(told(rows, "OpenAI/gpt-4o")).toBe("openai: gpt-4o by prefix");
    expect(told(rows, "groq/llama-3")).toBe("groq: llama-3 by prefix");
    expect(told(rows, "router/openai/gpt-4o")).toBe("router: openai/gpt-4o by prefix");
  });

  test("keeps its whole name where that is the model's", () => {
    expect(told(rows, "groq/compound-mini")).toBe("groq: groq/compound-mini by naming rule");
    const own: Rows = { nvidia: { lists: ["nvidia/nemotron"] }, other: {} };
    expect(told(own, "nvidia/nemotron")).toBe("nvidia: nvidia/nemotron by discovery");
    const both: Rows = { nvidia: { lists: ["nvidia/nemotron", "nemotron"] }, other: {} };
    expect(told(both, "nvidia/nemotron")).toBe("nvidia: nemotron by prefix");
  });

  test("is read on as a whole when nobody of this family has that name", () => {
    expect(told(rows, "meta/llama-3")).toStartWith("unknown");
    expect(told({ router: { lists: ["meta/llama-3"] }, openai: {} }, "meta/llama-3")).toBe(
      "router: meta/llama-3 by discovery",
    );
    expect(told({ anthropic: { families: ["anthropic"] }, openai: {} }, "anthropic/claude")).toBe(
      "openai: anthropic/claude by only provider",
    );
    for (const model of ["/gpt-4o", "openai/", "/"]) expect(told(rows, model)).toStartWith("unknown");
  });
});

describe("a plain model", () => {
  test("goes to the provider that lists it, before the one whose naming rule fits", () => {
    const rows: Rows = { openai: { ownsModel: owns("gpt-") }, azure: { lists: ["gpt-4o"] } };
    expect(told(rows, "gpt-4o")).toBe("azure: gpt-4o by discovery");
    expect(told(rows, "gpt-5")).toBe("openai: gpt-5 by naming rule");
  });

  test("goes to the first provider in order that lists it", () => {
    expect(told({ a: { lists: ["x"] }, b: { lists: ["x"] } }, "x")).toBe("a: x by discovery");
    expect(told({ b: { lists: ["x"] }, a: { lists: ["x"] } }, "x")).toBe("b: x by discovery");
  });

  test("goes to a provider that is configured for it", () => {
    expect(
      told({ openai: { ownsModel: owns("gpt-") }, vllm: { models: ["gpt-oss*"] } }, "gpt-oss-20b"),
    ).toStartWith("vllm: gpt-oss-20b");
  });

  test("does not go to a provider that is configured for others only", () => {
    const rows: Rows = {
      openai: { ownsModel: owns("gpt-"), models: ["gpt-4o"] },
      other: { lists: ["gpt-5"], models: ["x"] },
    };
    expect(told(rows, "gpt-5")).toStartWith("unknown");
    expect(told({ only: { models: ["a", "b*"] } }, "c")).toStartWith("unknown");
  });

  test("goes to the only provider of the family", () => {
    expect(told({ only: {} }, "anything")).toBe("only: anything by only provider");
    expect(told({ one: {}, two: {} }, "anything")).toStartWith("unknown");
    expect(told({ one: {}, two: { families: ["anthropic"] } }, "anything")).toBe(
      "one: anything by only provider",
    );
  });

  test("of one family goes only to those that speak it", () => {
    const rows: Rows = {
      openai: { ownsModel: owns("gpt-") },
      anthropic: { ownsModel: owns("claude-"), families: ["anthropic", "openai"], main: "anthropic" },
    };
    expect(told(rows, "claude-4", "anthropic")).toBe("anthropic: claude-4 by naming rule");
    expect(told(rows, "claude-4")).toBe("anthropic: claude-4 by naming rule");
    expect(told(rows, "gemini-3", "gemini")).toBe("unknown, near ");
  });

  test("is unknown where nothing is configured", () => {
    expect(told({}, "gpt-4o")).toBe("unknown, near ");
  });
});

describe("an unknown model", () => {
  test("is told with near names of this family, five at most", () => {
    const rows: Rows = {
      a: { lists: ["gpt-4o", "gpt-4o-mini", "gpt-4", "gpt-4.1", "gpt-4b", "gpt-4c", "gpt-4d"] },
      b: { models: ["gpt-4a"] },
      c: { lists: ["gpt-4x"], families: ["anthropic"] },
    };
    const found = resolveModel(snapshotOf(rows), "openai", "gpt-4p");
    expect(found.kind).toBe("unknown");
    if (found.kind !== "unknown") return;
    expect(found.near).toHaveLength(5);
    expect(found.near).not.toContain("gpt-4x");
  });
});

describe("the known models", () => {
  test("are configured names and what is listed within the patterns, once each", () => {
    const snapshot = snapshotOf({
      a: { models: ["x", "y*"], lists: ["y1", "z", "x"] },
      b: { lists: ["x", "w"] },
      c: { lists: ["v"], families: ["anthropic"] },
    });
    expect(knownModels(snapshot, "openai")).toEqual(["x", "y1", "w"]);
    expect(snapshot.providers.map(modelsOf)).toEqual([["x", "y1"], ["x", "w"], ["v"]]);
  });
});

describe("a request without a model", () => {
  const snapshot = snapshotOf({
    anthropic: { families: ["anthropic", "openai"], main: "anthropic" },
    openai: {},
    groq: {},
  });

  test("goes to the first provider whose main family it is", () => {
    expect(resolveProvider(snapshot, "openai", undefined)?.spec.name).toBe("openai");
    expect(resolveProvider(snapshot, "anthropic", undefined)?.spec.name).toBe("anthropic");
    expect(resolveProvider(snapshot, "gemini", undefined)).toBeUndefined();
  });

  test("goes to any that speaks the family when it is nobody's main one", () => {
    const other = snapshotOf({ anthropic: { families: ["anthropic", "openai"], main: "anthropic" } });
    expect(resolveProvider(other, "openai", undefined)?.spec.name).toBe("anthropic");
  });

  test("goes to the provider that it names, or to nobody", () => {
    expect(resolveProvider(snapshot, "openai", "groq")?.spec.name).toBe("groq");
    expect(resolveProvider(snapshot, "openai", "Groq")?.spec.name).toBe("groq");
    expect(resolveProvider(snapshot, "openai", "nobody")).toBeUndefined();
    expect(resolveProvider(snapshot, "anthropic", "groq")).toBeUndefined();
  });
});

describe("a model with a provider's name and a colon before it", () => {
  const groq: Row = { colonPrefix: true, isOffered: false };

  test("leads to that provider without the prefix, also where only routes lead otherwise", () => {
    expect(told({ openai: {}, groq1: groq }, "groq1:llama-3")).toBe("groq1: llama-3 by prefix");
    expect(told({ groq1: groq }, "Groq1:meta/llama-3:free")).toBe("groq1: meta/llama-3:free by prefix");
  });

  test("is a name like any other where the provider does not allow it", () => {
    expect(told({ groq1: {} }, "groq1:llama-3")).toBe("groq1: groq1:llama-3 by only provider");
  });

  test("is not found in an engine's tag", () => {
    const rows: Rows = { groq1: groq, ollama: { kind: "engine", lists: ["mistral-small:24b"] } };
    expect(told(rows, "mistral-small:24b")).toBe("ollama: mistral-small:24b by discovery");
  });

  test("needs both parts, and the family of the path", () => {
    expect(told({ groq1: groq }, "groq1:")).toStartWith("unknown");
    expect(told({ groq1: groq }, ":llama-3")).toStartWith("unknown");
    expect(told({ groq1: groq }, "groq1:llama-3", "anthropic")).toStartWith("unknown");
  });

  test("stands behind a route of the whole name and before patterns", () => {
    const spec = makeSpec({ groq1: { ...groq, backends: [makeBackend("b")] } });
    const route = (name: string) => ({ name, backendIds: ["b"], strategy: "least-used" });
    const snapshot = nextSnapshot(undefined, { ...spec, routes: [route("groq1:own"), route("groq1:*")] });
    const by = (model: string) => {
      const found = resolveModel(snapshot, "openai", model);
      return found.kind === "route" ? found.by : found.kind;
    };
    expect([by("groq1:own"), by("groq1:other")]).toEqual(["route", "prefix"]);
  });
});

describe("a hidden route", () => {
  const spec = makeSpec({ openai: { backends: [makeBackend("b", { models: ["gpt-4o", "secret-model"] })] } });
  const route = (name: string, hidden: boolean) => ({
    name,
    hidden,
    backendIds: ["b"],
    strategy: "least-used",
  });
  const aliases = new Map([["secret-model", { model: "open-model", hidden: false }]]);
  const routes = [route("secret-model", true), route("open-model", false)];
  const snapshot = nextSnapshot(undefined, { ...spec, routes, aliases });

  test("is in no list, whoever else has the name, and not among near names", () => {
    expect(namedModels(snapshot)).toEqual(["open-model"]);
    expect(knownModels(snapshot, "openai")).toEqual(["open-model", "gpt-4o"]);
    expect([isHidden(snapshot, "secret-model"), isHidden(snapshot, "gpt-4o")]).toEqual([true, false]);
  });

  test("can be called", () => {
    expect(resolveModel(snapshot, "openai", "secret-model")).toMatchObject({ kind: "route", by: "route" });
  });
});

describe("a pattern that is asked last", () => {
  test("leaves to providers what they list or own, and takes the rest before the only provider does", () => {
    const backends = [makeBackend("a")];
    const spec = makeSpec({ openai: { backends, ownsModel: owns("gpt-") } });
    const route = { name: "*", backendIds: ["a"], strategy: "least-used", isLast: true };
    const snapshot = nextSnapshot(undefined, { ...spec, routes: [route] });
    const by = (model: string) => {
      const found = resolveModel(snapshot, "openai", model);
      return found.kind === "route" ? `${found.route.name} by ${found.by}` : found.kind;
    };
    expect([by("gpt-4o"), by("other")]).toEqual(["openai by naming rule", "* by pattern"]);
  });
});
