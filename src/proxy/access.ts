// Who may do what on weir's listeners, by the configuration of the moment; sessions and wrong guesses outlive a reload.
import type { Secret } from "../core/credential.ts";
import type { Page } from "../core/page.ts";
import { createGuard, type Guard, type GuardRules } from "./guard.ts";
import { createGuesses } from "./guesses.ts";
import { loginPages } from "./login.ts";
import { createPageGuard, type PageGuard } from "./page-guard.ts";
import { createSessions } from "./sessions.ts";

export interface AccessRules extends GuardRules {
  readonly adminKey: Secret | undefined;
}

export interface Access {
  readonly guard: () => Guard;
  readonly pageGuard: () => PageGuard;
  /** Login and logout. */
  readonly pages: readonly Page[];
  /** After a reload. Another admin key ends every session. */
  readonly refresh: () => void;
}

export function createAccess(rules: () => AccessRules, now: () => number): Access {
  const sessions = createSessions(now);
  const guesses = createGuesses(now);
  const build = (current: AccessRules) => {
    const guard = createGuard(current);
    const { adminKey, allowedOrigins } = current;
    const { isOwnHost } = guard;
    return { guard, pageGuard: createPageGuard({ adminKey, allowedOrigins, isOwnHost, sessions, guesses }) };
  };
  let key = rules().adminKey?.reveal();
  let built = build(rules());
  const pageGuard = (): PageGuard => built.pageGuard;
  return {
    guard: () => built.guard,
    pageGuard,
    pages: loginPages(pageGuard, sessions),
    refresh() {
      const next = rules();
      if (next.adminKey?.reveal() !== key) sessions.closeAll();
      key = next.adminKey?.reveal();
      built = build(next);
    },
  };
}
