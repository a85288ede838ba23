// The query of a request to the JSON API, and its refusals.
import { searchOf } from "../../core/page.ts";
import { refuse } from "../../core/refusal.ts";

export const queryOf = (request: Request): URLSearchParams => new URLSearchParams(searchOf(request.url));

export const refuseQuery = (message: string): Response =>
  refuse("openai", { status: 400, code: "bad_query", message });
