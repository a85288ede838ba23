// Puts weir's own pages on a listener, each behind the guard of those who may see it.
import type { Elysia } from "elysia";
import { familyOfPath } from "../core/operation.ts";
import type { Page } from "../core/page.ts";
import { refuse } from "../core/refusal.ts";
import type { Guard } from "./guard.ts";
import { LOGIN_PATH } from "./login-form.ts";
import { offerLogin } from "./login.ts";
import type { PageGuard } from "./page-guard.ts";
import { notAllowed } from "./reply.ts";

/** What a handler may ask of the listener. */
export type BunServer = {
  readonly timeout: (request: Request, seconds: number) => void;
  readonly requestIP: (request: Request) => { readonly address: string } | null;
} | null;

export interface PageTerms {
  readonly pages: readonly Page[];
  readonly guard: () => Guard;
  readonly pageGuard: () => PageGuard;
  /** What every answer gets last. */
  readonly finish: (response: Response, request: Request) => Response;
  /** For a method that no page of the path has; undefined: 405. */
  readonly other: (request: Request, server: BunServer) => Promise<Response> | undefined;
}

/**
 * Who may see a page is asked where the page is found, and nowhere else: a path that one piece of code took for another
 * could not lead past the question.
 */
export function addPages(app: Elysia, terms: PageTerms): void {
  const hasLogin = terms.pages.some(({ path }) => path === LOGIN_PATH);
  for (const path of new Set(terms.pages.map((page) => page.path))) {
    const pages = terms.pages.filter((page) => page.path === path);
    const answer = answerOf(path, pages, { ...terms, hasLogin });
    app.all(path, async ({ request, server }) => terms.finish(await answer(request, server), request), {
      parse: "none",
    });
  }
}

function answerOf(
  path: string,
  pages: readonly Page[],
  terms: AnswerTerms,
): (request: Request, server: BunServer) => Promise<Response> {
  const allow = pages.map((page) => page.method).join(", ");
  return async (request, server) => {
    const peer = server?.requestIP(request)?.address;
    const page = pages.find(
      ({ method }) => method === request.method || (method === "GET" && request.method === "HEAD"),
    );
    if (page === undefined) {
      const other = terms.other(request, server);
      if (other !== undefined) return other;
    }
    const ask = () => admit(page ?? pages[0], { request, peer }, terms);
    const refused = ask();
    if (refused !== undefined) return refused;
    if (page === undefined) return notAllowed(familyOfPath(path), allow);
    return page.respond(request, peer, () => ask() === undefined);
  };
}

interface AnswerTerms extends PageTerms {
  /** False where the form would lead to nothing. */
  readonly hasLogin: boolean;
}

interface Caller {
  readonly request: Request;
  readonly peer: string | undefined;
}

function admit(page: Page | undefined, { request, peer }: Caller, terms: AnswerTerms): Response | undefined {
  if (page?.access === "open") return undefined;
  if (page?.access === "client") {
    const refusal = terms.guard().admit(request);
    return refusal && refuse(familyOfPath(page.path), refusal);
  }
  const refused = terms.pageGuard().admit(request, peer);
  return refused === undefined || !terms.hasLogin ? refused : offerLogin(request, refused);
}
