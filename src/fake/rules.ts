// Decides which rule of a script applies to a call. Counts per rule, so that "the third call of this key" works.
import type { Action } from "./action.ts";
import type { Ask } from "./families/ask.ts";
import type { Random } from "./random.ts";
import type { Match, Rule } from "./script-rule.ts";

interface Applied {
  readonly action: Action;
  /** The rule's place in the script, from 0. */
  readonly rule: number;
}

export interface RuleBook {
  /** The first rule that applies; undefined if none does. */
  apply(ask: Ask): Applied | undefined;
}

export function createRuleBook(rules: readonly Rule[], random: Random): RuleBook {
  const states = rules.map(() => ({ matched: 0, applied: 0 }));
  return {
    apply(ask) {
      for (const [index, rule] of rules.entries()) {
        const state = states[index];
        if (state === undefined || !fits(rule.match, ask)) continue;
        state.matched += 1;
        const nth = state.matched;
        if (rule.match.call?.some(({ from, to }) => nth >= from && nth <= to) === false) continue;
        if (state.applied >= rule.times) continue;
        if (rule.probability < 1 && random() >= rule.probability) continue;
        state.applied += 1;
        return { action: rule.action, rule: index };
      }
      return undefined;
    },
  };
}

function fits(match: Match, ask: Ask): boolean {
  const { request } = ask;
  return (
    any(match.method, request.method) &&
    any(match.key, ask.key) &&
    any(match.model, ask.model) &&
    any(match.path, request.path) &&
    any(match.family, ask.family) &&
    (match.stream === undefined || match.stream === ask.stream) &&
    [...(match.header ?? [])].every(([name, pattern]) => pattern.test(request.headers[name] ?? ""))
  );
}

const any = (patterns: readonly RegExp[] | undefined, text: string): boolean =>
  patterns === undefined || patterns.some((pattern) => pattern.test(text));
