// Logs of a real process whose standard error is full, stopped, closed or fine: requests go on, losses are counted.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { until } from "../support/until.ts";

/** Each starts a process, on a machine that may be busy. */
setDefaultTimeout(60_000);

const MAIN = join(import.meta.dir, "../../src/main.ts");
const KEYS = ["sk-canary-good-000000001", "sk-canary-bad-0000000002"];
const chat = (model: string) =>
  JSON.stringify({ model, messages: [{ role: "user", content: "canary prompt" }] });

let fake: Fake;
let root: string;
beforeAll(() => {
  fake = startFake({ script: { rules: [{ match: { key: KEYS[1] ?? "" }, do: 401 }] } });
  root = mkdtempSync(join(tmpdir(), "weir-stderr-"));
});
afterAll(async () => {
  await fake.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Served extends AsyncDisposable {
  /** Statuses of so many requests, one after another. */
  readonly ask: (count: number, model?: string) => Promise<readonly number[]>;
  /** Resolves once it tells of lines that were lost. */
  readonly hasDropped: () => Promise<void>;
  /** Ends it as an operator would; the exit code. */
  readonly end: () => Promise<number>;
  /** What it printed to standard output. */
  readonly printed: () => string;
}

/** `weir serve` with that descriptor as standard error. */
async function serve(
  stderr: number,
  env: Readonly<Record<string, string>> = {},
  ...args: string[]
): Promise<Served> {
  const child = Bun.spawn([process.execPath, MAIN, "serve", "--port", "0", ...args], {
    env: {
      PATH: process.env["PATH"] ?? "",
      OPENAI_API_KEYS: KEYS.join(","),
      OPENAI_BASE_URL: fake.url,
      WEIR_SHUTDOWN_DELAY: "0s",
      ...env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr,
  });
  let printed = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of child.stdout) printed += decoder.decode(chunk, { stream: true });
  })();
  await until(() => /weir listens on/.test(printed) || child.exitCode !== null, "weir listens", 20_000);
  const url = /weir listens on (http:\S+)/.exec(printed)?.[1] ?? "no address";
  return {
    async ask(count, model = "gpt-4o") {
      const statuses: number[] = [];
      for (let asked = 0; asked < count; asked += 1) {
        const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", body: chat(model) });
        statuses.push(answer.status);
        await answer.arrayBuffer();
      }
      return statuses;
    },
    async hasDropped() {
      const read = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
      while (!/^weir_log_dropped_lines_total [1-9]/m.test(await read())) await Bun.sleep(20);
    },
    async end() {
      child.kill("SIGTERM");
      return child.exited;
    },
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await reading;
    },
  };
}

/** A pipe whose reader is the test: it reads when it likes. */
function openPipe(name: string) {
  const path = join(root, name);
  Bun.spawnSync(["mkfifo", path]);
  // Opened for both, so that opening does not wait for the other end.
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const buffer = Buffer.alloc(65_536);
  return {
    writer,
    read(): string {
      try {
        return buffer.toString("utf8", 0, readSync(reader, buffer));
      } catch {
        return "";
      }
    },
    closeReader: () => closeSync(reader),
    closeWriter: () => closeSync(writer),
  };
}

const allGood = (statuses: readonly number[]) => statuses.every((status) => status === 200);
const DEBUG = { WEIR_LOG_LEVEL: "debug" };

describe("standard error", () => {
  test.skipIf(process.platform !== "linux")(
    "that is full stops no request, and what is lost is counted",
    async () => {
      const full = openSync("/dev/full", "w");
      await using weir = await serve(full);
      closeSync(full);
      expect(allGood(await weir.ask(20))).toBe(true);
      await weir.hasDropped();
      expect(await weir.end()).toBe(0);
    },
  );

  test("whose reader is gone stops no request", async () => {
    const pipe = openPipe("closed");
    await using weir = await serve(pipe.writer);
    pipe.closeWriter();
    pipe.closeReader();
    expect(allGood(await weir.ask(20))).toBe(true);
    await weir.hasDropped();
    expect(await weir.end()).toBe(0);
  });

  test("whose reader has stopped holds up no request, and gets the lines when it reads on", async () => {
    const pipe = openPipe("stopped");
    await using weir = await serve(pipe.writer, DEBUG);
    pipe.closeWriter();
    // More than the pipe holds.
    expect(allGood(await weir.ask(400))).toBe(true);
    let text = "";
    await until(
      () => {
        text += pipe.read();
        return (text.match(/"message":"request"/g)?.length ?? 0) >= 400 && text.endsWith("\n");
      },
      "all requests are in the log",
      20_000,
    );
    for (const line of text.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    expect(text).not.toContain("canary");
    expect(await weir.end()).toBe(0);
    pipe.closeReader();
  });

  test("that never takes anything loses what is beyond the bound, and does not keep weir from ending", async () => {
    const pipe = openPipe("stuck");
    await using weir = await serve(pipe.writer);
    pipe.closeWriter();
    // Lines of more than 700 bytes: together more than pipe and queue hold.
    expect(allGood(await weir.ask(1800, `gpt-4o-${"x".repeat(500)}`))).toBe(true);
    await weir.hasDropped();
    expect(await weir.end()).toBe(0);
    pipe.closeReader();
  });
});

test("standard output whose reader is gone ends nothing", async () => {
  const pipe = openPipe("stdout");
  const child = Bun.spawn([process.execPath, MAIN, "serve", "--port", "0"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      OPENAI_API_KEYS: KEYS.join(","),
      OPENAI_BASE_URL: fake.url,
      WEIR_SHUTDOWN_DELAY: "0s",
    },
    stdin: "ignore",
    stdout: pipe.writer,
    stderr: "pipe",
  });
  pipe.closeWriter();
  pipe.closeReader();
  let text = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of child.stderr) text += decoder.decode(chunk, { stream: true });
  })();
  await until(
    () => text.includes('"message":"models found"') || child.exitCode !== null,
    "weir runs",
    20_000,
  );
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  await reading;
  expect(text).not.toContain("EPIPE");
});

test("files and trace of a real process have every request and no key", async () => {
  const dir = join(root, "logs");
  const trace = join(root, "trace.jsonl");
  const sink = openSync("/dev/null", "w");
  await using weir = await serve(sink, { WEIR_LOG_DIR: dir, WEIR_LOG_LEVEL: "debug" }, "--trace", trace);
  closeSync(sink);
  expect(allGood(await weir.ask(10))).toBe(true);
  expect(await weir.end()).toBe(0);
  const logs = readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8"));
  const rows = readFileSync(trace, "utf8").trim().split("\n");
  expect(logs.join("").match(/"message":"request"/g)).toHaveLength(10);
  const kinds = rows.map((row) => JSON.parse(row)).map(({ kind, outcome }) => outcome ?? kind);
  expect(kinds.filter((kind) => kind === "request")).toHaveLength(10);
  expect(kinds.filter((kind) => kind === "success")).toHaveLength(10);
  expect(kinds).toContain("revoked");
  expect(logs.join("") + rows.join("") + weir.printed()).not.toContain("canary");
});
