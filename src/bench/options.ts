// Every option of the load test: how it is written, what it means. Read, and printed as help, from here. The short forms and
// the names beside them are those of LLMRouter's benchmark script.

export interface OptionRow {
  readonly name: string;
  readonly short?: string;
  /** What stands after it; absent: nothing. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly sentence: string;
}

export const BENCH_OPTIONS = [
  {
    name: "url",
    short: "u",
    value: "URL",
    sentence: "Where to send. Without a path it is /v1/chat/completions, or what --api says.",
  },
  {
    name: "concurrency",
    short: "c",
    value: "N",
    sentence: "Calls at a time [10]. With --rate: at most [10000].",
  },
  {
    name: "workers",
    short: "w",
    value: "N",
    sentence: "Processes that share the load evenly [1].",
  },
  { name: "requests", short: "n", value: "N", sentence: "Ends after so many calls." },
  {
    name: "duration",
    short: "d",
    value: "TIME",
    sentence: "Ends after 60 (seconds), 60s, 5m [30s if there is no -n]; calls in flight may end.",
  },
  {
    name: "rate",
    value: "N",
    sentence: "Open loop: so many calls a second, however slow the answers; latency from the intended time.",
  },
  {
    name: "arrivals",
    value: "poisson|even",
    sentence: "How the calls of --rate are spread in time [poisson].",
  },
  {
    name: "ramp-up",
    value: "TIME",
    sentence: "Over how long the first calls are spread [1 s for each 1,000].",
  },
  { name: "warmup", value: "TIME", sentence: "Calls before this are left out of all figures [0]." },
  {
    name: "drain",
    value: "TIME",
    sentence: "How long calls in flight may go on after --duration [30s].",
  },
  {
    name: "timeout",
    short: "t",
    value: "TIME",
    sentence: "For one call, from sending to its end; a bare number is seconds [600].",
  },
  {
    name: "model",
    short: "m",
    value: "NAME",
    isRepeatable: true,
    sentence: "One or several: a,b or a*3,b by weight. Without it: the only one that /v1/models lists.",
  },
  {
    name: "stream",
    sentence: "Streamed answers, with time to first token, gaps and tokens a second.",
  },
  {
    name: "api",
    value: "NAME",
    sentence: "chat, completions, responses, messages or embeddings [by the path of --url, else chat].",
  },
  {
    name: "api-key",
    value: "KEY",
    isRepeatable: true,
    sentence:
      "One or several, in turn. The list of processes shows it: set WEIR_API_KEY, or OPENAI_API_KEY (messages: ANTHROPIC_API_KEY), instead.",
  },
  { name: "header", value: "NAME:VALUE", isRepeatable: true, sentence: "One more header." },
  {
    name: "prompt-tokens",
    value: "N",
    sentence: "About how long prompts are: 500, 100-2000 (even), or 500/4000 (median/99th percentile).",
  },
  {
    name: "prompts",
    value: "FILE.jsonl",
    sentence: 'Prompts to send in turn: strings, {"prompt": …}, or bodies with "messages".',
  },
  {
    name: "max-tokens",
    value: "N",
    sentence: "What answers are bounded to, in the forms of --prompt-tokens [256].",
  },
  {
    name: "json",
    value: "FILE",
    sentence: "Writes everything measured into a file; - is standard output.",
  },
  { name: "no-visual", sentence: "A line a second in place of the live view." },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof BENCH_OPTIONS)[number]["name"];

export function benchHelp(): string {
  const rows: readonly OptionRow[] = BENCH_OPTIONS;
  const heads = rows.map(
    ({ name, short, value }) =>
      `  ${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
  );
  const width = Math.max(...heads.map(({ length }) => length));
  return `weir bench --url URL [-c 1000] [-w 4] [-n 100000 | -d 60s] [--rate 500] [--stream] [options]

Measures how a server of LLM calls answers under load. Every answer is checked: status, form, content, and the last event of
a stream. Sends nothing but to the given URL. Over https the server's certificate must hold: NODE_EXTRA_CA_CERTS names a PEM
file of further authorities. HTTPS_PROXY and NO_PROXY count for https to hosts elsewhere, and a line tells of the proxy.

${rows.map(({ sentence }, at) => `${(heads[at] ?? "").padEnd(width)}  ${sentence}`).join("\n")}

Ctrl-C ends the test and reports; a second one ends it without. Exit code 0 when something was measured, 1 when no call
succeeded or a worker broke, 64 for wrong usage, 130 after the second Ctrl-C.
The JSON file begins with "schema": "weir.bench/1"; fields may be added to it, and change their meaning only with its number.
Times are in milliseconds unless their name says otherwise.
`;
}
