// Asks weir who would serve a model.
import type { Explanation } from "../../../core/explain.ts";
import { leaveIfDenied } from "./live.ts";

export type Answer =
  | { readonly kind: "none" }
  | { readonly kind: "told"; readonly explanation: Explanation; readonly atMs: number }
  | { readonly kind: "failed"; readonly message: string };

/** `family` may be empty: then weir takes the first that knows the name. */
export async function askWhoServes(model: string, family: string, signal: AbortSignal): Promise<Answer> {
  const query = new URLSearchParams({ model, ...(family === "" ? {} : { family }) });
  try {
    const response = await fetch(`api/explain?${query.toString()}`, { signal });
    if (response.ok)
      return { kind: "told", explanation: (await response.json()) as Explanation, atMs: Date.now() };
    void leaveIfDenied();
    return { kind: "failed", message: `weir answered ${response.status}: ${await messageOf(response)}` };
  } catch (error) {
    return { kind: "failed", message: `cannot ask weir: ${String(error)}` };
  }
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: string } };
    return error?.message ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
