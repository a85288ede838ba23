// Which model to ask for when the user names none: the only one that the server lists. Anything else is the user's choice, since
// some cost a hundred times others.
import type { BenchPlan } from "./plan.ts";

const TIMEOUT_MS = 10_000;
const MOST_NAMED = 8;

export type FoundModel =
  | { readonly kind: "found"; readonly model: string }
  | { readonly kind: "problem"; readonly problem: string };

/** `url` is that of the calls; the list stands beside them. */
export async function findModel(
  { url, proxy }: Pick<BenchPlan, "url" | "proxy">,
  apiPath: string,
  headers: HeadersInit,
): Promise<FoundModel> {
  const { origin, pathname } = new URL(url);
  const listUrl = `${origin}${pathname.slice(0, -apiPath.length)}/models`;
  let ids: readonly string[];
  try {
    const answer = await fetch(listUrl, {
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // The way of the calls; the types know no `false`.
      proxy: proxy ?? false,
    } as unknown as BunFetchRequestInit);
    if (!answer.ok) return problem(`${listUrl} answered ${answer.status}`);
    ids = readIds(await answer.json());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no list in its answer";
    return problem(`${listUrl}: ${code}`);
  }
  const [first] = ids;
  if (first !== undefined && ids.length === 1) return { kind: "found", model: first };
  const shown = ids.slice(0, MOST_NAMED).map((id) => id.replaceAll(/[^ -~]/gu, "?"));
  const more = ids.length > shown.length ? ", …" : "";
  return problem(`${listUrl} lists ${ids.length}${ids.length === 0 ? "" : ` (${shown.join(", ")}${more})`}`);
}

const problem = (reason: string): FoundModel => ({
  kind: "problem",
  problem: `cannot choose a model: ${reason}; name one with --model`,
});

function readIds(json: unknown): readonly string[] {
  const list: unknown = (json as { readonly data?: unknown } | null)?.data;
  if (!Array.isArray(list)) throw new TypeError("no list");
  return list.flatMap((one: unknown) => {
    const id = (one as { readonly id?: unknown } | null)?.id;
    return typeof id === "string" ? [id] : [];
  });
}
