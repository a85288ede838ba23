import { expect, test } from "bun:test";
import { join } from "node:path";
import { runTopCommand } from "../../src/commands/top.ts";
import { runInTerminal, type TerminalRun } from "../support/screen.ts";
import { until } from "../support/until.ts";
import { backend, backendsOf, failure, logLine, sampleView, showWeir } from "../views/top/sample.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const TIMEOUT_MS = 60_000;

interface TopSetup {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

const startTop = (
  url: string,
  { columns = 80, rows = 24, env = {}, args = [] }: TopSetup = {},
): TerminalRun =>
  runInTerminal({ command: [process.execPath, MAIN, "top", "--url", url, ...args], env, columns, rows });

/** In place, without a terminal. */
async function runPlain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await runTopCommand({
    args,
    env,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    isTerminal: false,
    onSignal: () => {},
  });
  return { code, out, err };
}

const isRestored = ({ screen }: TerminalRun): boolean =>
  !screen.modes.has("1049") && screen.modes.has("25") && screen.modes.has("7");

test("one frame is printed whole and plain where nobody can press a key", async () => {
  await using weir = showWeir(sampleView(backendsOf(300)));
  const { code, out, err } = await runPlain(["--url", weir.url]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).not.toMatch(/(?!\n)\p{Control}/u);
  for (const text of [
    "requests 12.3k",
    "openai-0",
    "gpu-299",
    "rests 12 s: 429 rate limit",
    "Recent failures",
  ])
    expect(out).toContain(text);
});

test("one frame fits the width that was asked for", async () => {
  await using weir = showWeir(sampleView(backendsOf(12)));
  const { out } = await runPlain(["--once", "--url", weir.url], { COLUMNS: "60" });
  expect(Math.max(...out.split("\n").map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(60);
});

test("a weir that cannot be reached is told in one line, and the exit code is 1", async () => {
  const { code, out, err } = await runPlain(["--url", "http://127.0.0.1:1"]);
  expect({ code, out, err }).toEqual({
    code: 1,
    out: "",
    err: "cannot show http://127.0.0.1:1: connection refused\n",
  });
});

test("the admin key comes from the environment, and never to the output", async () => {
  await using weir = showWeir(sampleView(backendsOf(3)), { key: "canary-admin-key" });
  const without = await runPlain(["--url", weir.url]);
  expect(without.code).toBe(1);
  expect(without.err).toContain("it asks for its admin key: set WEIR_ADMIN_KEY");
  const wrong = await runPlain(["--url", weir.url, "--key", "canary-wrong-key"]);
  expect(wrong.code).toBe(1);
  const right = await runPlain(["--url", weir.url], { WEIR_ADMIN_KEY: "canary-admin-key" });
  expect(right.code).toBe(0);
  const written = [without, wrong, right].map(({ out, err }) => out + err).join("");
  expect(written).not.toContain("canary");
});

test("the admin key does not follow a redirect", async () => {
  await using other = showWeir(sampleView(backendsOf(3)));
  using moved = Bun.serve({ port: 0, fetch: () => Response.redirect(`${other.url}/api/dashboard`) });
  const { code, err } = await runPlain(["--url", moved.url.href, "--key", "canary-admin-key"]);
  expect(code).toBe(1);
  expect(err).toContain("it leads elsewhere");
  expect(other.asked).toEqual([]);
});

test("what is no weir is told as such", async () => {
  using page = Bun.serve({ port: 0, fetch: () => new Response("<h1>hello</h1>") });
  const { code, err } = await runPlain(["--url", page.url.href]);
  expect(code).toBe(1);
  expect(err).toContain("no weir of this version");
});

test.each(["ftp://127.0.0.1", "http://user:secret@127.0.0.1", "http://[::"])(
  "the address %s is refused as usage, and not repeated",
  async (url) => {
    const { code, err } = await runPlain(["--url", url]);
    expect(code).toBe(64);
    expect(err).toContain("cannot read --url");
    expect(err).not.toContain("secret");
  },
);

test("an option that does not exist is refused as usage", async () => {
  const { code, err } = await runPlain(["--onec"]);
  expect(code).toBe(64);
  expect(err).toContain("--once");
});

test(
  "keys switch views, choose, sort, filter and quit, and the terminal is given back",
  async () => {
    await using weir = showWeir(sampleView(backendsOf(60)));
    await using top = startTop(weir.url);
    await top.shows("[1 Overview]");
    expect(top.screen.modes.has("1049")).toBe(true);
    expect(top.screen.modes.has("25")).toBe(false);
    top.type("4");
    await top.shows(/\[4 Backends\][^]*>openai-0 /);
    top.type("\u001b[B\u001b[B");
    await top.shows(/>gpu-2 +resting/);
    top.type("\u001b[F");
    await top.shows(/>gpu-59 [^]*45-60 of 60/);
    top.type("s");
    await top.shows(/Backend↑[^]*>gpu-2 [^]*by Backend/);
    top.type("S");
    await top.shows(/Backend↓[^]*>openai-58 /);
    top.type("/gpu down");
    await top.shows("filter: gpu down_  0 found");
    top.type("\u0015gpu-1\r");
    await top.shows(/>gpu-17 [^]*filter "gpu-1"/);
    top.type("\r");
    await top.shows(/address +http:\/\/10\.0\.0\.17:8000/);
    top.type("\u001b");
    await top.shows(">gpu-17");
    top.type("?");
    await top.shows("q Ctrl-C");
    top.type("q");
    await top.shows(">gpu-17");
    top.type("q");
    expect(await top.exited).toBe(0);
    await until(() => isRestored(top), "the terminal is as it was");
    expect(top.screen.unknown).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "changes, failures and lines of the log are seen as they come, and a pause holds them back",
  async () => {
    const view = sampleView(backendsOf(3));
    await using weir = showWeir(view);
    await using top = startTop(weir.url, { columns: 120, rows: 40 });
    await top.shows("requests 12.3k");
    weir.show({
      ...view,
      totals: { ...view.totals, requests: 777 },
      failures: [...view.failures, failure(3, { detail: "503 overloaded" })],
    });
    weir.log(logLine(3, { message: "reload applied" }));
    await top.shows("requests 777");
    await top.shows("503 overloaded");
    await top.shows("reload applied");
    top.type("p");
    await top.shows("PAUSED");
    weir.show({ ...view, totals: { ...view.totals, requests: 888 } });
    weir.log(logLine(4, { message: "seen later" }));
    top.type("7");
    await top.shows("[7 Log]");
    // Not the number alone, which may be in the port of the address.
    expect(top.screen.text()).not.toContain("requests 888");
    top.type("p");
    await top.shows("requests 888");
    await top.shows("seen later");
  },
  TIMEOUT_MS,
);

test(
  "a lost weir is told, its last view stays, and the view goes on when it is back",
  async () => {
    const view = sampleView(backendsOf(3));
    const weir = showWeir(view);
    await using top = startTop(weir.url, { columns: 120 });
    await top.shows("openai-0");
    await weir[Symbol.asyncDispose]();
    await top.shows(/LOST, next try in \d+ s: /);
    expect(top.screen.text()).toContain("requests 12.3k");
    const again = sampleView(backendsOf(3), { totals: { ...view.totals, requests: 4242 } });
    await using back = showWeir(again, { port: Number(new URL(weir.url).port) });
    await top.shows("requests 4,242");
    expect(top.screen.text()).not.toContain("LOST");
    expect(back.asked).toContain("/api/events");
  },
  TIMEOUT_MS,
);

test(
  "another size is taken at once, and no size is too small",
  async () => {
    await using weir = showWeir(sampleView(backendsOf(30)));
    await using top = startTop(weir.url);
    await top.shows("[1 Overview]");
    for (const [columns, rows] of [
      [200, 50],
      [30, 7],
      [8, 2],
      [1, 1],
      [120, 30],
    ] as const) {
      top.resize(columns, rows);
      await until(() => /^[w…]/.test(top.screen.lines()[0] ?? ""), `a frame at ${columns}x${rows}`, 10_000);
    }
    await top.shows("? help");
    expect(top.screen.unknown).toEqual([]);
  },
  TIMEOUT_MS,
);

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s ends it, and the terminal is given back",
  async (signal) => {
    await using weir = showWeir(sampleView(backendsOf(3)));
    await using top = startTop(weir.url);
    await top.shows("[1 Overview]");
    top.kill(signal);
    expect(await top.exited).toBe(0);
    await until(() => isRestored(top), "the terminal is as it was");
  },
  TIMEOUT_MS,
);

test.each([{ env: { NO_COLOR: "1" } }, { args: ["--no-color"] }])(
  "without colour nothing but the place of the text is sent: %j",
  async (setup) => {
    await using weir = showWeir(sampleView(backendsOf(6)));
    await using top = startTop(weir.url, setup);
    await top.shows("[1 Overview]");
    top.type("4");
    await top.shows(/>openai-0 +usable/);
    // eslint-disable-next-line no-control-regex -- colours are made of them
    expect(top.screen.raw()).not.toMatch(/\u001b\[[\d;]*m/);
  },
  TIMEOUT_MS,
);

test(
  "a terminal that cannot move its cursor is given one frame",
  async () => {
    await using weir = showWeir(sampleView(backendsOf(6)));
    await using top = startTop(weir.url, { env: { TERM: "dumb" } });
    expect(await top.exited).toBe(0);
    await until(() => top.screen.raw().includes("Log\r\n"), "the frame was read");
    expect(top.screen.raw()).not.toContain("\u001b");
  },
  TIMEOUT_MS,
);

test(
  "names from elsewhere cannot reach the terminal as controls, and wide ones keep the columns",
  async () => {
    const hostile = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eabc\r\n中文模型名称很长很长很长很长👩‍👩‍👧‍👦";
    const rows = [backend(0, { id: hostile, model: hostile }), backend(3, { id: "模型-1" }), backend(6)];
    await using weir = showWeir(sampleView(rows, { failures: [failure(1, { detail: hostile })] }));
    await using top = startTop(weir.url);
    await top.shows("[1 Overview]");
    top.type("4");
    await top.shows(/>\ufffd\[2J/);
    top.type("6");
    await top.shows("[6 Failures]");
    top.type("4");
    await top.shows("模型-1");
    expect(top.screen.unknown).toEqual([]);
    // eslint-disable-next-line no-control-regex -- these are what must not come
    expect(top.screen.raw()).not.toMatch(/[\u0007\u009b\u202e]|\u001b\]/u);
    const starts = top.screen.lines().flatMap((line) => {
      const at = line.search(/usable|limited/);
      return /^[ >](?:\ufffd|模|openai)/.test(line) ? [Bun.stringWidth(line.slice(0, at))] : [];
    });
    expect(starts).toHaveLength(3);
    expect(new Set(starts).size).toBe(1);
  },
  TIMEOUT_MS,
);
