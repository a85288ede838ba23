// The listener: guard first, then weir's own pages, then everything that is piped. Elysia routes, Bun serves.
import { familyOfPath, readOperation } from "../core/operation.ts";
import { type Page, pathOf, searchOf } from "../core/page.ts";
import { refuse } from "../core/refusal.ts";
import type { Parts } from "./call.ts";
import { allowOrigin, type Guard, isHealth } from "./guard.ts";
import { createRouter, listen, type Listener } from "./listen.ts";
import type { PageGuard } from "./page-guard.ts";
import { addPages, type BunServer } from "./pages.ts";
import { INTERNAL, methodRefusal } from "./reply.ts";
import { serve } from "./serve.ts";
import { turnAway } from "./turn-away.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asked for every request, so that a reload takes effect. */
  readonly guard: () => Guard;
  readonly allowedOrigins: () => readonly string[];
  readonly pages: readonly Page[];
  /** For pages of operators; asked for every request too. */
  readonly pageGuard: () => PageGuard;
  readonly parts: Parts;
  readonly createId: () => string;
  /** Silent connections are closed after this, at most 255; answers under way are held open whatever they do. */
  readonly idleSeconds: number;
  /** True once weir is stopping: clients are asked to close their connections. */
  readonly isDraining: () => boolean;
}

/** Above our own bound for bodies, so that it is weir's error the client gets; streamed uploads may be large. */
const LARGEST_BODY_BYTES = 64 * 1024 ** 3;
const CALLER_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Throws what listening throws: a port that is taken has `code` EADDRINUSE. */
export function startServer(options: ServerOptions): Listener {
  const app = createRouter();
  // Before the routes: Elysia gives a hook only to those that follow, and its own answer would show the message.
  app.onError(({ request, error }) => {
    const reason = error instanceof Error ? error.name : "unknown";
    options.parts.emit({ kind: "server_error", reason });
    return refuse(familyOfPath(pathOf(request.url)), INTERNAL);
  });
  app.onRequest(({ request }) => {
    const refused = options.guard().screen(request);
    if (refused === undefined) return undefined;
    return answerProbe(request, options.pages) ?? finish(refused, request, options);
  });
  addPages(app, {
    pages: options.pages,
    guard: options.guard,
    pageGuard: options.pageGuard,
    finish: (response, request) => finish(response, request, options),
    // Google's calls to a model share a path with the list of models.
    other: (request, server) =>
      operationOf(request).kind === "operation" ? pipe(request, server, options) : undefined,
  });
  app.all(
    "/*",
    async ({ request, server }) => finish(await pipe(request, server, options), request, options),
    { parse: "none" },
  );
  const { host, port, idleSeconds } = options;
  return listen(app, { host, port, idleSeconds, mostBodyBytes: LARGEST_BODY_BYTES });
}

/**
 * Load balancers probe with HTTP/1.0, which needs no Host: health is everybody's, and nothing else is answered without one.
 * Before the routes, since Elysia finds another path in a URL that has no host.
 */
function answerProbe(request: Request, pages: readonly Page[]): Response | Promise<Response> | undefined {
  if (request.headers.has("host") || (request.method !== "GET" && request.method !== "HEAD"))
    return undefined;
  const path = pathOf(request.url);
  return isHealth(path) ? pages.find((page) => page.path === path)?.respond(request, undefined) : undefined;
}

async function pipe(request: Request, server: BunServer, options: ServerOptions): Promise<Response> {
  const { guard, parts, createId, idleSeconds } = options;
  const { method, url } = request;
  const path = pathOf(url);
  const asked = request.headers.get("x-request-id");
  const requestId = asked !== null && CALLER_ID.test(asked) ? asked : createId();
  const refusal = guard().admit(request);
  if (refusal !== undefined)
    return turnAway({ requestId, method, path, family: familyOfPath(path) }, refusal, parts);
  const operation = operationOf(request);
  switch (operation.kind) {
    case "not_found": {
      const message = `nothing is served at ${method} ${path}`;
      const visitor = { requestId, method, path, family: operation.family };
      return turnAway(visitor, { status: 404, code: "unknown_url", message }, parts);
    }
    case "method_not_allowed": {
      const visitor = { requestId, method, path, family: operation.family };
      const response = turnAway(visitor, methodRefusal(operation.allow), parts);
      response.headers.set("allow", operation.allow);
      return response;
    }
    case "operation": {
      const call = {
        requestId,
        request,
        operation,
        path,
        search: searchOf(url),
        startedMs: parts.clock.now(),
        holdOpen: () => server?.timeout(request, 0),
        release: () => server?.timeout(request, idleSeconds),
      };
      return serve(call, parts);
    }
  }
}

const operationOf = ({ method, url, headers }: Request) =>
  readOperation(method, pathOf(url), headers.get("anthropic-version"));

/** What every answer gets last. */
function finish(
  response: Response,
  request: Request,
  { isDraining, allowedOrigins }: ServerOptions,
): Response {
  const allowed = allowedOrigins();
  if (allowed.length > 0) allowOrigin(response, request, allowed);
  if (isDraining()) response.headers.set("connection", "close");
  return response;
}
