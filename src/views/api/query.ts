// The query of a request to the JSON API, and its refusals.
import { searchOf } from "../../core/page.ts";

export const queryOf = (request: Request): URLSearchParams => new URLSearchParams(searchOf(request.url));

export function refuseQuery(message: string): Response {
  return Response.json(
    { error: { message, type: "invalid_request_error", code: "bad_query" } },
    { status: 400 },
  );
}
