// The answers of the admin API: JSON that nothing on the way keeps, and refusals in the shape that all of weir's have.
import { type Refusal, refuse } from "../core/refusal.ts";
import type { UpstreamProblem } from "../core/upstream.ts";

export function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

export function refuseWith(refusal: Refusal): Response {
  const response = refuse("openai", refusal);
  response.headers.set("cache-control", "no-store");
  return response;
}

/** Every problem in words for people, and as a list for programs. */
export function refuseProblems(problems: readonly UpstreamProblem[]): Response {
  const message = problems.map(sayProblem).join("; ");
  const param = problems[0]?.path ?? "";
  const error = {
    message,
    type: "invalid_request_error",
    code: "invalid_upstream",
    param: param === "" ? null : param,
    problems,
  };
  return answer(400, { error }, { "content-type": "application/json" });
}

/** `targets[0].port: expected a whole number from 1 to 65535, found 0` */
function sayProblem({ path, expected, found }: UpstreamProblem): string {
  const where = path === "" ? "" : `${path}: `;
  return `${where}expected ${expected}${found === undefined ? "" : `, found ${found}`}`;
}
