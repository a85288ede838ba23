// `GET /api/explain?model=`: who would serve a model now, and why each other backend would not.
import { explainModel } from "../core/explain.ts";
import type { Family } from "../core/backend.ts";
import type { FallbackPolicy } from "../core/fallback.ts";
import { type Page, searchOf } from "../core/page.ts";
import type { PoolSnapshot } from "../core/pool.ts";

const FAMILIES: readonly Family[] = ["openai", "anthropic", "gemini"];
/** Names of models are short; this goes back to the asker, so it is bounded. */
const LONGEST_NAME = 512;

export interface ExplainTerms {
  readonly snapshot: () => PoolSnapshot;
  readonly fallbacks: () => FallbackPolicy;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Without `family`, the first that knows the name: OpenAI's, Anthropic's, Gemini's. */
export function explainPage({ snapshot, fallbacks, now }: ExplainTerms): Page {
  const respond = (request: Request): Response => {
    const query = new URLSearchParams(searchOf(request.url));
    const model = query.get("model") ?? "";
    const asked = query.get("family");
    if (model === "" || model.length > LONGEST_NAME)
      return refuse(`model: expected a name of 1 to ${LONGEST_NAME} characters`);
    if (asked !== null && !FAMILIES.some((family) => family === asked))
      return refuse(`family: expected one of ${FAMILIES.join(", ")}`);
    const families = FAMILIES.filter((family) => asked === null || family === asked);
    const terms = { model, nowMs: now(), fallbacks: fallbacks() };
    const all = families.map((family) => explainModel(snapshot(), { family, ...terms }));
    const best = all.find(({ candidates }) => candidates.length > 0);
    return Response.json(best ?? all.find(({ resolution }) => resolution !== null) ?? all[0]);
  };
  return { method: "GET", path: "/api/explain", respond };
}

const refuse = (message: string): Response => Response.json({ error: { message } }, { status: 400 });
