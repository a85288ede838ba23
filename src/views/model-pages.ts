// The list of models that clients of any SDK ask for: the union of what the backends serve.
import { nearestNames } from "../core/nearest.ts";
import { type Page, pathOf } from "../core/page.ts";
import type { PoolSnapshot } from "../core/pool.ts";
import { refuse, refuseUnknownModel } from "../core/refusal.ts";
import { isHidden, modelsOf, namedModels, resolveModel } from "../core/resolve.ts";

interface Model {
  readonly id: string;
  /** The provider that would be asked. */
  readonly owner: string;
}

/** Providers tell no common date, and a list that changes at every call is of no use: one for all, 2024-01-01. */
const CREATED_SECONDS = 1_704_067_200;
const CREATED_DATE = "2024-01-01T00:00:00Z";
const MOST_NEAR_NAMES = 5;

/** `GET /v1/models` and `/v1/models/{id}` in OpenAI's shape, or in Anthropic's for its SDK, which sends `anthropic-version`. */
export function modelPages(snapshot: () => PoolSnapshot): readonly Page[] {
  const list = (request: Request): Response => {
    const models = listModels(snapshot());
    if (!isAnthropic(request)) return Response.json({ object: "list", data: models.map(openaiShape) });
    const data = models.map(anthropicShape);
    return Response.json({
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    });
  };
  const one = (request: Request): Response => {
    const id = idOf(pathOf(request.url));
    const models = listModels(snapshot());
    const model = models.find((each) => each.id === id);
    if (model === undefined) return refuseModel(request, id, models);
    return Response.json(isAnthropic(request) ? anthropicShape(model) : openaiShape(model));
  };
  return [
    ...["/v1/models", "/models"].map((path) => page(path, list)),
    ...["/v1/models/*", "/models/*"].map((path) => page(path, one)),
  ];
}

const page = (path: string, respond: Page["respond"]): Page => ({
  method: "GET",
  path,
  access: "client",
  respond,
});

/** Sorted by name, so that two calls give the same list. */
function listModels(snapshot: PoolSnapshot): readonly Model[] {
  const owners = new Map<string, string>(namedModels(snapshot).map((id) => [id, ownerOf(snapshot, id)]));
  for (const provider of snapshot.providers.filter(({ spec }) => spec.isOffered !== false))
    for (const id of modelsOf(provider))
      if (!owners.has(id) && !isHidden(snapshot, id)) owners.set(id, provider.spec.name);
  return [...owners].map(([id, owner]) => ({ id, owner })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The provider of the first backend that a route or alias leads to. */
function ownerOf(snapshot: PoolSnapshot, id: string): string {
  const families = new Set(snapshot.providers.flatMap((provider) => [...provider.families]));
  for (const family of families) {
    const found = resolveModel(snapshot, family, id);
    const owner = found.kind === "route" ? found.route.slots[0]?.backend.provider : undefined;
    if (owner !== undefined) return owner;
  }
  return "weir";
}

function refuseModel(request: Request, id: string, models: readonly Model[]): Response {
  const names = models.map((model) => model.id);
  const refusal = refuseUnknownModel(id, nearestNames(id, names, MOST_NEAR_NAMES));
  return refuse(isAnthropic(request) ? "anthropic" : "openai", refusal);
}

/** Names may hold a slash, encoded or not. */
function idOf(path: string): string {
  const text = path.slice(path.indexOf("/models/") + "/models/".length);
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a broken escape: looked up as it stands, and not found
  }
}

const isAnthropic = (request: Request): boolean => request.headers.has("anthropic-version");

const openaiShape = ({ id, owner }: Model) => ({
  id,
  object: "model",
  created: CREATED_SECONDS,
  owned_by: owner,
});

const anthropicShape = ({ id }: Model) => ({ type: "model", id, display_name: id, created_at: CREATED_DATE });
