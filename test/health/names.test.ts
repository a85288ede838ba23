import { describe, expect, test } from "bun:test";
import { nextSnapshot } from "../../src/core/pool.ts";
import type { PoolSpec } from "../../src/core/pool-spec.ts";
import { expandAddresses, nameOf } from "../../src/health/expand-addresses.ts";
import { lookUpName, startNames } from "../../src/health/names.ts";
import { engineSpec, listOf, makeEngine, makeFleet } from "../support/engines.ts";
import { createSchedule } from "../support/schedule.ts";
import { makeBackend } from "../support/slots.ts";

const NAMED = makeEngine("e", "http://vllm-headless.ai.svc:8000");
const found = (...addresses: string[]) => new Map([["vllm-headless.ai.svc", addresses]]);

const keyIds = ({ backends }: PoolSpec) => backends.map(({ credential }) => credential.id);

describe("a name", () => {
  test.each([
    ["http://vllm:8000", "vllm"],
    ["http://vllm", "vllm"],
    ["http://VLLM.ai.svc.cluster.local:8000", "vllm.ai.svc.cluster.local"],
    ["http://notlocalhost:8000", "notlocalhost"],
    ["http://localhost:8000", undefined],
    ["http://a.localhost:8000", undefined],
    ["http://10.0.0.1:8000", undefined],
    ["http://[::1]:8000", undefined],
    ["https://vllm:8000", undefined],
  ])("of %s to look up is %s", (origin, name) => {
    expect(nameOf(makeEngine("e", origin))).toBe(name);
  });

  test("is not looked up for a hosted provider, through a proxy or in place of another host", () => {
    expect(nameOf(makeBackend("h", { origin: "http://up" }))).toBeUndefined();
    expect(nameOf({ ...NAMED, proxyUrl: "http://proxy:3128" })).toBeUndefined();
    expect(nameOf({ ...NAMED, hostHeader: "other" })).toBeUndefined();
  });
});

describe("a backend whose name has several addresses", () => {
  test("becomes one for each, which is dialled there and asked for by its name", () => {
    const { backends } = expandAddresses(engineSpec(NAMED), found("10.0.0.1", "fd00::2"));
    expect(
      backends.map(({ id, origin, hostHeader, endpoints }) => [
        id,
        origin,
        hostHeader,
        endpoints.openai?.baseUrl,
      ]),
    ).toEqual([
      ["e@10.0.0.1", "http://10.0.0.1:8000", "vllm-headless.ai.svc:8000", "http://10.0.0.1:8000/v1"],
      ["e@fd00::2", "http://[fd00::2]:8000", "vllm-headless.ai.svc:8000", "http://[fd00::2]:8000/v1"],
    ]);
  });

  test("gives each its own limits when it has no key, and shares those of a key", () => {
    const keyed = makeEngine("e", NAMED.origin, "k");
    expect(keyIds(expandAddresses(engineSpec(NAMED), found("10.0.0.1", "10.0.0.2")))).toEqual([
      "e-address@10.0.0.1",
      "e-address@10.0.0.2",
    ]);
    expect(keyIds(expandAddresses(engineSpec(keyed), found("10.0.0.1", "10.0.0.2")))).toEqual(["k", "k"]);
  });

  test("is replaced in every route, in its place", () => {
    const route = { name: "m", backendIds: ["x", "e", "y"], strategy: "least-used" };
    const spec = { ...engineSpec(makeEngine("x"), NAMED, makeEngine("y")), routes: [route] };
    const expanded = expandAddresses(spec, found("10.0.0.1", "10.0.0.2"));
    const ids = ["x", "e@10.0.0.1", "e@10.0.0.2", "y"];
    expect(expanded.backends.map(({ id }) => id)).toEqual(ids);
    expect(expanded.providerRoutes[0]?.backendIds).toEqual(ids);
    expect(expanded.routes?.[0]).toEqual({ ...route, backendIds: ids });
  });

  test("stays as it is with one address or none", () => {
    const spec = engineSpec(NAMED);
    expect(expandAddresses(spec, found("10.0.0.1"))).toBe(spec);
    expect(expandAddresses(spec, new Map())).toBe(spec);
  });
});

function start(spec: PoolSpec, lookUp: (name: string) => Promise<readonly string[]>) {
  const schedule = createSchedule();
  const fleet = makeFleet(spec, schedule.now, () => listOf());
  const looked: string[] = [];
  let changes = 0;
  const names = startNames({
    pool: fleet.pool,
    emit: (event) => void fleet.events.push(event),
    after: schedule.after,
    lookUp(name) {
      looked.push(`${name} ${schedule.now()}`);
      return lookUp(name);
    },
    onChange: () => void (changes += 1),
  });
  names.refresh();
  const ids = () => fleet.pool.current.slots.map(({ backend }) => backend.id);
  return {
    ...schedule,
    ...fleet,
    names,
    looked,
    ids,
    changes: () => changes,
    async [Symbol.asyncDispose]() {
      await names.stop();
      expect(schedule.pending()).toBe(0);
    },
  };
}

describe("names", () => {
  test("are looked up every 30 s, and the pool follows; who stays keeps its state", async () => {
    let addresses = ["10.0.0.2", "10.0.0.1"];
    await using run = start(engineSpec(NAMED), async () => addresses);
    await run.advance(0);
    expect(run.ids()).toEqual(["e@10.0.0.1", "e@10.0.0.2"]);
    const kept = run.state("e@10.0.0.2");
    addresses = ["10.0.0.3", "10.0.0.2", "10.0.0.2"];
    await run.advance(30_000);
    expect(run.ids()).toEqual(["e@10.0.0.2", "e@10.0.0.3"]);
    expect(run.state("e@10.0.0.2")).toBe(kept);
    addresses = ["10.0.0.3", "10.0.0.2"];
    await run.advance(30_000);
    expect(run.pool.current.version).toBe(3);
    addresses = ["10.0.0.3"];
    await run.advance(30_000);
    expect(run.ids()).toEqual(["e"]);
    expect(run.changes()).toBe(3);
    expect(run.events.filter(({ kind }) => kind === "addresses_changed")).toHaveLength(3);
    expect(run.looked).toEqual([0, 30_000, 60_000, 90_000].map((at) => `vllm-headless.ai.svc ${at}`));
  });

  test("that fail keep the last good answer and are asked again after 5 s", async () => {
    let fails = false;
    await using run = start(engineSpec(NAMED), async () => {
      if (fails) throw new Error("ENOTFOUND");
      return ["10.0.0.1", "10.0.0.2"];
    });
    await run.advance(0);
    fails = true;
    await run.advance(60_000);
    expect(run.ids()).toEqual(["e@10.0.0.1", "e@10.0.0.2"]);
    expect(run.looked).toHaveLength(1 + 7);
  });

  test("that have no answer or none in time are as good as failed", async () => {
    const answers = [["10.0.0.1", "10.0.0.2"], []].values();
    await using run = start(engineSpec(NAMED), () => {
      const { value } = answers.next();
      return value === undefined ? new Promise(() => undefined) : Promise.resolve(value);
    });
    await run.advance(60_000);
    expect(run.looked.map((line) => line.split(" ")[1])).toEqual(["0", "30000", "35000", "50000"]);
    expect(run.ids()).toHaveLength(2);
  });

  test("of a reload are looked up at once, and what is known of the others is used at once", async () => {
    await using run = start(engineSpec(NAMED), async (name) =>
      name === "two" ? ["10.1.0.1", "10.1.0.2"] : ["10.0.0.1", "10.0.0.2"],
    );
    await run.advance(1000);
    const kept = run.state("e@10.0.0.1");
    const next = engineSpec(NAMED, makeEngine("f", "http://two:8000"));
    run.pool.replace((previous) => nextSnapshot(previous, run.names.expand(next)));
    expect(run.ids()).toEqual(["e@10.0.0.1", "e@10.0.0.2", "f"]);
    run.names.refresh();
    await run.advance(0);
    expect(run.ids()).toEqual(["e@10.0.0.1", "e@10.0.0.2", "f@10.1.0.1", "f@10.1.0.2"]);
    expect(run.state("e@10.0.0.1")).toBe(kept);
    expect(run.looked.map((line) => line.split(" ")[0])).toEqual(["vllm-headless.ai.svc", "two"]);
  });

  test("with thousands of addresses give 256 backends", async () => {
    await using run = start(engineSpec(NAMED), async () =>
      Array.from({ length: 5000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`),
    );
    await run.advance(0);
    expect(run.ids()).toHaveLength(256);
  });

  test("of one address change nothing", async () => {
    await using run = start(engineSpec(NAMED), async () => ["10.0.0.1"]);
    await run.advance(60_000);
    expect([run.pool.current.version, run.events, run.changes()]).toEqual([1, [], 0]);
  });
});

test("the system's look-up finds a name of this machine, version 4 alone, and rejects one that is none", async () => {
  expect(await lookUpName("localhost")).toEqual(["127.0.0.1"]);
  expect(lookUpName("no-such-host.invalid")).rejects.toBeInstanceOf(Error);
});
