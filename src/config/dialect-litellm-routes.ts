// The rows of LiteLLM's groups as routes: their weights, their own names, and what models of a wildcard are called by themselves.
import type { Affinity } from "../core/pool-spec.ts";
import type { StrategyOptions } from "../core/strategy.ts";
import type { FieldReader, Placed } from "./dialect-fields.ts";
import type { LiteLlmRow } from "./dialect-litellm-rows.ts";
import type { DraftRoute, DraftTarget } from "./draft.ts";
import type { RouteRetry } from "../core/route-retry.ts";
import { definedOf } from "./draft-backends.ts";

export interface RouteCommon {
  readonly strategyOptions?: StrategyOptions;
  readonly affinity?: Affinity;
  readonly tagged?: "any" | "all";
}

export interface RouteTerms {
  readonly reader: FieldReader;
  readonly common: RouteCommon;
  readonly isShuffle: boolean;
  readonly retryOf: (group: string) => RouteRetry | undefined;
}

export function routesOf(rows: readonly LiteLlmRow[], terms: RouteTerms): readonly DraftRoute[] {
  const groups = new Map<string, LiteLlmRow[]>();
  for (const row of rows) {
    const group = groups.get(row.name) ?? [];
    groups.set(row.name, group);
    if (isNew(row, group, terms)) group.push(row);
  }
  const named = [...groups.values()].map((group) => routeOf(group, terms));
  const taken = new Set(named.map(({ name }) => name));
  const bare = [...groups.values()].flatMap((group, at) => byModel(group, named[at]));
  const further = [...rows.flatMap((row) => byId(row, terms)), ...bare];
  for (const route of further) {
    if (taken.has(route.name)) continue;
    taken.add(route.name);
    named.push(route);
  }
  return named;
}

const placeOf = ({ provider, key, address, model, tags }: DraftTarget): string =>
  JSON.stringify([provider, key?.reveal(), address, model, tags]);

/** The same key at the same place for the same model is one backend, however often it is written. */
function isNew(row: LiteLlmRow, group: readonly LiteLlmRow[], { reader }: RouteTerms): boolean {
  const known = group.some((other) => placeOf(other.target) === placeOf(row.target));
  if (known) reader.warn(row.at, "is the same model, address and key as a row above, and counts once");
  return !known;
}

function routeOf(group: readonly LiteLlmRow[], terms: RouteTerms): DraftRoute {
  const [first] = group;
  const { name = "", at = { file: "", line: 1, column: 1, path: "" } } = first ?? {};
  const targets = group.map((row) => {
    const weight = weightOf(row, group, terms);
    return { ...row.target, ...definedOf({ weight }) };
  });
  return { name, at, targets, ...terms.common, ...definedOf({ retry: retryOf(group, name, terms) }) };
}

const sum = (values: readonly (Placed<number> | undefined)[]): number =>
  values.reduce((total, each) => total + (each?.value ?? 0), 0);

/**
 * LiteLLM asks the first row alone: without a weight there, nobody's counts; and rows without one get nothing. Here a
 * row without a weight has 1. Where no row has one, simple-shuffle goes by rpm, else tpm, if all rows have it.
 */
function weightOf(
  row: LiteLlmRow,
  group: readonly LiteLlmRow[],
  { reader, isShuffle }: RouteTerms,
): number | undefined {
  const level = group.filter(({ target }) => target.priority === row.target.priority);
  if (group.some(({ weight }) => weight !== undefined)) {
    if (row.weight === undefined && level.some(({ weight }) => weight !== undefined))
      reader.warn(row.at, "has no weight beside rows that have one, and counts as weight 1");
    return row.weight?.value ?? 1;
  }
  if (!isShuffle) return undefined;
  for (const key of ["rpm", "tpm"] as const)
    if (level.every((each) => each[key] !== undefined) && sum(level.map((each) => each[key])) > 0)
      return row[key]?.value;
  return level.length < group.length ? 1 : undefined;
}

/** One count for the group: the largest of its rows'. */
function retryOf(
  group: readonly LiteLlmRow[],
  name: string,
  { retryOf: policyOf }: RouteTerms,
): RouteRetry | undefined {
  const counts = group.flatMap(({ retries }) => retries?.value ?? []);
  const policy = policyOf(name);
  if (counts.length === 0) return policy;
  return { ...policy, max: Math.max(...counts) };
}

/** `model_info.id` as a model's name leads to that row alone. */
function byId({ id, target, name }: LiteLlmRow, { common }: RouteTerms): DraftRoute[] {
  if (id === undefined) return [];
  const { priority: _, ...only } = target;
  const { strategyOptions, affinity } = common;
  const targets = [{ ...only, sharedWith: name }];
  return [
    { name: id.value, at: id.at, targets, isHidden: true, ...definedOf({ strategyOptions, affinity }) },
  ];
}

/** Behind `openai/*` LiteLLM also finds names of OpenAI's that come without the prefix. */
function byModel(group: readonly LiteLlmRow[], route: DraftRoute | undefined): DraftRoute[] {
  const [first] = group;
  if (first === undefined || route === undefined || !/^[^*]+\/\*$/.test(route.name)) return [];
  if (!group.every(({ base, target }) => base === first.base && target.model === "*")) return [];
  const targets = route.targets.map((target) => {
    const { model: _, ...bare } = target;
    return { ...bare, sharedWith: route.name };
  });
  const patterns = first.base.owns.filter((pattern) => !pattern.includes("/"));
  return patterns.map((name) => ({ ...route, name, targets, isHidden: true }));
}
