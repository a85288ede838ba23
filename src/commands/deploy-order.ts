// Reads the options of `weir deploy` into an order, or tells everything that is wrong with them.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { FlagSpec, ParsedFlags } from "../config/flags.ts";
import { formatProblem, quoted } from "../config/problem.ts";
import { readDuration } from "../core/duration.ts";
import { nearestNames } from "../core/nearest.ts";
import { findBackendFile } from "../deploy/backend-file.ts";
import { ENGINE_NAMES } from "../deploy/engines.ts";
import { readHosts } from "../deploy/hosts.ts";
import type { Order } from "../deploy/order.ts";
import { splitWords } from "../deploy/words.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const value = (name: string): FlagSpec => ({ name, takes: "value" });

/** Of all three: where and how. */
const REACH_FLAGS: readonly FlagSpec[] = [
  value("hosts"),
  { name: "slurm", takes: "nothing" },
  value("served-model-name"),
  value("parallel"),
  value("ssh-command"),
];

export const START_FLAGS: readonly FlagSpec[] = [
  ...REACH_FLAGS,
  ...["model-name", "tensor-parallel-size", "gpus-per-node", "port", "backend", "python-cmd"].map(value),
  { name: "extra-args", takes: "value", repeatable: true },
  ...["log-dir", "health-check-timeout", "max-num-seqs", "config"].map(value),
  { name: "dry-run", takes: "nothing" },
];

export const STATUS_FLAGS = REACH_FLAGS;

export const STOP_FLAGS: readonly FlagSpec[] = [...REACH_FLAGS, value("grace")];

/** Reads one option after the other, and collects what is wrong. */
export class OptionReader {
  readonly problems: string[];
  private readonly flags: ParsedFlags;
  private readonly environment: Environment;

  constructor(flags: ParsedFlags, environment: Environment) {
    this.flags = flags;
    this.environment = environment;
    this.problems = flags.problems.map(formatProblem);
  }

  text(name: string): string | undefined {
    return this.flags.given.get(name)?.at(-1);
  }

  isOn(name: string): boolean {
    const text = this.text(name);
    return text !== undefined && !/^(?:false|no|0)$/i.test(text);
  }

  wrong(where: string, expected: string, found?: string): void {
    const told = found === undefined ? {} : { found: quoted(found) };
    this.problems.push(formatProblem({ kind: "usage", where, expected, ...told }));
  }

  integer(
    name: string,
    { least, most, fallback }: { least: number; most: number; fallback: number },
  ): number {
    const text = this.text(name);
    const number = /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
    if (text === undefined) return fallback;
    if (number >= least && number <= most) return number;
    this.wrong(`--${name}`, `${least} to ${most}`, text);
    return fallback;
  }

  /** Seconds without a unit, as LLMRouter's users type them. */
  durationMs(name: string, fallbackSeconds: number): number {
    const text = this.text(name);
    if (text === undefined) return fallbackSeconds * 1000;
    const durationMs = readDuration(/^\d+$/.test(text) ? `${text}s` : text);
    if (durationMs !== undefined && durationMs > 0) return durationMs;
    this.wrong(`--${name}`, "seconds, or a duration such as 45m", text);
    return fallbackSeconds * 1000;
  }

  words(name: string, fallback: readonly string[]): readonly string[] {
    const given = this.flags.given.get(name);
    if (given === undefined) return fallback;
    return given.flatMap((line) => {
      const split = splitWords(line);
      if (split.kind === "words" && !split.words.some(isUnsendable)) return split.words;
      this.wrong(`--${name}`, split.kind === "words" ? NO_CONTROL : split.expected, line);
      return [];
    });
  }

  /** Undefined when none are named, which is a mistake only where something is to be started. */
  hosts(isNeeded: boolean): readonly string[] | undefined {
    const named = this.namedHosts(isNeeded);
    if (named === undefined) return undefined;
    const read = readHosts(named.text);
    if (read.kind === "flaw") this.wrong(named.where, read.expected, read.found);
    else if (read.hosts.length > 0) return read.hosts;
    else this.wrong(named.where, "one host or more", named.text);
    return undefined;
  }

  private namedHosts(isNeeded: boolean): { readonly text: string; readonly where: string } | undefined {
    const { environment } = this;
    const text = this.text("hosts");
    if (text !== undefined) return { text, where: "--hosts" };
    if (this.isOn("slurm")) {
      const name = ["SLURM_JOB_NODELIST", "SLURM_NODELIST"].find((each) => (environment[each] ?? "") !== "");
      if (name !== undefined) return { text: environment[name] ?? "", where: name };
      this.wrong("--slurm", "SLURM_JOB_NODELIST in the environment, as within salloc or sbatch");
      return undefined;
    }
    // What is running is known without it, and the variable may name other nodes by now.
    if (!isNeeded) return undefined;
    const listed = environment["NODE_IP_LIST"] ?? "";
    if (listed !== "") return { text: listed, where: "NODE_IP_LIST" };
    this.wrong("--hosts", "names of nodes, as in --hosts gpu-a,gpu-b; or --slurm, or NODE_IP_LIST");
    return undefined;
  }
}

const NO_CONTROL = "text without line ends and other control characters";
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const isUnsendable = (text: string): boolean => /[\u0000-\u001f\u007f]/.test(text);

const DEFAULT_FILES = ["weir.yaml", "config.yaml"];

export function readOrder(reader: OptionReader, environment: Environment): Order | undefined {
  const hosts = reader.hosts(true);
  const model = reader.text("model-name") ?? "";
  if (model === "" || isUnsendable(model))
    reader.wrong("--model-name", "the path or the name of a model", reader.text("model-name"));
  const servedName = reader.text("served-model-name") ?? lastSegment(model);
  if (model !== "" && (isUnsendable(servedName) || servedName.trim() === ""))
    reader.wrong("--served-model-name", NO_CONTROL, servedName);
  if (reader.text("tensor-parallel-size") === undefined)
    reader.wrong("--tensor-parallel-size", "how many GPUs one service takes");
  const gpusPerNode = reader.integer("gpus-per-node", { least: 1, most: 1024, fallback: 8 });
  const tensorParallel = reader.integer("tensor-parallel-size", { least: 1, most: 1024, fallback: 1 });
  if (tensorParallel > gpusPerNode)
    reader.wrong("--tensor-parallel-size", `at most --gpus-per-node, ${gpusPerNode}`, String(tensorParallel));
  const engine = readEngine(reader);
  const maxRunning = reader.integer("max-num-seqs", { least: 1, most: 1_000_000, fallback: 0 });
  const python = reader.words("python-cmd", ["python3"]);
  if (python.length === 0) reader.wrong("--python-cmd", "an interpreter, or a command that leads to one", "");
  const logDir = (reader.text("log-dir") ?? "weir-logs").replace(/^[~.]\//, "");
  if (isUnsendable(logDir) || logDir === "") reader.wrong("--log-dir", "a folder on the nodes", logDir);
  const found = findBackendFile(resolve(backendPath(reader, environment)));
  if (found.kind === "flaw") reader.problems.push(found.flaw);
  const timeoutMs = reader.durationMs("health-check-timeout", 3600);
  const firstPort = reader.integer("port", { least: 1, most: 65_535, fallback: 30_596 });
  const extra = reader.words("extra-args", []);
  if (extra.some((word) => /^--api[-_]key(?:=|$)/.test(word)))
    reader.wrong(
      "--extra-args",
      "no API key: every list of processes would show it; keep the engines' network private",
    );
  const own = extra.find((word) => /^--(?:port|served[-_]model[-_]name)(?:=|$)/.test(word));
  if (own !== undefined)
    reader.wrong(
      "--extra-args",
      "no option that weir deploy has itself, since it looks for what it gave",
      own,
    );
  if (hosts === undefined || engine === undefined || found.kind === "flaw" || reader.problems.length > 0)
    return undefined;
  return {
    hosts,
    engine,
    model,
    servedName,
    tensorParallel,
    gpusPerNode,
    firstPort,
    python,
    extra,
    logDir,
    timeoutMs,
    ...(maxRunning === 0 ? {} : { maxRunning }),
    backendFile: found.file,
  };
}

function readEngine(reader: OptionReader): Order["engine"] | undefined {
  const text = (reader.text("backend") ?? "vllm").toLowerCase();
  const engine = ENGINE_NAMES.find((name) => name === text);
  if (engine !== undefined) return engine;
  const [near] = nearestNames(text, ENGINE_NAMES, 1);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  reader.wrong("--backend", `${ENGINE_NAMES.join(" or ")}${hint}`, text);
  return undefined;
}

const lastSegment = (model: string): string => model.replace(/\/+$/, "").split("/").at(-1) ?? model;

/** The file that weir itself would read. */
function backendPath(reader: OptionReader, environment: Environment): string {
  const given = reader.text("config") ?? environment["WEIR_CONFIG"]?.split(",")[0]?.trim() ?? "";
  if (given !== "") return given;
  return DEFAULT_FILES.find((name) => existsSync(name)) ?? "weir.yaml";
}
