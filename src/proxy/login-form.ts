// The form that asks people for the admin key: plain HTML, no script, nothing from anywhere else.
import { createHash } from "node:crypto";
import type { Refusal } from "../core/refusal.ts";

export const LOGIN_PATH = "/dashboard/login";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
form { display: grid; gap: .75rem; width: min(20rem, 90vw); }
h1 { margin: 0; font-size: 1.5rem; }
p { margin: 0; }
.wrong { color: #b3261e; }
input, button { font: inherit; padding: .5rem .75rem; border-radius: .375rem; border: 1px solid #888; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid #3b82f6; outline-offset: 2px; }
@media (prefers-color-scheme: dark) { .wrong { color: #f2b8b5; } }
`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface LoginView {
  readonly status: number;
  /** Where to go then. */
  readonly next: string;
  readonly wrong?: Refusal;
}

export function showLogin({ status, next, wrong }: LoginView): Response {
  const said = wrong === undefined ? "" : `\n<p class="wrong" role="alert">${wordsFor(wrong)}</p>`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>weir: log in</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<form method="post" action="${LOGIN_PATH}">
<h1>weir</h1>${said}
<input name="username" value="weir" autocomplete="username" hidden>
<label for="key">Admin key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<input name="next" type="hidden" value="${escapeHtml(next)}">
<button>Log in</button>
</form>
</main>
</body>
</html>
`;
  const headers = new Headers({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  if (wrong?.retryAfterMs !== undefined)
    headers.set("retry-after", String(Math.ceil(wrong.retryAfterMs / 1000)));
  return new Response(html, { status, headers });
}

const wordsFor = ({ status }: Refusal): string =>
  status === 429
    ? "Too many wrong keys came from this address. Wait a minute and try again."
    : "That is not the admin key.";

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
