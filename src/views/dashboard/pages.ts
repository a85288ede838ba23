// Serves the dashboard: one HTML page and the files that it names. The files' names hold a hash of their content, so
// browsers keep them for good, and ask for the page each time.
import { type Page, pathOf, sessionOf } from "../../core/page.ts";

/** No inline code, nothing from elsewhere, no frames: names of models and providers are other people's text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SAFETY = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  // To others nothing; without it, the form to log out would come from nowhere.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const FOLDER = "/dashboard/";

export const DASHBOARD_PAGES: readonly Page[] = [
  { method: "GET", path: "/dashboard", respond: sendPage },
  { method: "GET", path: `${FOLDER}*`, respond: sendFile },
];

/** Besides those, on a port of the dashboard's own: where LLMRouter has its two pages. */
export const DASHBOARD_ROOT_PAGES: readonly Page[] = ["/", "/charts"].map((path) => ({
  method: "GET",
  path,
  respond: sendPage,
}));

interface File {
  readonly text: string;
  readonly type: string;
  readonly tag: string;
}

interface Files {
  readonly page: File;
  /** For who has logged in: with a way out. */
  readonly ownPage: File;
  /** By name with hash. */
  readonly named: ReadonlyMap<string, File>;
}

let files: Promise<Files> | undefined;

async function loadFiles(): Promise<Files> {
  const { FILES, PAGE_HTML } = await import("./assets.ts");
  const named = new Map<string, File>();
  let page = PAGE_HTML;
  for (const [name, text] of Object.entries(FILES)) {
    const tag = hash(text);
    const [stem, kind] = name.split(".");
    const hashed = `${stem}.${tag}.${kind}`;
    const type = kind === "css" ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
    named.set(hashed, { text, type, tag });
    page = page.replace(`{{${name}}}`, hashed);
  }
  return { page: fileOf(page), ownPage: fileOf(page.replace("<html", '<html data-login="yes"')), named };
}

const fileOf = (html: string): File => ({ text: html, type: "text/html; charset=utf-8", tag: hash(html) });

const hash = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);

async function sendPage(request: Request): Promise<Response> {
  const { page, ownPage } = await (files ??= loadFiles());
  const hasLogin = sessionOf(request.headers) !== undefined;
  return send(request, hasLogin ? ownPage : page, "private, no-cache");
}

async function sendFile(request: Request): Promise<Response> {
  const name = pathOf(request.url).slice(FOLDER.length);
  // People type the slash: their browser would look for the page's files in the wrong folder.
  if (name === "")
    return new Response(null, { status: 308, headers: { ...SAFETY, location: "../dashboard" } });
  const file = (await (files ??= loadFiles())).named.get(name);
  if (file === undefined) return new Response("not found\n", { status: 404, headers: SAFETY });
  return send(request, file, "private, max-age=31536000, immutable");
}

function send(request: Request, file: File, cache: string): Response {
  const etag = `"${file.tag}"`;
  const headers = { ...SAFETY, etag, "cache-control": cache };
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  if (known.some((each) => each.trim().replace(/^W\//, "") === etag))
    return new Response(null, { status: 304, headers });
  return new Response(file.text, { headers: { ...headers, "content-type": file.type } });
}
