// A listener with pages behind the guard of operators, on a free port; and the admin API over a state file of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminPages } from "../../src/admin/pages.ts";
import { openUpstreamStore, type StoreTerms, type UpstreamStore } from "../../src/admin/store.ts";
import { readUpstream } from "../../src/config/upstream-body.ts";
import { UPSTREAM_SCHEMA } from "../../src/config/upstream-schema.ts";
import { readUpstreamText } from "../../src/config/upstream-text.ts";
import { Secret } from "../../src/core/credential.ts";
import type { Page } from "../../src/core/page.ts";
import { type AccessRules, createAccess } from "../../src/proxy/access.ts";
import { startPageServer } from "../../src/proxy/page-server.ts";

export const ADMIN_KEY = "admin-key-0123456789";

export interface OperatorsSetup {
  readonly pages?: readonly Page[];
  readonly adminKey?: string | undefined;
  readonly rules?: Partial<AccessRules>;
  readonly host?: string;
}

export interface Operators extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Moves the guard's clock forward. */
  readonly advance: (ms: number) => void;
  /** As a reload with another admin key would. */
  readonly changeKey: (key: string | undefined) => void;
  readonly errors: readonly unknown[];
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>;
}

export function startOperators(setup: OperatorsSetup = {}): Operators {
  let nowMs = 0;
  let key = setup.adminKey;
  const errors: unknown[] = [];
  const host = setup.host ?? "127.0.0.1";
  const access = createAccess(
    () => ({
      boundHost: host,
      hostname: "test-host",
      allowedHosts: [],
      allowedOrigins: [],
      accessKeys: [],
      instanceId: "weir-1",
      ...setup.rules,
      adminKey: key === undefined ? undefined : new Secret(key),
    }),
    () => nowMs,
  );
  const listener = startPageServer({
    host,
    port: 0,
    guard: access.guard,
    pageGuard: access.pageGuard,
    pages: [...(setup.pages ?? []), ...access.pages],
    idleSeconds: 60,
    isDraining: () => false,
    onError: (error) => void errors.push(error),
  });
  const url = `http://127.0.0.1:${listener.port}`;
  return {
    url,
    port: listener.port,
    advance(ms) {
      nowMs += ms;
    },
    changeKey(next) {
      key = next;
      access.refresh();
    },
    errors,
    get: (path, headers = {}) => fetch(url + path, { headers, redirect: "manual" }),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

export interface Folder extends Disposable {
  readonly path: string;
  readonly file: string;
}

/** A folder for a state file that is not there yet. */
export function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "weir-state-"));
  return {
    path,
    file: join(path, "upstreams.json"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export function openStore(path: string, terms: Partial<StoreTerms> = {}): UpstreamStore {
  let ids = 0;
  const opened = openUpstreamStore({
    path,
    read: readUpstream,
    createId: () => {
      ids += 1;
      return `up-${ids}`;
    },
    ...terms,
  });
  if (opened.kind === "problems") throw new Error(JSON.stringify(opened.problems));
  return opened.store;
}

export const pagesOf = (store: UpstreamStore): readonly Page[] =>
  adminPages({ store, parse: readUpstreamText, schema: UPSTREAM_SCHEMA });
