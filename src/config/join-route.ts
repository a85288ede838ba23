// One route of a file to its members: which backends its targets mean, what the targets make of them, and their shares.
import { type Backend, coversModel } from "../core/backend.ts";
import { Secret } from "../core/credential.ts";
import { nearestNames } from "../core/nearest.ts";
import type { RouteSpec, Share } from "../core/pool-spec.ts";
import type { DraftRoute, DraftTarget } from "./draft.ts";
import { definedOf, type DraftBackend } from "./draft-backends.ts";
import { backendId } from "./identity.ts";
import { shownName } from "./masked.ts";
import { type Notes, quoted } from "./problem.ts";
import type { ProviderEntry } from "./provider-entry.ts";
import { strategy as readStrategy } from "./readers.ts";
import { describePlace } from "./tree.ts";

export interface JoinedRoute {
  readonly spec: RouteSpec;
  /** Where it was written. */
  readonly where: string;
}

/** A provider as routes find it, and where they leave what they made of it. */
export interface Members {
  readonly entry: Pick<ProviderEntry, "provider">;
  /** What its keys and addresses make. */
  readonly rows: readonly DraftBackend[];
  /** What named routes made of them, by id. */
  readonly derived: Map<string, Backend>;
  /** Ids of rows that a route uses as they are. */
  readonly used: Set<string>;
}

export interface RouteTerms {
  readonly find: (provider: string) => Members | undefined;
  /** Of all providers. */
  readonly names: () => readonly string[];
  /** The general strategy, and whether somebody chose it. */
  readonly general: { readonly name: string; readonly isChosen: boolean };
}

/** Engines tell how long their queues are, so that is what decides among them unless somebody chose otherwise. */
export const ENGINE_STRATEGY = "least-waiting";
/** Undefined when a target is wrong, which is told. */
export function joinRoute(route: DraftRoute, terms: RouteTerms, notes: Notes): RouteSpec | undefined {
  const weighted = route.targets.some(({ weight }) => weight !== undefined);
  const levelled = route.targets.some(({ priority }) => priority !== undefined);
  const shares = new Map<string, Share>();
  const problemsBefore = notes.problems.length;
  for (const target of route.targets) {
    const backends = joinTarget({ target, route }, terms, notes);
    const sum = backends.reduce((total, { weight }) => total + weight, 0);
    const share = target.weight ?? 1;
    for (const { id, weight } of backends) {
      const own = weighted ? (sum === 0 ? 0 : (share * weight) / sum) : weight;
      // One backend that two targets name has both their shares.
      const before = shares.get(id)?.weight ?? 0;
      shares.set(id, { weight: before + own, priority: target.priority ?? 1 });
    }
  }
  if (notes.problems.length > problemsBefore) return undefined;
  const kinds = route.targets.map(({ provider }) => terms.find(provider)?.entry.provider.kind);
  const allEngines = kinds.length > 0 && kinds.every((kind) => kind === "engine");
  const { strategyOptions, affinity, timeouts, retry } = route;
  return {
    name: route.name,
    backendIds: [...shares.keys()],
    ...(weighted || levelled ? { shares } : {}),
    strategy: strategyOf({ route, allEngines }, terms, notes),
    ...definedOf({ strategyOptions, affinity, timeouts, retry }),
    ...(route.isHidden === undefined ? {} : { hidden: true }),
    ...(route.isLast === undefined ? {} : { isLast: true }),
    ...(route.tagged === undefined ? {} : { tagged: { match: route.tagged } }),
  };
}

function strategyOf(
  { route, allEngines }: { readonly route: DraftRoute; readonly allEngines: boolean },
  { general }: RouteTerms,
  notes: Notes,
): string {
  const { strategy } = route;
  if (strategy === undefined) return allEngines && !general.isChosen ? ENGINE_STRATEGY : general.name;
  const reading = readStrategy(strategy.text);
  if (reading.kind === "value") return reading.value;
  notes.problems.push({
    kind: "configuration",
    where: strategy.where,
    expected: reading.expected,
    found: quoted(strategy.text),
  });
  return general.name;
}

/** The backends of a target: the provider's own, or what the target makes of them. */
function joinTarget(
  { target, route }: { readonly target: DraftTarget; readonly route: DraftRoute },
  { find, names }: RouteTerms,
  notes: Notes,
): readonly Backend[] {
  const entry = find(target.provider);
  if (entry === undefined) {
    const [near] = nearestNames(target.provider, names(), 1);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    const expected = `the name of a provider that is configured${hint}`;
    notes.problems.push({
      kind: "configuration",
      where: describePlace(target.at),
      expected,
      found: shownName(target.provider),
    });
    return [];
  }
  const sent = target.model ?? route.name;
  const rows = entry.rows.filter(
    (row) => fits(row, target) && (sent.includes("*") || coversModel(row.backend.models, sent)),
  );
  if (rows.length === 0)
    notes.warnings.push(
      `${describePlace(target.at)}: no key of ${target.provider} may serve ${shownName(sent)} there, so the target is empty`,
    );
  return rows.map((row) => {
    const backend = derive(row, target, route);
    if (backend.id === row.backend.id) entry.used.add(backend.id);
    else entry.derived.set(backend.id, entry.derived.get(backend.id) ?? backend);
    return backend;
  });
}

const fits = ({ secret, address }: DraftBackend, target: DraftTarget): boolean =>
  (target.key === undefined || target.key.reveal() === secret?.reveal()) &&
  (target.address === undefined ||
    (target.address.origin === address.origin && target.address.path === address.path));

/** A star alone is the name that a pattern captured, which is another name than the client's own. */
const CAPTURED = "(captured)";

/** Two routes that send one model name to one place share its backend; whatever else they ask for makes it their own. */
function derive({ backend, url, secret }: DraftBackend, target: DraftTarget, route: DraftRoute): Backend {
  const { model, limits, price, tags, timeouts, cooldown, headers } = target;
  const own = definedOf({ limits, price, tags, timeouts, cooldown, headers });
  const isOwn = Object.keys(own).length > 0;
  if (model === undefined && !isOwn) return backend;
  const variant = isOwn ? `${target.sharedWith ?? route.name}\0${JSON.stringify(own, revealed)}` : "";
  return {
    ...backend,
    id: backendId({
      provider: backend.provider,
      address: url,
      model: [model === "*" ? CAPTURED : (model ?? "*"), variant].filter((part) => part !== "").join("\0"),
      key: secret?.reveal(),
    }),
    ...(model === undefined ? {} : { upstreamModel: model, models: [] }),
    ...own,
    ...definedOf({
      headers: headers === undefined ? backend.headers : { ...backend.headers, ...headers },
      timeouts: timeouts === undefined ? backend.timeouts : { ...backend.timeouts, ...timeouts },
      cooldown: cooldown === undefined ? backend.cooldown : { ...backend.cooldown, ...cooldown },
    }),
  };
}

/** For the hash in an id, which nobody can turn back: two secrets are two variants. */
const revealed = (_: string, value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);
