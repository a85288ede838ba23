// LiteLLM's config.yaml as a draft: rows become providers and targets, groups become routes.
import { createProviderBook } from "./dialect-book.ts";
import { openFile, type LiteLlmFile } from "./dialect-litellm-file.ts";
import {
  enforcesLimits,
  readAliases,
  readCommon,
  readDefaultFallbacks,
  readFallbacks,
  readMostFallbacks,
  readRetryPolicies,
} from "./dialect-litellm-policies.ts";
import { routesOf } from "./dialect-litellm-routes.ts";
import { type LiteLlmRow, readRow } from "./dialect-litellm-rows.ts";
import { isRestless, readSettings } from "./dialect-litellm-settings.ts";
import type { Dialect, Draft, DraftAlias, DraftHealth, DraftRoute, DraftTerms } from "./draft.ts";
import { definedOf } from "./draft-backends.ts";
import { readStrategyName } from "../core/strategy.ts";
import { valueAt } from "./tree.ts";

export const LITELLM: Dialect = {
  name: "LiteLLM",
  recognises: (root) =>
    valueAt(root, "model_list")?.kind === "list" ||
    ["litellm_settings", "router_settings", "general_settings"].some(
      (key) => valueAt(root, key)?.kind === "map",
    ),
  read: readLiteLlm,
};

function readLiteLlm(root: Parameters<Dialect["read"]>[0], terms: DraftTerms): Draft {
  const file = openFile(root, terms);
  const { reader, router, general } = file;
  const options = readSettings(file);
  const fallback = readDefaultFallbacks(file);
  if (fallback !== undefined) options.set("default_fallbacks", fallback);
  const health = readHealth(file);
  const cooldown = isRestless(file) ? { threshold: Infinity } : undefined;
  const book = createProviderBook((base) =>
    definedOf({ cooldown, health: base.kind === "engine" ? health : undefined }),
  );
  const concurrency = reader.number(valueAt(router, "default_max_parallel_requests"), 1);
  const rows = file.rows.flatMap((node) => readRow(node, { file, book, concurrency }) ?? []);
  const strategy = readStrategyName(options.get("strategy")?.text ?? "");
  const routes = routesOf(rows, {
    reader,
    common: readCommon(file),
    isShuffle: strategy === "simple-shuffle",
    retryOf: readRetryPolicies(file),
  });
  const aliases = readAliases(file);
  warnOfDifferences(file, { rows, strategy });
  const modelless = reader.text(valueAt(general, "completion_model"));
  return {
    isForeign: true,
    options,
    providers: book.providers(),
    routes: withoutCovered(routes, aliases, file),
    aliases,
    fallbacks: readFallbacks(file),
    usualAddress: { system: "LiteLLM", address: "0.0.0.0:4000", at: root.at },
    ...definedOf({ modelless, mostFallbacks: readMostFallbacks(file) }),
  };
}

/** Of LiteLLM's checks, those that cost nothing: weir asks engines, and learns of hosted providers from their answers. */
function readHealth({ reader, general }: LiteLlmFile): DraftHealth | undefined {
  const wanted = valueAt(general, "background_health_checks");
  if (wanted !== undefined && reader.boolean(wanted) === true)
    reader.warn(
      wanted.at,
      "is done for engines alone: weir pays for no test calls, and learns of hosted providers from their answers",
    );
  const interval = reader.number(valueAt(general, "health_check_interval"), 1);
  return interval === undefined ? undefined : { intervalMs: interval * 1000 };
}

/** LiteLLM looks for aliases before groups: a group whose name is also an alias is out of reach. */
function withoutCovered(
  routes: readonly DraftRoute[],
  aliases: readonly DraftAlias[],
  { reader }: LiteLlmFile,
): readonly DraftRoute[] {
  return routes.filter((route) => {
    const alias = aliases.find(({ name }) => name === route.name);
    if (alias === undefined || route.isHidden === true) return alias === undefined;
    reader.warn(alias.at, "stands before the model group of that name, which nobody can call");
    return false;
  });
}

interface Differences {
  readonly rows: readonly LiteLlmRow[];
  readonly strategy: string | undefined;
}

function warnOfDifferences(file: LiteLlmFile, { rows, strategy }: Differences): void {
  const { reader } = file;
  const limited = rows.flatMap(({ rpm, tpm }) => rpm ?? tpm ?? [])[0];
  if (limited !== undefined && strategy !== "usage-based" && !enforcesLimits(file))
    reader.warn(
      limited.at,
      "is kept to, as is every rpm and tpm: requests over it go elsewhere or are answered 429, where LiteLLM may let them through",
    );
  const parallel = rows.find(({ target }) => target.limits?.concurrency !== undefined);
  if (parallel !== undefined)
    reader.warn(
      parallel.at,
      "limits parallel requests: those over it go to another row or are answered 429, and wait only if queue.max_wait (WEIR_QUEUE_MAX_WAIT) says so",
    );
  const priceless = rows.find(({ target }) => target.price === undefined);
  if (strategy === "lowest-cost" && priceless !== undefined)
    reader.warn(priceless.at, "has no input_cost_per_token, and weir keeps no list of prices");
}
