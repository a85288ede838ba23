// One probe of an engine: its list of models, and what the answer says of the engine.
import type { Backend } from "../core/backend.ts";
import type { ModelsRoute } from "../core/pool-spec.ts";
import { type Ask, reasonOf } from "../core/question.ts";
import { readModelList } from "./model-list.ts";

export type Verdict =
  | { readonly kind: "up"; readonly models?: readonly string[]; readonly refusedWith?: number }
  | { readonly kind: "failed"; readonly reason: string };

export interface ProbeTerms {
  readonly ask: Ask;
  readonly route: ModelsRoute;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Never rejects. */
export async function probe(backend: Backend, terms: ProbeTerms): Promise<Verdict> {
  const { ask, route, timeoutMs, signal } = terms;
  const { family, path, headers = {} } = route;
  try {
    const told = await ask(backend, { family, path, headers, below: "base", timeoutMs, signal });
    return judge(told.status, told.text);
  } catch (error) {
    return { kind: "failed", reason: reasonOf(error) };
  }
}

/**
 * A server that can refuse, or has no such page, or has too much to do, is a server that runs: these say nothing against
 * chat. Everything else that is no list is a failure: a 5xx of the engine while it loads or of the proxy before it, a
 * redirect to a login.
 */
function judge(status: number, text: string): Verdict {
  if (status === 200) {
    const models = readList(text);
    return models === undefined ? { kind: "up" } : { kind: "up", models };
  }
  if (status === 401 || status === 403) return { kind: "up", refusedWith: status };
  if (status === 404 || status === 405 || status === 429) return { kind: "up" };
  return { kind: "failed", reason: `status ${status}` };
}

function readList(text: string): readonly string[] | undefined {
  try {
    return readModelList(JSON.parse(text));
  } catch {
    return undefined; // its chat may work all the same, and the last list stays
  }
}
