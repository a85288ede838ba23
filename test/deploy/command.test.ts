// What `weir deploy` makes of its arguments, without any node.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDeploy } from "../../src/commands/deploy.ts";
import { runCommand } from "../../src/deploy/run-command.ts";
import { until } from "../support/until.ts";
import { isLiving } from "./desk.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-deploy-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** `false` in ssh's place: no node answers. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return start(args, env).ended;
}

/** Starts without waiting; `signal` is what Ctrl-C does. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let said = "";
  const handlers: (() => void)[] = [];
  const ended = runDeploy({
    args: [...args, ...(args.includes("--ssh-command") ? [] : ["--ssh-command", "false"])],
    env: { HOME: folder, PATH: process.env["PATH"], WEIR_CONFIG: join(folder, "weir.yaml"), ...env },
    out: (text) => void (said += text),
    err: (text) => void (said += text),
    isTerminal: false,
    onSignal: (name, act) => void (name === "SIGINT" && handlers.push(act)),
  }).then((code) => ({ code, said }));
  return { ended, said: () => said, signal: () => handlers.forEach((act) => act()) };
}

/** A command in ssh's place that does this. */
async function fakeSsh(body: string): Promise<string> {
  const path = join(folder, "fake-ssh");
  await Bun.write(path, `#!/bin/sh\ncat >/dev/null\n${body}\n`);
  return `sh ${path}`;
}

const MODEL = ["--model-name", "/data/Qwen3-32B/", "--tensor-parallel-size", "4"];
const DRY = [...MODEL, "--dry-run"];

describe("Ctrl-C", () => {
  const STARTING = ["--hosts", "a,b", ...MODEL, "--parallel", "1"];
  test.each([
    ["at once in a dry run", [...STARTING, "--dry-run"], 1],
    ["at once in status", ["status", "--hosts", "a,b", "--parallel", "1"], 1],
    ["at once in stop", ["stop", "--hosts", "a,b", "--parallel", "1"], 1],
    ["the second time where services are started", STARTING, 2],
  ])("leaves %s, and ends the calls under way", async (_, args, times) => {
    const calls = join(folder, "calls");
    rmSync(calls, { force: true });
    const ssh = await fakeSsh(`case "$*" in
      *"-G -- "*) echo hostname h;;
      *"-O exit -- "*) ;;
      *) echo "$$ $*" >>${calls}; exec sleep 600;;
    esac`);
    const { ended, said, signal } = start([...args, "--ssh-command", ssh]);
    const called = (): string => (existsSync(calls) ? readFileSync(calls, "utf8") : "");
    await until(() => called().endsWith("\n"), "a node is called");
    for (let time = 0; time < times; time += 1) signal();
    expect((await ended).code).toBe(130);
    expect(said()).toEndWith("Left as it is; see weir deploy status and weir deploy stop.\n");
    const [, pid, path] = /^(\d+) .*ControlPath=(\S+)\/%C/.exec(called()) ?? [];
    expect([isLiving(Number(pid)), existsSync(path ?? "/"), called().split("\n").length]).toEqual([
      false,
      false,
      2,
    ]);
  });
});

describe("a command", () => {
  test("is not waited for when it has ended and left somebody behind", async () => {
    const left = join(folder, "left");
    const ssh = await fakeSsh(
      `sleep 600 >/dev/null & echo $! >${left}; echo weir:- gpus 8; echo weir:- done`,
    );
    const { said } = await run(["--hosts", "a", ...DRY, "--ssh-command", ssh]);
    expect(said).toContain("\n2 services would be started.");
    const pid = Number(readFileSync(left, "utf8"));
    expect(isLiving(pid)).toBe(true);
    process.kill(pid);
  });

  test("that is ended takes along what it started", async () => {
    const file = join(folder, "started");
    const words = ["sh", "-c", `sleep 600 & echo $! >${file}; wait`];
    const leaving = new AbortController();
    const environment = { PATH: process.env["PATH"] };
    const called = runCommand(words, { input: "", timeoutMs: 60_000, environment, signal: leaving.signal });
    const pid = (): number => (existsSync(file) ? Number(readFileSync(file, "utf8")) : 0);
    await until(() => pid() > 0, "it has started something");
    leaving.abort();
    expect(await called).toEqual({ kind: "failed", reason: "interrupted" });
    await until(() => !isLiving(pid()), "what it started is gone");
  });

  test("that takes too long is told", async () => {
    const call = { input: "", timeoutMs: 500, environment: { PATH: process.env["PATH"] } };
    expect(await runCommand(["sleep", "600"], call)).toEqual({
      kind: "failed",
      reason: "no answer within 1 s",
    });
  });
});

describe("weir deploy --dry-run", () => {
  test("prints the documented table for three nodes with eight GPUs, every command, and the rows", async () => {
    const { code, said } = await run(["--hosts", "a,b,c", ...DRY]);
    expect(code).toBe(0);
    const rows = said.split("\n").filter((line) => /^[abc] +\d/.test(line));
    expect(rows.map((row) => row.split(/ +/).join(" "))).toEqual([
      "a 0 0-3 30596",
      "a 1 4-7 30597",
      "b 0 0-3 30598",
      "b 1 4-7 30599",
      "c 0 0-3 30600",
      "c 1 4-7 30601",
    ]);
    expect(said.match(/--served-model-name Qwen3-32B /g)).toHaveLength(6);
    expect(said.match(/CUDA_VISIBLE_DEVICES=4,5,6,7 /g)).toHaveLength(3);
    expect(said).toContain("b: cannot be reached: false ended with code 1; planned as if");
    expect(said).toContain(`${join(folder, "weir.yaml")} would get:\nproviders:\n  vllm-qwen3-32b:\n`);
    expect(said).toEndWith("6 services would be started. This was a dry run: nothing was.\n");
  });

  test("leaves a second name of a node out, by where ssh goes, and says so", async () => {
    const ssh = await fakeSsh(`case "$*" in
      *"-G -- jumper"*) echo hostname 10.0.0.1; echo port 22; echo proxycommand nc %n;;
      *"-G -- far"*) echo hostname 10.0.0.1; echo port 2222;;
      *"-G -- "*) echo hostname 10.0.0.1; echo port 22;;
      *"-- down"*) exit 255;; *) echo weir:- gpus 8; echo weir:- done;;
    esac`);
    const hosts = ["--hosts", "gpu-a,far,me@gpu-a,jumper,down"];
    const { code, said } = await run([...hosts, ...DRY, "--ssh-command", ssh]);
    expect(code).toBe(0);
    for (const name of ["me@gpu-a", "down"])
      expect(said).toContain(
        `${name}: is gpu-a by another name (ssh goes to the same place): nothing is started by this one\n`,
      );
    expect(said).toContain("\n6 services would be started.");
    const names = [...said.matchAll(/^(\S+) +\d +\d-\d +\d{5}/gm)].map(([, name]) => name);
    expect(names).toEqual(["gpu-a", "gpu-a", "far", "far", "jumper", "jumper"]);
  });

  test("reads where from the environment, a flag first", async () => {
    const slurm = { SLURM_JOB_NODELIST: "gpu[01-02]", NODE_IP_LIST: "10.0.0.1:8,10.0.0.2:8" };
    expect((await run([...DRY, "--slurm"], slurm)).said).toContain("gpu02  1        4-7   30599");
    expect((await run(DRY, slurm)).said).toContain("10.0.0.2  1        4-7   30599");
    expect((await run([...DRY, "--hosts", "me@x"], slurm)).said).toContain("http://x:30596/v1");
  });

  test("takes engines' arguments as one text or several, and interpreters of several words", async () => {
    const { said } = await run([
      "--hosts",
      "a",
      ...DRY,
      "--extra-args",
      "--max-model-len 65536 --x 'a b'",
      "--extra-args",
      "--y=$(z)",
      "-python-cmd",
      "apptainer exec --nv 'my image.sif' python3",
      "--backend",
      "SGLang",
      "--max-num-seqs",
      "180",
    ]);
    expect(said).toContain(
      "  apptainer exec --nv 'my image.sif' python3 -m sglang.launch_server --model-path /data/Qwen3-32B/ ",
    );
    expect(said).toContain(" --max-running-requests 180 --max-model-len 65536 --x 'a b' '--y=$(z)'\n");
  });
});

describe("a secret", () => {
  test("is not printed, and not taken where a list of processes would show it", async () => {
    const dry = await run([
      "--hosts",
      "a",
      ...DRY,
      "--python-cmd",
      "env HF_TOKEN=hf_abcdef HF_HOME=/d python3",
    ]);
    expect(dry.said).toContain("  env 'HF_TOKEN=***' HF_HOME=/d python3 -m ");
    expect(dry.said).not.toContain("hf_abcdef");
    const refused = await run(["--hosts", "a", ...DRY, "--extra-args", "--api-key=sk-abcdef"]);
    expect(refused.code).toBe(64);
    expect(refused.said).toStartWith("cannot read --extra-args: expected no API key");
    expect(refused.said).not.toContain("sk-abcdef");
  });
});

describe("weir deploy", () => {
  test("takes no engine's argument that would make it look elsewhere than the engine is", async () => {
    for (const argument of ["--port", "--served-model-name", "--served_model_name"]) {
      const { code, said } = await run(["--hosts", "a", ...DRY, `--extra-args=--seed 1 ${argument}=7`]);
      expect([code, said]).toEqual([
        64,
        `cannot read --extra-args: expected no option that weir deploy has itself, since it looks for what it gave, found "${argument}=7"\n`,
      ]);
    }
  });

  test("goes on without a folder for sockets, and keeps its record in the home folder alone", async () => {
    const odd = { TMPDIR: join(folder, "none"), XDG_STATE_HOME: "state" };
    const ssh = await fakeSsh(`case "$*" in
      *ControlPath*) ;; *"-G -- "*) echo hostname h;; *) echo weir:- gpus 8; echo weir:- done;;
    esac`);
    const { code, said } = await run(["--hosts", "a", ...DRY, "--ssh-command", ssh], odd);
    expect([code, said.includes("cannot be reached")]).toEqual([0, false]);
    const path = join(folder, ".local/state/weir/deploy.json");
    expect((await run(["status"], odd)).said).toBe(`No service is known: none in ${path}.\n`);
  });

  test("tells every wrong option at once", async () => {
    const { code, said } = await run([
      "--hosts",
      "a;b",
      "--tensor-parallel-size",
      "16",
      "--port",
      "99999",
      "--backend",
      "vlm",
      "--extra-args",
      "'x",
      "--health-check-timeout",
      "soon",
      "--parallel",
      "0",
      "--hots",
      "x",
    ]);
    expect(code).toBe(64);
    expect(said.trim().split("\n").sort()).toEqual([
      'cannot read --backend: expected vllm or sglang (did you mean vllm?), found "vlm"',
      "cannot read --extra-args: expected a closing ', found \"'x\"",
      'cannot read --health-check-timeout: expected seconds, or a duration such as 45m, found "soon"',
      'cannot read --hosts: expected the name or address of a host, or user@host, found "a;b"',
      "cannot read --hots: expected an option of this command (did you mean --hosts?)",
      "cannot read --model-name: expected the path or the name of a model",
      'cannot read --parallel: expected 1 to 1024, found "0"',
      'cannot read --port: expected 1 to 65535, found "99999"',
      'cannot read --tensor-parallel-size: expected at most --gpus-per-node, 8, found "16"',
    ]);
  });

  test("asks for nodes, and says where Slurm would name them", async () => {
    expect((await run(DRY)).said).toContain("or --slurm, or NODE_IP_LIST");
    expect((await run([...DRY, "--slurm"])).said).toContain("SLURM_JOB_NODELIST in the environment");
  });

  test("tells that no node answers, with the count, and exit code 1", async () => {
    const { code, said } = await run(["--hosts", "a,b", ...MODEL]);
    expect(code).toBe(1);
    expect(said).toBe(
      "a: cannot be reached: false ended with code 1\nb: cannot be reached: false ended with code 1\n" +
        "0 of 4 services are ready, 4 failed.\n",
    );
    expect((await run(["--hosts", "a", ...MODEL, "--ssh-command", "no-such-ssh"])).said).toContain(
      "a: cannot be reached: ",
    );
  });

  test("asks no node while what it must write cannot be written", async () => {
    await Bun.write(join(folder, "file"), "");
    const blocked = join(folder, "file/weir.yaml");
    const { code, said } = await run(["--hosts", "a", ...MODEL], { XDG_STATE_HOME: join(folder, "file") });
    expect(code).toBe(1);
    expect(said).toBe(`cannot write ${join(folder, "file/weir/deploy.json")}: ENOTDIR\n`);
    const config = await run(["--hosts", "a", ...MODEL, "--config", blocked]);
    expect(config).toEqual({ code: 64, said: `cannot read ${blocked}: ENOTDIR\n` });
    const unwritable = await run(["--hosts", "a", ...MODEL, "--config", "/proc/none/weir.yaml"]);
    expect(unwritable.code).toBe(1);
    expect(unwritable.said).toMatch(/^cannot write \/proc\/none\/weir\.yaml: E[A-Z]+\n$/);
    const status = await run(["status"], { XDG_STATE_HOME: join(folder, "file") });
    expect(status).toEqual({
      code: 78,
      said: `cannot read ${join(folder, "file/weir/deploy.json")}: ENOTDIR\n`,
    });
  });

  test("says that nothing is known where nothing was started", async () => {
    const path = join(folder, ".local/state/weir/deploy.json");
    for (const verb of ["status", "stop"])
      expect(await run([verb])).toEqual({ code: 0, said: `No service is known: none in ${path}.\n` });
  });

  test("says what stays in a file that it cannot read", async () => {
    const state = join(folder, "stays");
    const backendFile = join(state, "weir.yaml");
    const record = { id: "a_0", host: "a", index: 0, engine: "vllm", servedName: "m", gpus: [0], port: 1 };
    const service = { ...record, url: "http://a:1/v1", backendFile, startedAt: "2026-01-31T00:00:00Z" };
    await Bun.write(join(state, "weir/deploy.json"), JSON.stringify({ version: 1, services: [service] }));
    await Bun.write(backendFile, "a: [");
    const { code, said } = await run(["stop"], { XDG_STATE_HOME: state });
    expect(code).toBe(1);
    expect(said).toMatch(/^cannot read .*weir\.yaml:1: .*; the rows of 1 services stay in it\n/);
  });

  test("refuses a record that it cannot read", async () => {
    const state = join(folder, "odd");
    await Bun.write(join(state, "weir/deploy.json"), "{}");
    for (const args of [["stop"], ["--hosts", "a", ...MODEL]]) {
      const { code, said } = await run(args, { XDG_STATE_HOME: state });
      expect(code).toBe(78);
      expect(said).toBe(
        `cannot read ${join(state, "weir/deploy.json")}: expected the record of services that weir wrote\n`,
      );
    }
  });

  test("shows its options with --help", async () => {
    const { code, said } = await run(["stop", "--help"]);
    expect(code).toBe(0);
    expect(said).toStartWith("weir deploy [status|stop] ");
  });
});
