// `weir explain MODEL`: a dry run of the choice, from the configuration or by asking a running weir.
import { parseFlags, type FlagSpec, type ParsedFlags } from "../config/flags.ts";
import { CONFIG_FLAGS } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { Explanation, ExplainedBackend } from "../core/explain.ts";
import { createPool } from "../core/pool.ts";
import { explainPage } from "../views/explain-page.ts";
import { columns } from "./columns.ts";
import { loadFromWorld, tellUnloadable, withCustomStrategies } from "./configuration.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT, type Invocation } from "./invocation.ts";
import { NO_WEIR_URL, readWeirUrl } from "./weir-url.ts";

const FLAGS: readonly FlagSpec[] = [
  ...CONFIG_FLAGS,
  { name: "json", takes: "nothing" },
  { name: "family", takes: "value" },
  { name: "url", takes: "value" },
  { name: "key", takes: "value" },
];

const TIMEOUT_MS = 10_000;

export const runExplain: Command = async (invocation) => {
  const { args, env, out, err } = invocation;
  const flags = parseFlags(args, FLAGS, 1);
  if (flags.help) {
    out(helpOf("explain"));
    return EXIT.fine;
  }
  const [model] = flags.rest;
  if (model === undefined || flags.problems.length > 0) {
    for (const problem of flags.problems) err(`${formatProblem(problem)}\n`);
    if (model === undefined) err("cannot explain: expected the name of a model, found none\n");
    return EXIT.usage;
  }
  const query = new URLSearchParams({ model });
  const family = flags.given.get("family")?.at(-1);
  if (family !== undefined) query.set("family", family);
  const given = flags.given.get("url")?.at(-1);
  const url = given === undefined ? undefined : readWeirUrl(given, env);
  if (given !== undefined && url === undefined) {
    err(`${NO_WEIR_URL}\n`);
    return EXIT.usage;
  }
  const answer =
    url === undefined
      ? await askConfiguration(invocation, flags, query)
      : await askWeir({ url, key: flags.given.get("key")?.at(-1) ?? env["WEIR_ADMIN_KEY"], query });
  if (answer.kind === "unloaded") return answer.code;
  if (answer.kind === "failed") {
    err(`cannot explain ${model}: ${answer.reason}\n`);
    return EXIT.failed;
  }
  const { explanation } = answer;
  out(flags.given.has("json") ? `${JSON.stringify(explanation, undefined, 2)}\n` : describe(explanation));
  return explanation.candidates.length > 0 ? EXIT.fine : EXIT.failed;
};

type Answer =
  | { readonly kind: "explained"; readonly explanation: Explanation }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "unloaded"; readonly code: number };

/** From the configuration alone: nothing has been used, nobody rests. */
async function askConfiguration(
  { env, err }: Invocation,
  flags: ParsedFlags,
  query: URLSearchParams,
): Promise<Answer> {
  const world = { now: () => 0, report: (message: string) => err(`warning: ${message}\n`) };
  const loaded = await withCustomStrategies(loadFromWorld(env, flags), world);
  if (loaded.kind !== "config") return { kind: "unloaded", code: tellUnloadable(loaded, err) };
  const { config } = loaded;
  const pool = createPool(config.pool);
  const page = explainPage({ snapshot: () => pool.current, fallbacks: () => config.fallbacks, now: () => 0 });
  return read(await page.respond(new Request(`http://localhost/api/explain?${query}`), undefined));
}

interface Running {
  readonly url: string;
  readonly key: string | undefined;
  readonly query: URLSearchParams;
}

async function askWeir({ url, key, query }: Running): Promise<Answer> {
  try {
    const response = await fetch(`${url}/api/explain?${query}`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
      // An environment's proxy is for providers, not for a weir; the types know no `false`.
      proxy: false,
    } as unknown as BunFetchRequestInit);
    return await read(response);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
    return { kind: "failed", reason: `no weir answers at ${url} (${code})` };
  }
}

async function read(response: Response): Promise<Answer> {
  if (response.status === 401)
    return { kind: "failed", reason: "weir asks for its admin key (--key or WEIR_ADMIN_KEY)" };
  if (response.ok) return { kind: "explained", explanation: (await response.json()) as Explanation };
  const body = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return { kind: "failed", reason: body.error?.message ?? `status ${response.status}` };
}

function describe(explanation: Explanation): string {
  const { model, family, resolution, candidates, excluded, fallbacks, verdict } = explanation;
  const lines = [`${model}: ${verdict}`];
  if (resolution !== null) {
    const { by, aliasOf, route, strategy, affinity } = resolution;
    const alias = aliasOf === null ? "" : ` for ${aliasOf}`;
    const kept = affinity === null ? "" : `, affinity ${affinity}`;
    const whose = family === "openai" ? "" : `, for calls of the ${family} family`;
    lines.push("", `found by ${by}${alias}${whose}: route ${route}, strategy ${strategy}${kept}`);
  }
  if (candidates.length > 0) {
    const rows = candidates.map((each, at) => [
      `${at + 1}.`,
      ...place(each, model),
      each.state,
      `weight ${Math.round(each.weight * 1000) / 1000}, ${Math.round(each.share * 100)} %`,
      each.limits.map(({ kind, remaining, limit }) => `${kind} ${remaining} of ${limit} left`).join(", "),
    ]);
    lines.push("", "in order of preference now", ...columns(rows));
  }
  if (excluded.length > 0) {
    const rows = excluded.map((each) => [...place(each, model), each.reason]);
    lines.push("", "not now", ...columns(rows));
  }
  if (fallbacks.length > 0) lines.push("", `when all fail: ${fallbacks.join(", ")}`);
  return `${lines.join("\n")}\n`;
}

const place = ({ backend, address, key, sentModel, priority }: ExplainedBackend, model: string): string[] => [
  backend,
  address ?? "-",
  key === null ? "no key" : `key ${key}`,
  `priority ${priority}`,
  sentModel === model ? "same name" : `as ${sentModel}`,
];
