// Binds a listener, with the settings that every one of weir's needs.
import { Elysia } from "elysia";
import { refuse } from "../core/refusal.ts";
import { INTERNAL } from "./reply.ts";

export interface ListenTerms {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Silent connections are closed after this, at most 255. */
  readonly idleSeconds: number;
  readonly mostBodyBytes: number;
}

export interface Listener {
  readonly port: number;
  /** No new connections; resolves when every answer has ended. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

// standardHostname would read the path from a fixed offset, which a Host under four letters shifts past the guards.
export const createRouter = (): Elysia =>
  new Elysia({ handler: { standardHostname: false }, systemRouter: false });

/** Throws what listening throws: a port that is taken has `code` EADDRINUSE. */
export function listen(app: Elysia, { host, port, idleSeconds, mostBodyBytes }: ListenTerms): Listener {
  app.listen({
    hostname: host,
    port,
    // Else two weirs would share a port without a word.
    reusePort: false,
    // Else a bug answers with a page of our source, also from the compiled binary.
    development: false,
    idleTimeout: idleSeconds,
    maxRequestBodySize: mostBodyBytes,
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
