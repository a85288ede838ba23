// TrustGate's upstreams as a draft: from a file, or as the admin API holds them. An upstream's name is a route, and so is each
// model that its targets list.
import type { UpstreamSpec, UpstreamTarget } from "../core/upstream.ts";
import { createProviderBook, providerAt, type ProviderBook } from "./dialect-book.ts";
import { FieldReader } from "./dialect-fields.ts";
import type { Dialect, Draft, DraftCooldown, DraftRoute, DraftTarget, DraftTerms } from "./draft.ts";
import { definedOf } from "./draft-backends.ts";
import { expandTree } from "./expand.ts";
import { findProvider } from "./providers.ts";
import { describePlace, type Node, type Place, valueAt } from "./tree.ts";
import { plainOf, placeIn } from "./tree-json.ts";
import { readUpstream } from "./upstream-body.ts";

export const TRUSTGATE: Dialect = {
  name: "TrustGate",
  recognises: (root) =>
    root.kind === "list" ? root.items.length > 0 && root.items.every(isUpstream) : isUpstream(root),
  read: readTrustGate,
};

function isUpstream(node: Node): boolean {
  const targets = valueAt(node, "targets");
  if (valueAt(node, "name") === undefined || targets?.kind !== "list") return false;
  return targets.items.some((target) => valueAt(target, "host") !== undefined);
}

function readTrustGate(written: Node, { variables, notes }: DraftTerms): Draft {
  const root = expandTree(written, variables, notes);
  const reader = new FieldReader(notes);
  const nodes = new Map<UpstreamSpec, Node>();
  for (const node of root.kind === "list" ? root.items : [root]) {
    const reading = readUpstream(plainOf(node));
    if (reading.kind === "upstream") nodes.set(reading.spec, node);
    else
      for (const { path, expected, found } of reading.problems)
        reader.refuse(placeIn(node, path), expected, found);
  }
  return draftOfUpstreams([...nodes.keys()], (spec, path) => placeIn(nodes.get(spec) ?? root, path));
}

/** Where a part of an upstream was written; the path is as in `targets[0]`. */
type PlaceOf = (spec: UpstreamSpec, path: string) => Place;

const fromAdmin: PlaceOf = ({ name }) => ({ file: "admin API", line: 0, column: 0, path: name });

/** Where two upstreams list a model, or take any, the first has it. */
export function draftOfUpstreams(upstreams: readonly UpstreamSpec[], placeOf: PlaceOf = fromAdmin): Draft {
  const book = createProviderBook(() => ({}));
  const routes = new Map<string, DraftRoute>();
  const all = upstreams.map((spec) => routesOf(spec, placeOf, book));
  // Names of upstreams stand before models that others list.
  for (const route of [...all.flatMap(({ own }) => own), ...all.flatMap(({ listed }) => listed)])
    if (!routes.has(route.name)) routes.set(route.name, route);
  return {
    isForeign: true,
    options: new Map(),
    providers: book.providers(),
    routes: [...routes.values()],
    aliases: [],
    fallbacks: [],
    ...definedOf({ modelless: upstreams[0]?.name }),
  };
}

interface UpstreamRoutes {
  readonly own: DraftRoute;
  readonly listed: readonly DraftRoute[];
}

interface Made {
  readonly target: UpstreamTarget;
  readonly draft: DraftTarget;
}

function routesOf(spec: UpstreamSpec, placeOf: PlaceOf, book: ProviderBook): UpstreamRoutes {
  const cooldown = cooldownOf(spec);
  const at = placeOf(spec, "");
  const made = spec.targets.map((target, index): Made => {
    const place = placeOf(spec, `targets[${index}]`);
    return { target, draft: draftTarget(target, { spec, at: place, book, cooldown }) };
  });
  const strategy = { text: spec.strategy, where: describePlace(at) };
  const routeOf = (name: string, targets: readonly DraftTarget[]): DraftRoute => ({
    name,
    at,
    targets,
    strategy,
  });
  const byDefault = made.filter(({ target }) => target.defaultModel !== undefined);
  const defaults = (byDefault.length > 0 ? byDefault : made).map(({ target, draft }) => ({
    ...draft,
    ...definedOf({ model: target.defaultModel ?? target.models[0] }),
  }));
  const models = [...new Set(spec.targets.flatMap((target) => target.models))];
  const listed = models.map((model) => {
    const having = made.filter(({ target }) => target.models.includes(model));
    return routeOf(
      model,
      having.map(({ draft }) => ({ ...draft, model })),
    );
  });
  const takingAny = made.flatMap(({ target, draft }) => (target.models.length === 0 ? draft : []));
  const others = spec.unlistedModel === "default" ? defaults : takingAny;
  const rest = others.length === 0 ? [] : [{ ...routeOf("*", others), isLast: true as const }];
  return { own: routeOf(spec.name, defaults), listed: [...listed, ...rest] };
}

interface TargetTerms {
  readonly spec: UpstreamSpec;
  readonly at: Place;
  readonly book: ProviderBook;
  readonly cooldown: DraftCooldown | undefined;
}

function draftTarget(target: UpstreamTarget, { spec, at, book, cooldown }: TargetTerms): DraftTarget {
  const { origin, path, weight, priority, key, headers } = target;
  const base = providerAt(origin) ?? findProvider("openai");
  if (base === undefined) throw new RangeError("cannot read target: no provider openai in the table");
  const place = { base, label: "upstream", address: { origin, path }, at };
  const reference = book.refer({
    ...place,
    ...definedOf({ key: key?.secret, keyPlacement: key?.placement }),
  });
  return {
    ...reference,
    at,
    weight,
    priority,
    sharedWith: spec.name,
    ...definedOf({ cooldown, headers: headers.size === 0 ? undefined : Object.fromEntries(headers) }),
  };
}

function cooldownOf({ health }: UpstreamSpec): DraftCooldown | undefined {
  switch (health.kind) {
    case "general":
      return undefined;
    case "off":
      return { threshold: Infinity };
    case "own":
      return {
        threshold: health.threshold,
        firstMs: health.restMs,
        maxMs: health.restMs,
        windowMs: health.restMs,
      };
  }
}
