// `weir deploy`: starts inference servers on many nodes over ssh, tells how they are, and stops them.
import { type FlagSpec, parseFlags } from "../config/flags.ts";
import { takeCensus } from "../deploy/census.ts";
import { deploy, type DeployTools, printPlan } from "../deploy/deploy.ts";
import { createProgress, type Screen } from "../deploy/progress.ts";
import { openRecords, type Records, RecordsFlaw } from "../deploy/records.ts";
import { findHindrance } from "../deploy/replace-file.ts";
import { openSsh, type Ssh } from "../deploy/ssh.ts";
import { describeService, STATUS_HEADS } from "../deploy/status.ts";
import { stopServices } from "../deploy/stop.ts";
import { columns } from "./columns.ts";
import { OptionReader, readOrder, START_FLAGS, STATUS_FLAGS, STOP_FLAGS } from "./deploy-order.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { listenForStop } from "./stop-signal.ts";

interface Scene {
  readonly invocation: Invocation;
  readonly reader: OptionReader;
  readonly ssh: Ssh;
  readonly records: Records;
  /** Resolves at the first Ctrl-C. */
  readonly asked: Promise<unknown>;
}

interface Verb {
  readonly flags: readonly FlagSpec[];
  readonly run: (scene: Scene) => Promise<number>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  start: { flags: START_FLAGS, run: runStart },
  status: { flags: STATUS_FLAGS, run: runStatus },
  stop: { flags: STOP_FLAGS, run: runStop },
};

export const runDeploy: Command = async (invocation) => {
  const { args, env, out, err } = invocation;
  const [first = "start", ...others] = args;
  const isNamed = Object.hasOwn(VERBS, first);
  const verb = VERBS[isNamed ? first : "start"];
  if (verb === undefined) throw new RangeError(`no verb ${first}`);
  const flags = parseFlags(isNamed ? others : args, verb.flags);
  if (flags.help) {
    out(helpOf("deploy"));
    return EXIT.fine;
  }
  const reader = new OptionReader(flags, env);
  const command = reader.words("ssh-command", ["ssh"]);
  if (command.length === 0) reader.wrong("--ssh-command", "ssh, or a command like it", "");
  const parallel = reader.integer("parallel", { least: 1, most: 1024, fallback: 16 });
  await using ssh = openSsh({ command, parallel, environment: env });
  const signals = listenForStop(invocation);
  // What starts services has some to stop at the first signal; all else can be left at once.
  const isPatient = verb.run === runStart && !reader.isOn("dry-run");
  const left = (isPatient ? signals.insisted : signals.asked).then(() => "left" as const);
  let isLeft = false;
  const own: Invocation = { ...invocation, out: (text) => (isLeft ? undefined : out(text)) };
  try {
    const scene = { invocation: own, reader, ssh, records: openRecords(env), asked: signals.asked };
    const code = await Promise.race([verb.run(scene), left]);
    if (code !== "left") return code;
    isLeft = true;
    out("Left as it is; see weir deploy status and weir deploy stop.\n");
    return EXIT.interrupted;
  } catch (error) {
    if (!(error instanceof RecordsFlaw)) throw error;
    err(`${error.message}\n`);
    return EXIT.config;
  }
};

/** True when the options are right; else what is wrong is said. */
function isRight({ invocation, reader }: Scene): boolean {
  for (const problem of reader.problems) invocation.err(`${problem}\n`);
  return reader.problems.length === 0;
}

async function runStart(scene: Scene): Promise<number> {
  const { invocation, reader, ssh, records, asked } = scene;
  const { out, err, env, isTerminal } = invocation;
  const order = readOrder(reader, env);
  if (!isRight(scene) || order === undefined) return EXIT.usage;
  const isDry = reader.isOn("dry-run");
  const stop = new AbortController();
  const isLive = isTerminal && !isDry && env["TERM"] !== "dumb";
  const progress = createProgress(out, isLive ? screenOf(out) : undefined);
  const tools: DeployTools = {
    ssh,
    records,
    progress,
    signal: stop.signal,
    pace: {
      lookMs: 1e3,
      silenceMs: 6e4,
      graceSeconds: 10,
    },
    now: () => new Date(),
    sleep: Bun.sleep,
  };
  if (isDry) {
    await printPlan(order, tools);
    return EXIT.fine;
  }
  // Models load for long: a path that is wrong must not come to light after that.
  const unwritable = [records.path, order.backendFile.path].flatMap((path) => {
    const hindrance = findHindrance(path);
    return hindrance === undefined ? [] : [`cannot write ${path}: ${hindrance}\n`];
  });
  if (unwritable.length > 0) {
    err(unwritable.join(""));
    return EXIT.failed;
  }
  records.all(); // nothing is started on a record that cannot be read
  void asked.then(() => {
    progress.say(
      "Stopping what is not ready yet; what is ready stays. Once more leaves everything as it is.",
    );
    stop.abort();
  });
  return (await deploy(order, tools)) ? EXIT.fine : EXIT.failed;
}

const screenOf = (write: Screen["write"]): Screen => ({
  write,
  get columns() {
    return process.stdout.columns || 80;
  },
  get rows() {
    return process.stdout.rows || 24;
  },
});

async function runStatus(scene: Scene): Promise<number> {
  const { invocation, ssh, records } = scene;
  const wanted = readWanted(scene);
  if (!isRight(scene)) return EXIT.usage;
  const { services, unreachable } = await takeCensus(ssh, records, wanted);
  for (const [host, reason] of unreachable) invocation.out(`${host}: cannot be reached: ${reason}\n`);
  if (services.length === 0) {
    invocation.out(
      `No service is known: none in ${records.path}${wanted.hosts === undefined ? "" : ", none on these nodes"}.\n`,
    );
    return unreachable.size > 0 ? EXIT.failed : EXIT.fine;
  }
  const rows = await Promise.all(
    services.map((counted) => describeService(counted, unreachable.get(counted.record.host))),
  );
  const [heads = "", ...lines] = columns([STATUS_HEADS, ...rows.map(({ cells }) => cells)]);
  invocation.out(`${heads}\n`);
  for (const [at, line] of lines.entries()) {
    invocation.out(`${line}\n`);
    for (const last of rows[at]?.tail ?? []) invocation.out(`      | ${last}\n`);
  }
  const up = rows.filter(({ isUp }) => isUp).length;
  invocation.out(`${up} of ${rows.length} services are up.\n`);
  return up === rows.length && unreachable.size === 0 ? EXIT.fine : EXIT.failed;
}

async function runStop(scene: Scene): Promise<number> {
  const { invocation, reader, ssh, records } = scene;
  const { out } = invocation;
  const wanted = readWanted(scene);
  const graceMs = reader.durationMs("grace", 30);
  if (!isRight(scene)) return EXIT.usage;
  const census = await takeCensus(ssh, records, wanted);
  const { left, isTakenOut } = await stopServices(census, {
    ssh,
    records,
    say: (line) => out(`${line}\n`),
    graceSeconds: Math.ceil(graceMs / 1e3),
    drainMs: 2e3,
    sleep: Bun.sleep,
  });
  const { size } = census.unreachable;
  const total = census.services.length;
  if (total === 0 && size === 0) out(`No service is known: none in ${records.path}.\n`);
  else out(`${total - left} of ${total} services are stopped${left > 0 ? `, ${left} failed` : ""}.\n`);
  return left > 0 || !isTakenOut || size > 0 ? EXIT.failed : EXIT.fine;
}

function readWanted({ reader }: Scene): { hosts?: readonly string[]; servedName?: string } {
  const hosts = reader.hosts(false);
  const servedName = reader.text("served-model-name");
  return { ...(hosts === undefined ? {} : { hosts }), ...(servedName === undefined ? {} : { servedName }) };
}
