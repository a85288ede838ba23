// The listener: guard first, then weir's own pages, then everything that is piped. Elysia routes, Bun serves.
import { Elysia } from "elysia";
import type { Family } from "../core/backend.ts";
import { familyOfPath, readOperation } from "../core/operation.ts";
import { type Page, pathOf, searchOf } from "../core/page.ts";
import type { Parts } from "./call.ts";
import { allowOrigin, type Guard } from "./guard.ts";
import { refuse } from "./reply.ts";
import { serve } from "./serve.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asked for every request, so that a reload takes effect. */
  readonly guard: () => Guard;
  readonly allowedOrigins: () => readonly string[];
  readonly pages: readonly Page[];
  readonly parts: Parts;
  readonly createId: () => string;
  /** Silent connections are closed after this, at most 255; answers under way are held open whatever they do. */
  readonly idleSeconds: number;
  /** True once weir is stopping: clients are asked to close their connections. */
  readonly isDraining: () => boolean;
}

export interface WeirServer {
  readonly port: number;
  /** No new connections; resolves when every answer has ended. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Above our own bound for bodies, so that it is weir's error the client gets; streamed uploads may be large. */
const LARGEST_BODY_BYTES = 64 * 1024 ** 3;
const CALLER_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Throws what listening throws: a port that is taken has `code` EADDRINUSE. */
export function startServer(options: ServerOptions): WeirServer {
  // standardHostname would read the path from a fixed offset, which a Host under four letters shifts past the guards.
  const app = new Elysia({ handler: { standardHostname: false }, systemRouter: false });
  // Before the routes: Elysia gives a hook only to those that follow, and its own answer would show the message.
  app.onError(({ request, error }) => {
    const reason = error instanceof Error ? error.name : "unknown";
    options.parts.emit({ kind: "server_error", reason });
    return refuse(familyOfPath(pathOf(request.url)), INTERNAL);
  });
  app.onRequest(({ request }) => {
    const refused = options.guard()(request);
    return refused === undefined ? undefined : finish(refused, request, options);
  });
  for (const path of new Set(options.pages.map((page) => page.path))) addPages(app, path, options);
  app.all(
    "/*",
    async ({ request, server }) => finish(await pipe(request, server, options), request, options),
    {
      parse: "none",
    },
  );
  app.listen({
    hostname: options.host,
    port: options.port,
    // Else two weirs would share a port without a word.
    reusePort: false,
    // Else a bug answers with a page of our source, also from the compiled binary.
    development: false,
    idleTimeout: options.idleSeconds,
    maxRequestBodySize: LARGEST_BODY_BYTES,
    error: () => refuse("openai", INTERNAL),
  });
  const { server } = app;
  if (server?.port === undefined) throw new Error("cannot listen: no port was given");
  return {
    port: server.port,
    drain: () => server.stop(false),
    close: () => server.stop(true),
  };
}

const INTERNAL = { status: 500, code: "internal_error", message: "weir failed on this request; see its log" };

function addPages(app: Elysia, path: string, options: ServerOptions): void {
  const pages = options.pages.filter((page) => page.path === path);
  const allow = pages.map((page) => page.method).join(", ");
  app.all(
    path,
    async ({ request, server }) => {
      const page = pages.find(
        ({ method }) => method === request.method || (method === "GET" && request.method === "HEAD"),
      );
      if (page !== undefined) return finish(await page.respond(request), request, options);
      // Google's calls to a model share a path with the list of models.
      const isPiped = readOperation(request.method, pathOf(request.url)).kind === "operation";
      const response = isPiped ? await pipe(request, server, options) : notAllowed(familyOfPath(path), allow);
      return finish(response, request, options);
    },
    { parse: "none" },
  );
}

type BunServer = { readonly timeout: (request: Request, seconds: number) => void } | null;

async function pipe(request: Request, server: BunServer, options: ServerOptions): Promise<Response> {
  const path = pathOf(request.url);
  const operation = readOperation(request.method, path);
  switch (operation.kind) {
    case "not_found":
      return refuse(operation.family, {
        status: 404,
        code: "unknown_url",
        message: `nothing is served at ${request.method} ${path}`,
      });
    case "method_not_allowed":
      return notAllowed(operation.family, operation.allow);
    case "operation": {
      const asked = request.headers.get("x-request-id");
      const call = {
        requestId: asked !== null && CALLER_ID.test(asked) ? asked : options.createId(),
        request,
        operation,
        path,
        search: searchOf(request.url),
        startedMs: options.parts.clock.now(),
        holdOpen: () => server?.timeout(request, 0),
        release: () => server?.timeout(request, options.idleSeconds),
      };
      return serve(call, options.parts);
    }
  }
}

function notAllowed(family: Family, allow: string): Response {
  const response = refuse(family, {
    status: 405,
    code: "method_not_allowed",
    message: `use ${allow} on this path`,
  });
  response.headers.set("allow", allow);
  return response;
}

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
