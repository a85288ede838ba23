// Counts what each key has used in its windows, and says whether one more call fits: RPM, TPM and RPD.
import type { LimitHit, LimitName, LimitView, LimitViews } from "./forms/form.ts";
import type { KeyRules } from "./script-parse.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Window {
  readonly limit: number;
  view(nowMs: number): LimitView;
  /** Until so much more would fit; zero if it fits now. */
  waitMs(amount: number, nowMs: number): number;
  add(amount: number, nowMs: number): void;
}

function slidingWindow(limit: number, lengthMs: number): Window {
  let entries: { atMs: number; amount: number }[] = [];
  let used = 0;
  const prune = (nowMs: number): void => {
    const gone = entries.findIndex((entry) => entry.atMs + lengthMs > nowMs);
    const old = gone < 0 ? entries.splice(0) : entries.splice(0, gone);
    for (const entry of old) used -= entry.amount;
  };
  return {
    limit,
    view(nowMs) {
      prune(nowMs);
      const last = entries.at(-1);
      const resetMs = last === undefined ? 0 : last.atMs + lengthMs - nowMs;
      return { limit, used, remaining: Math.max(0, limit - used), resetMs };
    },
    waitMs(amount, nowMs) {
      prune(nowMs);
      let over = used + amount - limit;
      if (over <= 0) return 0;
      for (const entry of entries) {
        over -= entry.amount;
        if (over <= 0) return entry.atMs + lengthMs - nowMs;
      }
      // More than the whole limit at once: never, but a provider names the window.
      return lengthMs;
    },
    add(amount, nowMs) {
      entries.push({ atMs: nowMs, amount });
      used += amount;
    },
  };
}

/** Starts with the first use and is empty again after its length. */
function fixedWindow(limit: number, lengthMs: number): Window {
  let startMs = -Infinity;
  let used = 0;
  const turn = (nowMs: number): void => {
    if (nowMs < startMs + lengthMs) return;
    startMs = nowMs;
    used = 0;
  };
  return {
    limit,
    view(nowMs) {
      turn(nowMs);
      const resetMs = used === 0 ? 0 : startMs + lengthMs - nowMs;
      return { limit, used, remaining: Math.max(0, limit - used), resetMs };
    },
    waitMs(amount, nowMs) {
      turn(nowMs);
      return used + amount <= limit ? 0 : startMs + lengthMs - nowMs;
    },
    add(amount, nowMs) {
      turn(nowMs);
      used += amount;
    },
  };
}

export interface KeyMeter {
  /** Takes one call of so many tokens, or says which limit it hit and when it would fit; a refusal costs nothing. */
  admit(tokens: number, nowMs: number): { readonly hit: LimitHit; readonly retryAfterMs: number } | undefined;
  views(nowMs: number): LimitViews;
}

export function createMeter(rules: KeyRules): KeyMeter {
  const create = rules.window === "fixed" ? fixedWindow : slidingWindow;
  const windows: [LimitName, Window][] = [];
  if (rules.rpd !== undefined) windows.push(["day", create(rules.rpd, DAY_MS)]);
  if (rules.rpm !== undefined) windows.push(["requests", create(rules.rpm, MINUTE_MS)]);
  if (rules.tpm !== undefined) windows.push(["tokens", create(rules.tpm, MINUTE_MS)]);
  return {
    admit(tokens, nowMs) {
      for (const [name, window] of windows) {
        const requested = name === "tokens" ? tokens : 1;
        const retryAfterMs = window.waitMs(requested, nowMs);
        if (retryAfterMs > 0) return { hit: { name, requested, ...window.view(nowMs) }, retryAfterMs };
      }
      for (const [name, window] of windows) window.add(name === "tokens" ? tokens : 1, nowMs);
      return undefined;
    },
    views: (nowMs) => Object.fromEntries(windows.map(([name, window]) => [name, window.view(nowMs)])),
  };
}
