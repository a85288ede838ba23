// `weir help`: what there is, printed from the same tables that are read.
import { OPTIONS } from "../config/options.ts";
import { PROVIDERS } from "../config/providers.ts";
import { DEPLOY_NOTES, DEPLOY_USAGE } from "./deploy-help.ts";
import { type Command, EXIT } from "./invocation.ts";

interface Topic {
  readonly name: string;
  readonly sentence: string;
  readonly usage?: string;
  /** What else one needs to know. */
  readonly notes?: string;
}

const TOPICS: readonly Topic[] = [
  { name: "serve", sentence: "Runs the proxy; the default." },
  {
    name: "check",
    sentence: "Prints the resolved configuration, or everything that is wrong with it.",
    usage: "[--json] and the options of serve",
  },
  {
    name: "explain",
    sentence: "Shows which backends could serve a model now, and why each other one cannot.",
    usage:
      "MODEL [--json] [--family openai|anthropic|gemini] [--url URL [--key ADMIN_KEY]] or the options of serve",
  },
  {
    name: "demo",
    sentence: "Runs the proxy over embedded fake providers and shows a few real SDK calls.",
    usage: "[--once] [--port N]",
  },
  {
    name: "fake",
    sentence: "Runs the scripted, fault-injecting fake provider alone; see weir fake --help.",
    usage: "[--port 9000] [--script FILE] [--seed N] [--examples]",
  },
  {
    name: "bench",
    sentence: "Measures how a server answers under load; see weir bench --help.",
    usage: "--url URL [-c 1000] [-w 4] [-n 100000 | -d 60s] [--rate 500] [--stream] [options]",
  },
  {
    name: "top",
    sentence:
      "Shows a running weir in the terminal: summary, providers, models, backends, keys, failures, log.",
    usage: "[--url http://127.0.0.1:8080] [--key ADMIN_KEY] [--once] [--no-color]",
    notes: `  --url URL    the weir to look at; the one that WEIR_HOST and WEIR_PORT name is the default
  --key KEY    its admin key. Others on this machine see it in the list of processes: set WEIR_ADMIN_KEY instead
  --once       prints everything once, as plain text; so it does when it writes to no terminal
  --no-color   as does NO_COLOR

Exit code 1 when no weir can be reached. In the view, ? shows the keys.`,
  },
  {
    name: "deploy",
    sentence: "Starts vLLM or SGLang on many nodes over ssh and writes the backend file; status and stop.",
    usage: DEPLOY_USAGE,
    notes: DEPLOY_NOTES,
  },
  {
    name: "health",
    sentence: "Asks a running weir whether it is ready, or with --live whether it runs; exit 0 or 1.",
    usage: "[--live] [--url http://127.0.0.1:8080]",
  },
  {
    name: "schema",
    sentence:
      "Prints the JSON Schema of the configuration file, for editors: weir schema > weir.schema.json.",
  },
  { name: "version", sentence: "Prints the version." },
  { name: "help", sentence: "Prints this, or the options of one command.", usage: "[command]" },
];

export const runHelp: Command = ({ args, out, err }) => {
  const [name] = args;
  if (name !== undefined && !TOPICS.some((topic) => topic.name === name)) {
    err(`unknown command "${name}"; see weir help\n`);
    return Promise.resolve(EXIT.usage);
  }
  out(name === undefined ? overview() : helpOf(name));
  return Promise.resolve(EXIT.fine);
};

function overview(): string {
  const width = Math.max(...TOPICS.map(({ name }) => name.length));
  return `weir spreads LLM calls over many API keys and inference servers.

  export OPENAI_API_KEYS=key1,key2
  weir
  # then, where your application runs: export OPENAI_BASE_URL=http://127.0.0.1:8080/v1

Commands:
${TOPICS.map(({ name, sentence }) => `  ${name.padEnd(width)}  ${sentence}`).join("\n")}

weir help serve lists every option and variable.
`;
}

export function helpOf(name: string): string {
  const topic = TOPICS.find((each) => each.name === name);
  if (topic === undefined) throw new RangeError(`no help for ${name}`);
  const head = `weir ${name} ${topic.usage ?? (name === "serve" ? "[options]" : "")}`.trimEnd();
  return name === "serve"
    ? `${head}\n\n${topic.sentence}\n\n${serveOptions()}`
    : `${head}\n\n${topic.sentence}\n${topic.notes === undefined ? "" : `\n${topic.notes}\n`}`;
}

function serveOptions(): string {
  const rows = OPTIONS.map((option) => {
    const flag = option.flag === undefined ? "" : `--${option.flag.name}, `;
    const kept = option.change === "restart" ? " Needs a restart." : "";
    const fallback = option.default === "" ? "" : ` [${option.default}]`;
    return `  ${flag}${option.variables.join(" or ")}${fallback}\n      ${option.sentence}${kept}`;
  });
  const prefixes = PROVIDERS.flatMap(({ prefixes: names }) => names);
  return `Keys and addresses, for P one of ${prefixes.join(" ")}:
  P_API_KEYS=k1,k2*3   the pool; *3 is a weight          P_API_KEYS_FILE=path   one key a line, watched
  P_API_KEY=k          one key, if there is no pool      P_BASE_URLS=u1,u2*2    where to send
  P_MODELS=a,b*        only these models                 P_RPM P_TPM P_RPD P_TPD P_CONCURRENCY   limits of each key
  WEIR_PROVIDERS=x     further providers by name, each with X_BASE_URL and X_API_KEYS

  --config FILE            a configuration file, weir's own or another system's (or WEIR_CONFIG). Repeatable.
  --enabled-sources a,b    only these sources of an LLMRouter file.
  --env-file FILE          more variables; the real environment wins. Repeatable.
  --connect-to ORIGIN=URL  dials the loopback URL in place of ORIGIN, for tests and dry runs. Repeatable.

Options:
${rows.join("\n")}
`;
}
