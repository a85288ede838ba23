// The compiled `weir top` inside tmux: a real terminal with a shell, job control and its own opinion of widths.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { weirBinary } from "../support/binary.ts";
import { until } from "../support/until.ts";
import { backend, backendsOf, sampleView, showWeir, type ShownWeir } from "../views/top/sample.ts";

const SOCKET = `weir-top-${process.pid}`;
const PATIENCE_MS = 20_000;
const TIMEOUT_MS = 60_000;
let weir: ShownWeir;

function tmux(...args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["tmux", "-L", SOCKET, "-f", "/dev/null", ...args], {
    env: { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8" },
  });
  if (exitCode !== 0) throw new Error(`tmux ${args[0]}: ${stderr.toString()}`);
  return stdout.toString();
}

const screen = (): string => tmux("capture-pane", "-p", "-t", "top");
const type = (...keys: string[]): string => tmux("send-keys", "-t", "top", ...keys);
const shows = (text: string | RegExp): Promise<void> =>
  until(
    () => (typeof text === "string" ? screen().includes(text) : text.test(screen())),
    `shows ${text}`,
    PATIENCE_MS,
  );

beforeAll(() => {
  weir = showWeir(sampleView([...backendsOf(40), backend(40, { id: "模型服务器-40" })]));
  weirBinary();
  tmux(
    "-u",
    "new-session",
    "-d",
    "-s",
    "top",
    "-x",
    "80",
    "-y",
    "24",
    "PS1='prompt> ' exec bash --norc --noprofile -i",
  );
}, TIMEOUT_MS);

afterAll(async () => {
  tmux("kill-server");
  await weir[Symbol.asyncDispose]();
});

test(
  "the view fits 80x24 and 200x50, is put to sleep and woken, and leaves the shell as it was",
  async () => {
    await shows("prompt>");
    type(`${weirBinary()} top --url ${weir.url}`, "Enter");
    await shows("[1 Overview]");
    expect(screen().split("\n").slice(0, 24)).toSatisfy((lines) => (lines[23] ?? "").includes("? help"));
    tmux("resize-window", "-t", "top", "-x", "200", "-y", "50");
    await until(
      () => (screen().split("\n")[49] ?? "").includes("? help"),
      "all 50 rows are used",
      PATIENCE_MS,
    );
    type("4");
    await shows("[4 Backends]");
    type("End");
    await shows(/>模型服务器-40 .*limited|>模型服务器-40 .*down/);
    const column = (name: RegExp): number => {
      const line =
        screen()
          .split("\n")
          .find((each) => name.test(each)) ?? "";
      return Bun.stringWidth(line.slice(0, line.search(/usable|untried|limited|resting|down|drained/)));
    };
    expect(column(/模型/)).toBe(column(/openai-39/));
    type("C-z");
    await shows("Stopped");
    type("fg", "Enter");
    await shows("[4 Backends]");
    type("q");
    await shows("prompt>");
    expect(screen()).not.toContain("[4 Backends]");
    expect(tmux("display", "-p", "-t", "top", "#{alternate_on} #{cursor_flag} #{wrap_flag}").trim()).toBe(
      "0 1 1",
    );
    type("stty -a | grep -c -- -icanon", "Enter");
    await shows(/^0$/m);
  },
  TIMEOUT_MS,
);
