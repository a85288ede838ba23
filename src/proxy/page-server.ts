// A listener for pages alone: the dashboard on a port of its own.
import { type Page, pathOf } from "../core/page.ts";
import { refuse } from "../core/refusal.ts";
import type { Guard } from "./guard.ts";
import { createRouter, listen, type Listener } from "./listen.ts";
import type { PageGuard } from "./page-guard.ts";
import { addPages } from "./pages.ts";
import { INTERNAL } from "./reply.ts";

export interface PageServerOptions {
  readonly host: string;
  readonly port: number;
  readonly guard: () => Guard;
  readonly pageGuard: () => PageGuard;
  readonly pages: readonly Page[];
  readonly idleSeconds: number;
  readonly isDraining: () => boolean;
  /** Sees what a page threw; the client gets no word of it. */
  readonly onError: (error: unknown) => void;
}

/** Nobody sends a page much. */
const LARGEST_BODY_BYTES = 1024 * 1024;

/** LLMRouter's addresses of what weir has at the dashboard's. */
const OTHER_NAMES: Readonly<Record<string, string>> = { "/": "/dashboard", "/charts": "/dashboard" };

/** Throws what listening throws. */
export function startPageServer(options: PageServerOptions): Listener {
  const app = createRouter();
  const finish = (response: Response): Response => {
    if (options.isDraining()) response.headers.set("connection", "close");
    return response;
  };
  app.onError(({ error }) => {
    options.onError(error);
    return refuse("openai", INTERNAL);
  });
  app.onRequest(({ request }) => {
    const refused = options.guard().screen(request);
    return refused === undefined ? undefined : finish(refused);
  });
  const aliases = Object.entries(OTHER_NAMES).flatMap(([path, meant]) =>
    options.pages.filter((page) => page.path === meant).map((page) => ({ ...page, path })),
  );
  addPages(app, {
    pages: [...options.pages, ...aliases],
    guard: options.guard,
    pageGuard: options.pageGuard,
    finish,
    other: () => undefined,
  });
  app.all("/*", ({ request }) => finish(refuseUnknown(request)), { parse: "none" });
  const { host, port, idleSeconds } = options;
  return listen(app, { host, port, idleSeconds, mostBodyBytes: LARGEST_BODY_BYTES });
}

/** `warning`: why it did not open. */
type OpenedPages =
  | { readonly kind: "open"; readonly listener: Listener }
  | { readonly kind: "closed"; readonly warning: string };

/** The proxy is worth more than its dashboard: a port that is taken is a warning. */
export function openPageServer(options: PageServerOptions): OpenedPages {
  try {
    return { kind: "open", listener: startPageServer(options) };
  } catch (error) {
    const code = error instanceof Error ? ("code" in error ? String(error.code) : error.name) : "unknown";
    const warning = `the dashboard is not on port ${options.port} of ${options.host}: ${code}`;
    return { kind: "closed", warning };
  }
}

const refuseUnknown = (request: Request): Response =>
  refuse("openai", {
    status: 404,
    code: "unknown_url",
    message: `nothing is served at ${request.method} ${pathOf(request.url)} on the dashboard's port`,
  });
