// What is asked in a pool: every backend of an engine learns from one question, also those that routes made of it.
import { expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { PoolSpec } from "../../src/core/pool-spec.ts";
import { expandAddresses } from "../../src/health/expand-addresses.ts";
import { probeTargets } from "../../src/health/targets.ts";
import { makeBackend, makeCredential, makeSpec } from "../support/slots.ts";

const keyless = makeCredential("engine");
const { secret: _, ...credential } = keyless;
const engine = (id: string, upstreamModel?: string) =>
  makeBackend(id, {
    provider: "gpu",
    kind: "engine",
    credential,
    origin: "http://gpu.test:8000",
    ...(upstreamModel === undefined ? {} : { upstreamModel }),
  });

/** An engine, and what a route made of it under another model's name. */
function specOf(): PoolSpec {
  const spec = makeSpec({
    gpu: { backends: [engine("base")], kind: "engine", modelsRoute: { family: "openai", path: "/models" } },
  });
  const shares = new Map([["renamed", { weight: 1, priority: 1 }]]);
  return {
    ...spec,
    backends: [...spec.backends, engine("renamed", "other")],
    routes: [{ name: "alias", backendIds: ["renamed"], shares, strategy: "least-used" }],
  };
}

test("a backend that a route made of an engine is asked for together with the engine's own", () => {
  const targets = [...probeTargets(nextSnapshot(undefined, specOf())).values()];
  expect(targets.map(({ ids }) => ids)).toEqual([["base", "renamed"]]);
});

test("a target's share of a route is divided over the servers behind its name", () => {
  const { routes } = expandAddresses(specOf(), new Map([["gpu.test", ["10.0.0.1", "10.0.0.2"]]]));
  expect([...(routes?.[0]?.shares ?? [])]).toEqual([
    ["renamed@10.0.0.1", { weight: 0.5, priority: 1 }],
    ["renamed@10.0.0.2", { weight: 0.5, priority: 1 }],
  ]);
});
