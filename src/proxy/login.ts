// The login of browsers: takes the admin key once, and gives a cookie in its place.
import { isCleanPath } from "../core/operation.ts";
import { type Page, pathOf, sessionCookie, sessionOf } from "../core/page.ts";
import type { Refusal } from "../core/refusal.ts";
import { LOGIN_PATH, showLogin } from "./login-form.ts";
import { type PageGuard, refusePage } from "./page-guard.ts";
import { SESSION_SECONDS, type Sessions } from "./sessions.ts";

const LOGOUT_PATH = "/dashboard/logout";
const HOME_PATH = "/dashboard";

/** A key and a path; nobody's is longer. */
const MOST_BYTES = 8192;
const LONGEST_PATH = 1024;

export function loginPages(guard: () => PageGuard, sessions: Sessions): readonly Page[] {
  return [
    page("GET", LOGIN_PATH, (request, peer) => {
      const refused = guard().admit(request, peer);
      if (refused === undefined) return goTo(HOME_PATH);
      return refused.status === 401 ? showLogin({ status: 200, next: HOME_PATH }) : refused;
    }),
    page("POST", LOGIN_PATH, async (request, peer) => {
      const { judge, judgeOrigin, hasKey } = guard();
      const foreign = judgeOrigin(request);
      if (foreign !== undefined) return refusePage(foreign);
      if (!hasKey) return refusePage(NOTHING_TO_LOG_IN_WITH);
      const form = await readForm(request);
      if (form.kind === "refused") return refusePage(form.refusal);
      const wrong = judge(form.key, peer);
      if (wrong !== undefined)
        return form.isJson ? refusePage(wrong) : showLogin({ status: wrong.status, next: form.next, wrong });
      const response = form.isJson ? new Response(null, { status: 204 }) : goTo(form.next);
      response.headers.set("set-cookie", cookie(request, sessions.open(), SESSION_SECONDS));
      return response;
    }),
    page("POST", LOGOUT_PATH, (request) => {
      const foreign = guard().judgeOrigin(request);
      if (foreign !== undefined) return refusePage(foreign);
      const session = sessionOf(request.headers);
      if (session !== undefined) sessions.close(session);
      const response = goTo(guard().hasKey ? LOGIN_PATH : HOME_PATH);
      response.headers.set("set-cookie", cookie(request, "", 0));
      return response;
    }),
  ];
}

const page = (method: Page["method"], path: string, respond: Page["respond"]): Page => ({
  method,
  path,
  access: "open",
  respond,
});

/** In place of a bare refusal, for people: a form that leads on to what they asked for. */
export function offerLogin(request: Request, refused: Response): Response {
  const isForPeople =
    refused.status === 401 &&
    request.method === "GET" &&
    !request.headers.has("authorization") &&
    !request.headers.has("x-api-key") &&
    (request.headers.get("accept") ?? "").includes("text/html");
  return isForPeople ? showLogin({ status: 401, next: ownPath(pathOf(request.url)) }) : refused;
}

/** Never to another site: a browser takes `//host` for one. */
const ownPath = (path: unknown): string =>
  typeof path === "string" && path.startsWith("/") && isCleanPath(path) && path.length <= LONGEST_PATH
    ? path
    : HOME_PATH;

type Form =
  | { readonly kind: "form"; readonly key: string; readonly next: string; readonly isJson: boolean }
  | { readonly kind: "refused"; readonly refusal: Refusal };

async function readForm(request: Request): Promise<Form> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const isJson = type === "application/json";
  if (!isJson && type !== "application/x-www-form-urlencoded") return { kind: "refused", refusal: NO_FORM };
  // A body without a length is read as it comes, and Bun gives it whole: so it must have one.
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(length <= MOST_BYTES)) return { kind: "refused", refusal: LONG_FORM };
  const text = await request.text();
  const fields = isJson ? readJson(text) : Object.fromEntries(new URLSearchParams(text));
  const key = fields["key"];
  const next = fields["next"];
  return {
    kind: "form",
    key: typeof key === "string" ? key.trim() : "",
    next: ownPath(next),
    isJson,
  };
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // no key in it, which is told as a wrong one
  }
}

const goTo = (path: string): Response =>
  new Response(null, { status: 303, headers: { location: path, "cache-control": "no-store" } });

/** Behind a proxy that speaks TLS the browser's own words tell, as the origin of a form's request does. */
function cookie(request: Request, value: string, maxAgeSeconds: number): string {
  const isSecure =
    request.url.startsWith("https:") ||
    request.headers.get("x-forwarded-proto")?.toLowerCase() === "https" ||
    request.headers.get("origin")?.toLowerCase().startsWith("https://") === true;
  const secure = isSecure ? "; Secure" : "";
  return `${sessionCookie(request.headers)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

const NOTHING_TO_LOG_IN_WITH: Refusal = {
  status: 404,
  code: "no_admin_key",
  message: "there is no admin key to log in with; set WEIR_ADMIN_KEY",
};
const NO_FORM: Refusal = {
  status: 415,
  code: "unsupported_media_type",
  message: "send the key as a form or as JSON",
};
const LONG_FORM: Refusal = {
  status: 413,
  code: "request_too_large",
  message: `send a Content-Length of at most ${MOST_BYTES}`,
};
