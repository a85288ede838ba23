// `weir deploy` against real sshd processes on loopback, with a stand-in engine that behaves, and misbehaves, like vLLM.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Desk, isLiving, openDesk, type Run } from "../deploy/desk.ts";
import { freeRange, startNodes, type TestNodes } from "../deploy/nodes.ts";
import { until } from "../support/until.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const PATIENCE_MS = 60_000;

/** Ends what a failed test left, by the ids that the engines themselves wrote down. */
class Scene implements AsyncDisposable {
  readonly nodes: TestNodes;
  private readonly desks: Desk[] = [];

  constructor(nodes: TestNodes) {
    this.nodes = nodes;
  }

  desk(name: string): Desk {
    const desk = openDesk(this.nodes, name);
    this.desks.push(desk);
    return desk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.desks.flatMap((desk) => desk.enginePids()).filter(isLiving))
      process.kill(pid, "SIGKILL");
    await this.nodes[Symbol.asyncDispose]();
  }
}

const setUp = async (gpus: Readonly<Record<string, number | undefined>>): Promise<Scene> =>
  new Scene(await startNodes(gpus));

/** A shell that read any part of it would leave a file, or stop at a quote. */
const NASTY = `it's "a" $(touch PWNED) \`touch PWNED\`; touch PWNED | model & \\ #`;

const lines = ({ said }: Run): readonly string[] => said.split("\n");

/** The line of a service, or of a node. */
const lineOf = (run: Run, start: string): string =>
  lines(run).findLast((line) => line.startsWith(start)) ?? `no line begins with ${start} in:\n${run.said}`;

describe("three nodes with eight GPUs, four a service", () => {
  test(
    "serve through weir, are told of, and leave nothing behind",
    async () => {
      await using scene = await setUp({ n1: 8, n2: 8, n3: 8 });
      const { nodes } = scene;
      const my = scene.desk("fleet");
      writeFileSync(
        my.backendFile,
        "# mine\nserver: { port: 8080 } # the usual\nproviders:\n  openai: { api_key: unused, base_url: http://127.0.0.1:9/v1 }\n",
      );
      const first = await freeRange(6);
      const serve = Bun.spawn(
        [process.execPath, MAIN, "serve", "--config", my.backendFile, "--port", "0", "--log-level", "warn"],
        { env: nodes.environment, stdout: "pipe", stderr: "inherit" },
      );
      try {
        const url = await addressOf(serve.stdout);
        const started = await my.run(
          ...my.startArgs({ hosts: "n[1-3]", gpusEach: 4, port: first }),
          "--model-name",
          `/data/${NASTY}`,
          "--served-model-name",
          NASTY,
        );
        expect(
          lines(started)
            .slice(0, 7)
            .map((line) => line.split(/ +/)),
        ).toEqual([
          ["NODE", "SERVICE", "GPUS", "PORT"],
          ["n1", "0", "0-3", String(first)],
          ["n1", "1", "4-7", String(first + 1)],
          ["n2", "0", "0-3", String(first + 2)],
          ["n2", "1", "4-7", String(first + 3)],
          ["n3", "0", "0-3", String(first + 4)],
          ["n3", "1", "4-7", String(first + 5)],
        ]);
        expect(started.said).toContain("6 of 6 services are ready, 0 failed.");
        expect(started.code).toBe(0);

        const file = readFileSync(my.backendFile, "utf8");
        expect(file).toStartWith("# mine\nserver: { port: 8080 } # the usual\n");
        for (const [at, host] of [1, 1, 2, 2, 3, 3].entries())
          expect(file).toContain(`- http://127.0.0.${host}:${first + at}/v1\n`);

        const answered = await askUntilAll(url, 6);
        expect([...answered].sort()).toEqual(Array.from({ length: 6 }, (_, at) => String(first + at)));

        const again = await my.run(...my.startArgs({ hosts: "n1", gpusEach: 4 }));
        expect(again.code).toBe(1);
        expect(lineOf(again, "n1: GPUs 0-3 are taken by")).toContain("see weir deploy status");
        expect(again.said).toContain("0 of 2 services are ready, 2 failed.");

        const up = await my.run("status");
        expect(up.code).toBe(0);
        expect(up.said).toMatch(/n2 +1 +4-7 +\d+ +\d+ .*up, 2 running, \d+ waiting, cache 25 %/);
        expect(up.said).toContain("6 of 6 services are up.");

        // The engine itself, not its leader: what memory running out does.
        const engine = engineOf(my, first + 3);
        process.kill(engine, "SIGKILL");
        await until(() => !isLiving(engine), "the killed engine is gone");
        const down = await untilSaid(() => my.run("status"), "SIGKILL");
        expect(down.code).toBe(1);
        expect(down.said).toMatch(/n2 +1 .*dead: SIGKILL, as when memory runs out/);
        expect(down.said).toContain("5 of 6 services are up.");

        expect(my.enginePids()).toHaveLength(18);
        const stopped = await my.run("stop", "--grace", "5");
        expect(lineOf(stopped, `n2 service 1 (port ${first + 3}`)).toEndWith("): stopped");
        expect(stopped.said).toContain("6 of 6 services are stopped.");
        expect(stopped.code).toBe(0);
        expect(my.enginePids().filter(isLiving)).toEqual([]);
        expect(readFileSync(my.backendFile, "utf8")).toBe(
          "# mine\nserver: { port: 8080 } # the usual\nproviders:\n  openai: { api_key: unused, base_url: http://127.0.0.1:9/v1 }\nroutes: {}\n",
        );
        expect((await my.run("status")).said).toStartWith("No service is known");
        await untilUnlisted(url);
      } finally {
        serve.kill();
        await serve.exited;
      }
      expect(findPwned(nodes)).toEqual([]);
    },
    PATIENCE_MS * 2,
  );
});

describe("failures", () => {
  test(
    "are a line each, the rest goes on, and the exit code is 1 with the count",
    async () => {
      await using scene = await setUp({ small: 4, dead: 8, n1: 8, bare: undefined });
      const { nodes } = scene;
      const my = scene.desk("failures");
      const first = await freeRange(40);
      // small has too few GPUs and dead does not answer, so that n1 has the first eight ports, and bare the next.
      const behaviours = [
        "crash",
        "wrong_name",
        "never_ready",
        "mute",
        "taken",
        "chatty",
        "stubborn",
      ] as const;
      my.plan(Object.fromEntries(behaviours.map((behaviour, at) => [String(first + at), behaviour])));
      const run = await my.run(
        ...my.startArgs({ hosts: "small,dead,n1,bare", gpusEach: 1, port: first }),
        "--health-check-timeout",
        "30",
      );
      expect(lineOf(run, "small: ")).toBe(
        "small: has 4 GPUs, and --gpus-per-node says 8: nothing is started there",
      );
      expect(lineOf(run, "dead: ")).toMatch(/^dead: cannot be reached: .*Connection refused/);
      expect(lineOf(run, "GPUs not counted")).toBe("GPUs not counted, since there is no nvidia-smi: bare");
      expect(lineOf(run, "n1 service 0: ")).toMatch(
        /^n1 service 0: FAILED: it ended: exit code 3; log: .*\.log$/,
      );
      expect(run.said).toContain("    n1 service 0 | torch.OutOfMemoryError: CUDA out of memory.");
      expect(lineOf(run, "n1 service 1: ")).toContain(
        `FAILED: serves "another/model" at http://127.0.0.3:${first + 1}/v1, not "m"`,
      );
      expect(lineOf(run, "n1 service 2: ")).toContain(
        "FAILED: not ready after 30 s (--health-check-timeout); log: ",
      );
      expect(run.said).toContain("    n1 service 2 | Loading safetensors: 100%");
      expect(run.said).toMatch(
        /n1 service 3: its log says ready; waits for an answer: http:\/\/127\.0\.0\.3:\d+\/v1\/models: /,
      );
      expect(lineOf(run, "n1 service 3: ")).toContain(
        "FAILED: its log says ready, but it does not answer after 30 s",
      );
      const moved = lines(run).find((line) => line.startsWith(`n1 service 4: port ${first + 4} is taken (`));
      expect(moved).toContain("address already in use); tries port ");
      expect(lineOf(run, "n1 service 4: ")).toMatch(/ready at http:\/\/127\.0\.0\.3:\d+\/v1$/);
      expect(lineOf(run, "n1 service 5: ")).toBe(`n1 service 5: ready at http://127.0.0.3:${first + 5}/v1`);
      expect(lineOf(run, "bare service 7: ")).toContain("ready at http://127.0.0.4:");
      expect(run.said).toContain("12 of 32 services are ready, 20 failed.");
      expect(run.code).toBe(1);
      // Those that failed hold no GPU.
      const status = await my.run("status");
      expect(status.said).toContain("12 of 12 services are up.");

      await nodes.takeDown("bare");
      const cut = await my.run("status");
      expect(lineOf(cut, "bare: ")).toContain("cannot be reached: ");
      expect(cut.said).toMatch(/bare +7 .*unknown: its node cannot be reached/);
      expect(cut.code).toBe(1);
      const stopped = await my.run("stop", "--grace", "1");
      expect(lineOf(stopped, "n1 service 6 ")).toContain("killed after the grace");
      expect(stopped.said).toContain("4 of 12 services are stopped, 8 failed.");
      expect(stopped.code).toBe(1);
      expect(readFileSync(my.backendFile, "utf8")).toBe("providers: {}\nroutes: {}\n");
    },
    PATIENCE_MS * 2,
  );

  test(
    "of commands and folders on the node are told, and nothing is started",
    async () => {
      await using scene = await setUp({ n3: 8 });
      const my = scene.desk("commands");
      const one = my.startArgs({ hosts: "n3", gpusEach: 8 });
      const missing = await my.run(...one, "--python-cmd", "no-such-python");
      expect(lineOf(missing, "n3 service 0: ")).toBe(
        "n3 service 0: FAILED: cannot start it: there is no command no-such-python there; see --python-cmd",
      );
      const conda = await my.run(...one, "--python-cmd", "env:no-such-env");
      expect(lineOf(conda, "n3 service 0: ")).toContain("there is no conda environment no-such-env");
      const folder = await my.run(...one, "--log-dir", "/proc/none");
      expect(lineOf(folder, "n3 service 0: ")).toContain("cannot make the folder /proc/none/VLLM_m");
      expect(folder.said).toContain("0 of 1 services are ready, 1 failed.");
      expect((await my.run("status", "--hosts", "n3")).said).toStartWith("No service is known");
    },
    PATIENCE_MS,
  );
});

describe("ports", () => {
  test(
    "that are taken are skipped, and one that is taken meanwhile is left to whoever has it",
    async () => {
      await using scene = await setUp({ n3: 8 });
      const { nodes } = scene;
      const my = scene.desk("ports");
      const first = await freeRange(10);
      const foreign = Bun.listen({ hostname: "0.0.0.0", port: first, socket: { data() {} } });
      try {
        my.plan({ [first + 1]: "waits" });
        const run = my.start(
          ...my.startArgs({ hosts: "n3", gpusEach: 8, port: first }),
          "--backend",
          "sglang",
        );
        await until(() => my.enginePids().length > 0, "the engine runs", 30_000);
        const rival = Bun.listen({ hostname: "0.0.0.0", port: first + 1, socket: { data() {} } });
        my.letGo();
        const ended = await run.ended;
        expect(ended.said).toContain(`n3 service 0: port ${first + 1} is taken`);
        expect(lineOf(ended, "n3 service 0: ")).toBe(
          `n3 service 0: ready at http://127.0.0.1:${first + 2}/v1`,
        );
        expect(ended.code).toBe(0);
        // Logs are of one try each, named after its port.
        const logs = readdirSync(join(nodes.folder, "logs/SGLANG_m")).filter((name) =>
          name.includes("_n3_0_"),
        );
        for (const port of [first + 1, first + 2])
          expect(logs.some((name) => name.endsWith(`port${port}.log`))).toBe(true);
        expect((await my.run("stop", "--grace", "5")).code).toBe(0);
        expect(my.enginePids().filter(isLiving)).toEqual([]);
        rival.stop(true);
      } finally {
        foreign.stop(true);
      }
    },
    PATIENCE_MS,
  );

  test(
    "are tried six times, and no more",
    async () => {
      await using scene = await setUp({ n1: 8 });
      const my = scene.desk("taken");
      const first = await freeRange(8);
      my.plan(Object.fromEntries(Array.from({ length: 8 }, (_, at) => [String(first + at), "taken"])));
      const run = await my.run(...my.startArgs({ hosts: "n1", gpusEach: 8, port: first }));
      for (let at = 0; at < 5; at += 1) expect(run.said).toContain(`port ${first + at} is taken (`);
      expect(lineOf(run, "n1 service 0: ")).toContain(
        `FAILED: no free port in 6 tries, the last one ${first + 5}; log: `,
      );
      expect(run.said).toContain("0 of 1 services are ready, 1 failed.");
      expect(my.enginePids().filter(isLiving)).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe("the user's own OpenSSH", () => {
  test(
    "leads through jump hosts, and names the node's address",
    async () => {
      await using scene = await setUp({ n1: 8, behind: 8 });
      const my = scene.desk("jump");
      const run = await my.run(...my.startArgs({ hosts: "behind", gpusEach: 8, port: 20_000 }), "--dry-run");
      expect(lines(run)[0]).toMatch(/^NODE /);
      expect(run.said).toContain("http://127.0.0.2:20000/v1");
      expect(readFileSync(join(scene.nodes.folder, "n1/sshd.log"), "utf8")).toContain("Accepted publickey");
    },
    PATIENCE_MS,
  );

  test(
    "decides whom to trust: a node with another host key is not used",
    async () => {
      await using scene = await setUp({ n1: 8 });
      const my = scene.desk("keys");
      const dry = [...my.startArgs({ hosts: "n1", gpusEach: 8 }), "--dry-run"];
      expect(lines(await my.run(...dry))[0]).toMatch(/^NODE /);
      const known = join(scene.nodes.folder, "known");
      const stranger = Bun.spawnSync([
        "ssh-keygen",
        "-y",
        "-f",
        join(scene.nodes.folder, "user"),
      ]).stdout.toString();
      writeFileSync(
        known,
        readFileSync(known, "utf8").replaceAll(/ ssh-ed25519 \S+/g, () => ` ${stranger.trim()}`),
      );
      expect(lines(await my.run(...dry))[0]).toMatch(/^n1: cannot be reached: .*[Hh]ost key/);
    },
    PATIENCE_MS,
  );
});

describe("Ctrl-C", () => {
  test(
    "stops what is not ready yet and keeps what is",
    async () => {
      await using scene = await setUp({ n1: 8 });
      const my = scene.desk("interrupted");
      const first = await freeRange(2);
      my.plan({ [first + 1]: "never_ready" });
      const run = my.start(...my.startArgs({ hosts: "n1", gpusEach: 4, port: first }));
      await until(() => run.said().includes("ready at"), "one service is ready", 30_000);
      run.signal();
      const ended = await run.ended;
      expect(lineOf(ended, "n1 service 1: ")).toContain("FAILED: stopped: interrupted");
      expect(ended.said).toContain("1 of 2 services are ready, 1 failed.");
      expect(ended.code).toBe(1);
      expect((await my.run("status")).said).toContain("1 of 1 services are up.");
      expect((await my.run("stop", "--grace", "5")).code).toBe(0);
      expect(my.enginePids().filter(isLiving)).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    "twice leaves everything as it is, and another desk finds it on the nodes",
    async () => {
      await using scene = await setUp({ n2: 8 });
      const my = scene.desk("insisted");
      const first = await freeRange(1);
      my.plan({ [first]: "never_ready" });
      const run = my.start(...my.startArgs({ hosts: "n2", gpusEach: 8, port: first }));
      await until(() => my.enginePids().length > 0, "the engine runs", 30_000);
      run.signal();
      run.signal();
      const ended = await run.ended;
      expect(ended.said).toContain("Left as it is");
      expect(ended.code).toBe(130);
      const other = scene.desk("other");
      expect((await other.run("status")).said).toStartWith("No service is known");
      const status = await other.run("status", "--hosts", "n2");
      expect(status.said).toMatch(/n2 +0 +0-7 +\d+ +\d+ +m +starting: /);
      const stopped = await other.run("stop", "--hosts", "n2", "--grace", "5");
      expect(stopped.said).toContain("1 of 1 services are stopped.");
      expect(my.enginePids().filter(isLiving)).toEqual([]);
      expect(lineOf(await my.run("status"), "0 of 1")).toBe("0 of 1 services are up.");
      expect((await my.run("stop")).said).toContain("1 of 1 services are stopped.");
    },
    PATIENCE_MS,
  );
});

test(
  "a list of LLMRouter's is kept by address, through its main file",
  async () => {
    await using scene = await setUp({ n1: 8 });
    const { nodes } = scene;
    const my = scene.desk("llmrouter");
    const folder = join(nodes.folder, "llmrouter");
    mkdirSync(join(folder, "configs"), { recursive: true });
    writeFileSync(
      join(folder, "config.yaml"),
      "routing: { strategy: simple-shuffle }\nbackends: { config_dir: configs }\n",
    );
    const first = await freeRange(2);
    const rows = join(folder, "configs/self_deployed_config.yaml");
    const mine = `model_list:
  - model_name: "m"   # ours
    litellm_params:
      model: "openai/m"
      api_base: "http://127.0.0.1:${first}/v1"
      weight: 3.0   # twice the memory
      source_type: "self_deployed"
      rpm_limit: 120
`;
    writeFileSync(rows, mine);
    const started = await my.run(
      ...my.startArgs({ hosts: "n1", gpusEach: 4, port: first }),
      "--config",
      join(folder, "config.yaml"),
      "--backend",
      "sglang",
    );
    expect(started.said).toContain("2 of 2 services are ready");
    expect(readFileSync(rows, "utf8")).toStartWith(mine);
    expect(readFileSync(rows, "utf8")).toContain(`api_base: http://127.0.0.1:${first + 1}/v1`);
    const check = Bun.spawnSync([process.execPath, MAIN, "check", "--config", join(folder, "config.yaml")], {
      env: nodes.environment,
    });
    expect(check.stderr.toString() + check.stdout.toString()).toContain(`127.0.0.1:${first + 1}`);
    expect(check.exitCode).toBe(0);
    expect((await my.run("stop", "--grace", "5")).code).toBe(0);
    expect(readFileSync(rows, "utf8")).toBe("model_list: []\n");
  },
  PATIENCE_MS,
);

/** The first line that names where weir listens. */
async function addressOf(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of output) {
    text += new TextDecoder().decode(chunk);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`weir did not start: ${text}`);
}

/** Asks the nasty model until so many different engines have answered; each puts its port into its answer. */
async function askUntilAll(url: string, count: number): Promise<ReadonlySet<string>> {
  const answered = new Set<string>();
  let last = "";
  for (const endMs = performance.now() + 20_000; answered.size < count && performance.now() < endMs;) {
    const response = await ask(url);
    last = await response.text();
    const content = /"content":"(\d+)"/.exec(last)?.[1];
    if (content !== undefined) answered.add(content);
  }
  if (answered.size < count) throw new Error(`only ${[...answered].join(" ")} answered; last: ${last}`);
  return answered;
}

const ask = (url: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: NASTY, messages: [{ role: "user", content: "hello" }] }),
  });

/** Resolves once weir has read that the rows are gone. */
async function untilUnlisted(url: string): Promise<void> {
  let text = "";
  for (const endMs = performance.now() + 20_000; performance.now() < endMs;) {
    text = await (await fetch(`${url}/v1/models`)).text();
    const { data } = JSON.parse(text) as { readonly data: readonly { readonly id: string }[] };
    if (!data.some(({ id }) => id === NASTY)) return;
  }
  throw new Error(`the model is still listed: ${text}`);
}

async function untilSaid(ask: () => Promise<Run>, text: string): Promise<Run> {
  for (let tries = 0; tries < 20; tries += 1) {
    const run = await ask();
    if (run.said.includes(text)) return run;
  }
  return ask();
}

/** The process that has the port's argument, among those that the engines wrote down. */
function engineOf(my: Desk, port: number): number {
  const found = my
    .enginePids()
    .filter(isLiving)
    .find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(String(port)));
  if (found === undefined) throw new Error(`no engine has port ${port}`);
  return found;
}

/** In every folder that a shell here or on a node may have stood in. */
function findPwned(nodes: TestNodes): readonly string[] {
  const folders = [process.cwd(), nodes.folder, "n1", "n2", "n3", process.env["HOME"] ?? "/"].map((each) =>
    each.startsWith("/") ? each : join(nodes.folder, each),
  );
  return folders.map((folder) => join(folder, "PWNED")).filter((path) => existsSync(path));
}
