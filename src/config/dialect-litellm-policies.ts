// What LiteLLM's file says of groups as a whole: fallbacks, aliases, retries by class of failure, tags and strategy arguments.
import type { Affinity } from "../core/pool-spec.ts";
import { entriesOf, type FieldReader, given } from "./dialect-fields.ts";
import type { LiteLlmFile } from "./dialect-litellm-file.ts";
import type { RouteCommon } from "./dialect-litellm-routes.ts";
import type { DraftAlias, DraftFallbacks } from "./draft.ts";
import type { RouteRetry } from "../core/route-retry.ts";
import { definedOf } from "./draft-backends.ts";
import type { Given } from "./resolve-options.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";

const LISTS = [
  ["fallbacks", "general"],
  ["context_window_fallbacks", "contextWindow"],
  ["content_policy_fallbacks", "contentPolicy"],
] as const;

/** The router's lists, or those of litellm_settings where it has none. */
export function readFallbacks({ reader, router, litellm }: LiteLlmFile): readonly DraftFallbacks[] {
  return LISTS.flatMap(([key, kind]) => {
    const first = valueAt(router, key);
    const second = valueAt(litellm, key);
    if (first !== undefined && second !== undefined)
      reader.warn(second.at, `is ignored: router_settings.${key} stands in its place`);
    return reader.items(first ?? second).flatMap((item) =>
      (reader.map(item)?.entries ?? []).map(({ key: model, keyAt, value }) => ({
        kind,
        model,
        at: keyAt,
        models: reader.texts(value),
      })),
    );
  });
}

export function readDefaultFallbacks({ reader, router, litellm }: LiteLlmFile): Given | undefined {
  const node = valueAt(router, "default_fallbacks") ?? valueAt(litellm, "default_fallbacks");
  const models = reader.texts(node);
  return node === undefined || models.length === 0
    ? undefined
    : given({ value: models.join(","), at: node.at });
}

/** weir's own bound. */
const MOST_FALLBACKS = 5;

export function readMostFallbacks({ reader, router }: LiteLlmFile): number | undefined {
  const node = valueAt(router, "max_fallbacks");
  const most = reader.number(node);
  if (node === undefined || most === undefined) return undefined;
  if (most > MOST_FALLBACKS)
    reader.warn(node.at, `is more than weir goes on for: ${MOST_FALLBACKS} models at most`);
  return Math.min(Math.floor(most), MOST_FALLBACKS);
}

export function readAliases({ reader, router }: LiteLlmFile): readonly DraftAlias[] {
  return (reader.map(valueAt(router, "model_group_alias"))?.entries ?? []).flatMap(
    ({ key, keyAt, value }) => {
      const model = reader.text(value.kind === "map" ? valueAt(value, "model") : value);
      if (model === undefined) return reader.refuse(value.at, "the name of a model group", "none") ?? [];
      // A group under its own name again, as LiteLLM takes it: nothing would be left for the alias to lead to.
      if (model === key) return [];
      const hidden = reader.boolean(valueAt(value, "hidden")) ?? false;
      return [{ name: key, at: keyAt, spec: { model, hidden } }];
    },
  );
}

const CLASSES: Readonly<Record<string, keyof RouteRetry>> = {
  TimeoutErrorRetries: "timeouts",
  RateLimitErrorRetries: "rateLimits",
  AuthenticationErrorRetries: "authentication",
  InternalServerErrorRetries: "serverErrors",
  ServiceUnavailableErrorRetries: "unavailable",
  BadRequestErrorRetries: "badRequests",
  ContentPolicyViolationErrorRetries: "contentPolicy",
};

export function readRetryPolicies({
  reader,
  router,
}: LiteLlmFile): (group: string) => RouteRetry | undefined {
  const general = readPolicy(valueAt(router, "retry_policy"), reader);
  const groups = entriesOf(valueAt(router, "model_group_retry_policy")).map(
    ({ key, value }) => [key, readPolicy(value, reader)] as const,
  );
  const byGroup = new Map(groups);
  return (group) => byGroup.get(group) ?? general;
}

function readPolicy(node: Node | undefined, reader: FieldReader): RouteRetry | undefined {
  const entries = (reader.map(node)?.entries ?? []).flatMap(({ key, keyAt, value }) => {
    const field = CLASSES[key];
    const count = reader.number(value);
    if (field === undefined) reader.warn(keyAt, "is ignored: weir has no such class of failures");
    return field === undefined || count === undefined ? [] : [[field, Math.floor(count)] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** True when requests over a row's rpm are refused rather than only steered away. */
export const enforcesLimits = ({ reader, router }: LiteLlmFile): boolean =>
  reader.texts(valueAt(router, "optional_pre_call_checks")).includes("enforce_model_rate_limits");

export function readCommon(file: LiteLlmFile): RouteCommon {
  const { reader, router } = file;
  const buffer = readArguments(file);
  const isTagged = reader.boolean(valueAt(router, "enable_tag_filtering")) === true;
  const match = reader.boolean(valueAt(router, "tag_filtering_match_any")) === false ? "all" : "any";
  return definedOf({
    strategyOptions: buffer === undefined ? undefined : { latencyBuffer: buffer },
    affinity: readAffinity(file),
    tagged: isTagged ? match : undefined,
  } as const);
}

function readArguments({ reader, router }: LiteLlmFile): number | undefined {
  const map = reader.map(valueAt(router, "routing_strategy_args"));
  for (const { key, keyAt } of map?.entries ?? []) {
    if (key === "ttl")
      reader.warn(keyAt, "is ignored: what weir measured fades by itself, the newest counting most");
    else if (key !== "lowest_latency_buffer")
      reader.warn(keyAt, "is ignored: weir's strategies have no such argument");
  }
  return reader.number(valueAt(map, "lowest_latency_buffer"));
}

/** `prompt_caching` keeps conversations where the provider has them cached: weir's affinity by session. */
function readAffinity({ reader, router }: LiteLlmFile): Affinity | undefined {
  const checks = valueAt(router, "optional_pre_call_checks");
  let affinity: Affinity | undefined;
  for (const item of reader.items(checks)) {
    const check = reader.text(item);
    if (check === "prompt_caching") affinity = { kind: "session" };
    else if (check !== undefined && check !== "enforce_model_rate_limits")
      reader.warn(item.at, `(${describePlace(item.at).split(" ")[0]}) is ignored: weir has no such check`);
  }
  return affinity;
}
