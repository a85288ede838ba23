// Which service runs where.
import { describe, expect, test } from "bun:test";
import { argumentsOf, environmentOf } from "../../src/deploy/engines.ts";
import { describeGpus, type NodeFacts, planFleet, servicesPerNode } from "../../src/deploy/plan.ts";

const node = (host: string, facts: Partial<NodeFacts> = {}): NodeFacts => ({
  host,
  gpus: 8,
  takenPorts: new Set(),
  takenGpus: new Map(),
  ...facts,
});
const TERMS = { gpusPerNode: 8, tensorParallel: 4, firstPort: 30_596 };
const table = (nodes: readonly NodeFacts[], terms = TERMS) =>
  planFleet(nodes, terms).services.map(({ host, gpus, port }) => `${host} ${describeGpus(gpus)} ${port}`);

describe("a plan", () => {
  test("of three nodes with eight GPUs and four a service is the documented table", () => {
    expect(table([node("a"), node("b"), node("c")])).toEqual([
      "a 0-3 30596",
      "a 4-7 30597",
      "b 0-3 30598",
      "b 4-7 30599",
      "c 0-3 30600",
      "c 4-7 30601",
    ]);
  });

  test("skips ports that are taken on the node, and counts on", () => {
    const taken = new Set([30_596, 30_598]);
    expect(table([node("a", { takenPorts: taken }), node("b")])).toEqual([
      "a 0-3 30597",
      "a 4-7 30599",
      "b 0-3 30600",
      "b 4-7 30601",
    ]);
  });

  test("leaves GPUs over that are no whole block", () => {
    expect(table([node("a")], { ...TERMS, tensorParallel: 3 })).toEqual(["a 0-2 30596", "a 3-5 30597"]);
    expect(servicesPerNode({ ...TERMS, tensorParallel: 16 })).toBe(0);
    expect(table([node("a")], { ...TERMS, gpusPerNode: 1, tensorParallel: 1 })).toEqual(["a 0 30596"]);
  });

  test("goes on without a node that has too few GPUs, and uses no ports for it", () => {
    const plan = planFleet([node("a", { gpus: 4 }), node("b")], TERMS);
    expect(plan.problems).toEqual([
      { host: "a", line: "has 4 GPUs, and --gpus-per-node says 8: nothing is started there", services: 2 },
    ]);
    expect(plan.services.map(({ port }) => port)).toEqual([30_596, 30_597]);
  });

  test("trusts a node whose GPUs cannot be counted, or are more", () => {
    expect(table([node("a", { gpus: undefined }), node("b", { gpus: 16 })])).toHaveLength(4);
  });

  test("leaves GPUs alone that a service has already", () => {
    const takenGpus = new Map([[5, "qwen (port 1, process 2)"]]);
    const plan = planFleet([node("a", { takenGpus })], TERMS);
    expect(plan.services).toHaveLength(1);
    expect(plan.problems[0]?.line).toBe(
      "GPUs 4-7 are taken by qwen (port 1, process 2); see weir deploy status",
    );
  });

  test("ends at the last port", () => {
    const plan = planFleet([node("a")], { ...TERMS, firstPort: 65_535 });
    expect(plan.services).toHaveLength(1);
    expect(plan.problems[0]?.line).toContain("no port from 65536");
  });
});

describe("an engine's arguments", () => {
  const order = {
    model: "/data/Qwen3-235B-A22B",
    servedName: "qwen",
    tensorParallel: 4,
    port: 30_596,
    extra: ["--x"],
  };

  test("are vLLM's, with expert parallelism for a mixture of experts", () => {
    expect(argumentsOf("vllm", order).join(" ")).toBe(
      "-m vllm.entrypoints.cli.main serve /data/Qwen3-235B-A22B --served-model-name qwen --host 0.0.0.0 " +
        "--port 30596 --tensor-parallel-size 4 --enable-expert-parallel --x",
    );
    expect(argumentsOf("vllm", { ...order, model: "Qwen3-32B", maxRunning: 9 })).not.toContain(
      "--enable-expert-parallel",
    );
    expect(argumentsOf("vllm", { ...order, tensorParallel: 1 })).not.toContain("--enable-expert-parallel");
  });

  test("are SGLang's, with metrics", () => {
    expect(argumentsOf("sglang", { ...order, maxRunning: 180 }).join(" ")).toBe(
      "-m sglang.launch_server --model-path /data/Qwen3-235B-A22B --served-model-name qwen --host 0.0.0.0 " +
        "--port 30596 --tp-size 4 --enable-metrics --max-running-requests 180 --x",
    );
  });

  test("name every address of a node that is known by an IPv6 one", () => {
    for (const engine of ["vllm", "sglang"] as const)
      expect(argumentsOf(engine, { ...order, isIpv6: true }).join(" ")).toContain(" --host :: ");
  });

  test("come with the GPUs of the service in its environment", () => {
    expect(environmentOf([4, 5, 6, 7])).toMatchObject({
      CUDA_VISIBLE_DEVICES: "4,5,6,7",
      NCCL_TIMEOUT: "360",
      OMP_NUM_THREADS: "32",
    });
  });
});
