// The scripts do the same in every shell that may be a node's sh.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isComplete, readAnswer } from "../../src/deploy/answers.ts";
import { endScript, launchScript, lookScript, probeScript } from "../../src/deploy/scripts.ts";
import { isLiving } from "./desk.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-scripts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nodes are Linux; a desk may be something else. */
const SHELLS =
  process.platform !== "linux"
    ? []
    : [["sh"], ["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
        ([name = ""]) => Bun.which(name) !== null,
      );

/** Of this run alone: processes are found by these on the whole machine. */
const ONE = `one-${process.pid}`;
const OLD = `old-${process.pid}`;
const LOST = `lost-${process.pid}`;

const WORDS = ["it's", '"a" $(touch PWNED) `touch PWNED`', "*", "", "\\n", "é"];

for (const shell of SHELLS)
  describe(`the scripts in ${shell.join(" ")}`, () => {
    const home = join(folder, shell.join("-"));
    const run = (script: string, path = "") => {
      const child = Bun.spawnSync(shell, {
        stdin: Buffer.from(script),
        cwd: folder,
        env: { PATH: `${path}${process.env["PATH"]}`, HOME: home },
      });
      const output = child.stdout.toString();
      expect(child.stderr.toString()).toBe("");
      expect(isComplete(output)).toBe(true);
      return readAnswer(output);
    };

    test("find what a node has", () => {
      const tools = join(home, "bin");
      mkdirSync(tools, { recursive: true });
      const list = "GPU 0: NVIDIA H100 (UUID: GPU-5f3a10c2)\\nGPU 1: NVIDIA H100 (UUID: Unknown Error)\\n";
      writeFileSync(join(tools, "nvidia-smi"), `#!/bin/sh\nprintf '${list}'\n`, { mode: 0o755 });
      using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
      const answer = run(probeScript(), `${tools}:`);
      expect(answer.flaw).toBeUndefined();
      expect(answer.takenPorts.has(listener.port)).toBe(true);
      expect(answer.gpus).toBe(2);
    });

    test("start a service with its words as they are, see it, and end every process of it", () => {
      const started = run(
        launchScript({
          id: ONE,
          about: '{"it\'s":"$(x)"}',
          logDir: "my logs",
          logName: "one.log",
          environment: { CUDA_VISIBLE_DEVICES: "0,1" },
          // A worker in the session, one that left it and loses its parent, and the arguments one in each line.
          command: [
            "sh",
            "-c",
            '(setsid sleep 600 & echo "pid $!"); sleep 600 & echo "pid $!"; printf "<%s>\\n" "$CUDA_VISIBLE_DEVICES" "${LC_ALL-no locale}" "$@"; wait',
            "sh",
            ...WORDS,
          ],
        }),
      ).sightings.get(ONE);
      expect(started).toMatchObject({
        state: "alive",
        about: '{"it\'s":"$(x)"}',
        log: join(home, "my logs/one.log"),
      });
      const log = (): string => readFileSync(join(home, "my logs/one.log"), "utf8");
      for (let tries = 0; tries < 2000 && !log().includes("<é>"); tries += 1) Bun.sleepSync(10);
      expect(
        log()
          .split("\n")
          .filter((line) => line.startsWith("<")),
      ).toEqual(["0,1", "no locale", ...WORDS].map((word) => `<${word}>`));
      const pids = [...log().matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
      const all = [started?.pid ?? 0, ...pids];
      expect(all.map(isLiving)).toEqual([true, true, true]);

      process.kill(started?.pid ?? 0, "SIGKILL");
      for (let tries = 0; tries < 2000 && isLiving(started?.pid ?? 0); tries += 1) Bun.sleepSync(10);
      expect(run(lookScript([ONE, "none"])).sightings.get(ONE)?.state).toBe("orphaned");
      expect(run(lookScript(["none"])).sightings.get("none")?.state).toBe("missing");

      const ended = run(endScript([ONE], 5));
      expect([...ended.stopped]).toEqual([ONE]);
      expect(all.map(isLiving)).toEqual([false, false, false]);
      expect(run(lookScript([ONE])).sightings.get(ONE)?.state).toBe("missing");
    });

    test("end a service whose files were cleared away, and start none that could not be found again", () => {
      const launch = (id: string) =>
        run(
          launchScript({
            id,
            about: "{}",
            logDir: "logs",
            logName: `${id}.log`,
            environment: {},
            command: ["sleep", "600"],
          }),
        );
      const pid = launch(LOST).sightings.get(LOST)?.pid ?? 0;
      const states = join(home, ".local/state/weir/deploy");
      const state = join(states, readdirSync(states)[0] ?? "");
      for (const file of readdirSync(state)) if (file.startsWith(`${LOST}.`)) rmSync(join(state, file));
      expect(run(lookScript([LOST])).sightings.get(LOST)?.state).toBe("orphaned");
      const ended = run(endScript([LOST], 5));
      expect([[...ended.stopped], isLiving(pid)]).toEqual([[LOST], false]);

      mkdirSync(join(state, "blocked.new"));
      expect(launch("blocked").flaws.get("blocked")).toBe(`cannot write ${state}/blocked.process`);
      expect(run(lookScript(["blocked"])).sightings.get("blocked")?.state).toBe("missing");
    });

    test("are heard behind a profile that prints without an end of line", () => {
      const child = Bun.spawnSync(["sh", "-c", 'printf title; exec "$@"', "sh", ...shell], {
        stdin: Buffer.from(lookScript(["none"])),
        env: { PATH: process.env["PATH"], HOME: home },
      });
      expect(readAnswer(child.stdout.toString()).sightings.get("none")?.state).toBe("missing");
    });

    test("find in a log whether its port is taken, by what was said last", () => {
      const logs = [
        ["ERROR: [Errno 98] address already in use", true],
        [
          "metrics_port at 40290 is not available in 30 seconds. metrics_port is used by a process already.",
          true,
        ],
        // SGLang's uvicorn says the one before it binds, and ends with the other.
        ["Application startup complete.\n[Errno 98] error while attempting to bind", true],
        ["bind failed, address already in use, trying another\nApplication startup complete.", false],
        ["flashinfer allreduce: address already in use", false],
      ] as const;
      const node = Bun.spawnSync(["uname", "-n"]).stdout.toString().trim();
      const state = join(home, ".local/state/weir/deploy", node);
      mkdirSync(state, { recursive: true });
      // Of an earlier boot: nothing runs, and the logs are read all the same.
      const ids = logs.map(([log], at) => {
        const file = join(state, `said-${at}`);
        writeFileSync(`${file}.log`, `${log}\n`);
        writeFileSync(`${file}.process`, `1 1 earlier\n${file}.log\n`);
        return `said-${at}`;
      });
      const seen = run(lookScript(ids)).sightings;
      expect(ids.map((id) => seen.get(id)?.conflictLine !== undefined)).toEqual(
        logs.map(([, taken]) => taken),
      );
    });

    test("end no stranger that has the number of a service's process by now", () => {
      const stranger = Bun.spawn(["setsid", "sleep", "600"]);
      try {
        run(
          launchScript({
            id: OLD,
            about: "{}",
            logDir: "logs",
            logName: "old.log",
            environment: {},
            command: ["true"],
          }),
        );
        const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
        const node = Bun.spawnSync(["uname", "-n"]).stdout.toString().trim();
        const file = join(home, ".local/state/weir/deploy", node, `${OLD}.process`);
        Bun.spawnSync([
          "sh",
          "-c",
          'printf "%s 1 %s\\n/none\\n" "$1" "$2" >"$3"',
          "sh",
          String(stranger.pid),
          boot,
          file,
        ]);
        expect([...run(endScript([OLD], 1)).stopped]).toEqual([OLD]);
        expect(isLiving(stranger.pid)).toBe(true);
      } finally {
        stranger.kill("SIGKILL");
      }
    });
  });
