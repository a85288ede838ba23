// From arguments to command; the only file that ends the process.
import type { Command, Invocation } from "./commands/invocation.ts";
import { reexec } from "./runtime/reexec.ts";

interface CommandRow {
  readonly load: () => Promise<Command>;
  /** True for those that call many upstreams at once; see runtime/reexec. */
  readonly manyCalls: boolean;
}

/** Loaded on demand, so that `weir health` does not pay for the server. */
const COMMANDS: Readonly<Record<string, CommandRow>> = {
  serve: { load: async () => (await import("./commands/serve.ts")).runServe, manyCalls: true },
  check: { load: async () => (await import("./commands/check.ts")).runCheck, manyCalls: false },
  explain: { load: async () => (await import("./commands/explain.ts")).runExplain, manyCalls: false },
  demo: { load: async () => (await import("./commands/demo.ts")).runDemo, manyCalls: true },
  fake: { load: async () => (await import("./commands/fake.ts")).runFakeCommand, manyCalls: false },
  bench: { load: async () => (await import("./commands/bench.ts")).runBenchCommand, manyCalls: true },
  schema: { load: async () => (await import("./commands/schema.ts")).runSchema, manyCalls: false },
  deploy: { load: async () => (await import("./commands/deploy.ts")).runDeploy, manyCalls: false },
  health: { load: async () => (await import("./commands/health.ts")).runHealth, manyCalls: false },
  top: { load: async () => (await import("./commands/top.ts")).runTopCommand, manyCalls: false },
  version: { load: async () => (await import("./commands/version.ts")).runVersion, manyCalls: false },
  help: { load: async () => (await import("./commands/help.ts")).runHelp, manyCalls: false },
};

const EXIT_USAGE = 64;

async function main(): Promise<number> {
  const isCompiled = /\$bunfs|~BUN/.test(Bun.main);
  const given = process.argv.slice(2);
  const [first = "serve"] = given;
  const named = Object.hasOwn(COMMANDS, first);
  const isFlag = first.startsWith("-");
  if (isFlag && /^--?(h|help)$/.test(first)) return run("help", []);
  if (isFlag && /^--?(v|version)$/.test(first)) return run("version", []);
  if (!named && !isFlag) {
    process.stderr.write(`unknown command "${first}"; see weir help\n`);
    return EXIT_USAGE;
  }
  const name = named ? first : "serve";
  if (COMMANDS[name]?.manyCalls === true) {
    const args = isCompiled ? given : [Bun.main, ...given];
    const child = await reexec({ env: process.env, file: process.execPath, args });
    if (child !== undefined) return child.exitCode;
  }
  return run(name, named ? given.slice(1) : given);
}

async function run(name: string, args: readonly string[]): Promise<number> {
  const row = COMMANDS[name];
  if (row === undefined) throw new RangeError(`no command ${name}`);
  const command = await row.load();
  // Whoever read us may have gone, as in `weir | head`, and a disk may be full: without a listener that ends the process.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const invocation: Invocation = {
    args,
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY,
    onSignal: (signal, act) => void process.on(signal, act),
  };
  return command(invocation);
}

process.exit(await main());
