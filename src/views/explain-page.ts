// `GET /api/explain?model=`: who would serve a model now, and why each other backend would not.
import { explainModel, type Explanation } from "../core/explain.ts";
import type { Family } from "../core/backend.ts";
import type { FallbackPolicy } from "../core/fallback.ts";
import type { Page } from "../core/page.ts";
import type { PoolSnapshot } from "../core/pool.ts";
import { queryOf, refuseQuery } from "./api/query.ts";

const FAMILIES: readonly Family[] = ["openai", "anthropic", "gemini"];
/** Names of models are short; this goes back to the asker, so it is bounded. */
const LONGEST_NAME = 512;

export interface ExplainTerms {
  readonly snapshot: () => PoolSnapshot;
  readonly fallbacks: () => FallbackPolicy;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Without `family`, the one that says most of the name, and of equal ones the first: OpenAI's, Anthropic's, Gemini's. */
export function explainPage({ snapshot, fallbacks, now }: ExplainTerms): Page {
  const respond = (request: Request): Response => {
    const query = queryOf(request);
    const model = query.get("model") ?? "";
    const asked = query.get("family");
    if (model === "" || model.length > LONGEST_NAME)
      return refuseQuery(`cannot read model: expected a name of 1 to ${LONGEST_NAME} characters`);
    if (asked !== null && !FAMILIES.some((family) => family === asked))
      return refuseQuery(`cannot read family: expected one of ${FAMILIES.join(", ")}`);
    const families = FAMILIES.filter((family) => asked === null || family === asked);
    const terms = { model, nowMs: now(), fallbacks: fallbacks() };
    const all = families.map((family) => explainModel(snapshot(), { family, ...terms }));
    return Response.json(mostTelling(all));
  };
  return { method: "GET", path: "/api/explain", respond };
}

/** That a family has one provider only says nothing of the name: where others know it and rest, they are the answer. */
function mostTelling(all: readonly Explanation[]): Explanation | undefined {
  const known = all.filter(({ resolution }) => resolution !== null);
  const named = known.filter(({ resolution }) => resolution?.by !== "only provider");
  const some = named.length > 0 ? named : known;
  const served = some.find(({ candidates }) => candidates.length > 0);
  const spoken = some.find(({ excluded }) => excluded.some(({ kind }) => kind !== "family"));
  return served ?? spoken ?? some[0] ?? all[0];
}
