// Decides, from one look at a service under way, what is to be done with it. Pure.
import { describeExit, type Sighting } from "./answers.ts";

export interface Waiting {
  readonly port: number;
  /** Ports tried before this one. */
  readonly conflicts: number;
  /** How long this process has run. */
  readonly ageMs: number;
  readonly timeoutMs: number;
}

export type Judgement =
  /** Its log says that it listens: ask it. */
  | { readonly kind: "ask" }
  | { readonly kind: "wait"; readonly text: string }
  | { readonly kind: "other_port"; readonly line: string }
  | { readonly kind: "failed"; readonly reason: string; readonly tail: readonly string[] };

export const MOST_CONFLICTS = 5;

export function judge(seen: Sighting | undefined, waiting: Waiting): Judgement {
  if (seen === undefined || seen.state === "missing")
    return failed("its node knows nothing of it any more", []);
  if (seen.state === "rebooted") return failed("its node was rebooted", []);
  const { tail, conflictLine } = seen;
  const isDead = seen.state === "dead" || seen.state === "orphaned";
  // Before the process's end: an engine that found its port taken may also stay, with nobody listening.
  if (conflictLine !== undefined)
    return waiting.conflicts < MOST_CONFLICTS
      ? { kind: "other_port", line: `port ${waiting.port} is taken (${conflictLine.trim()})` }
      : failed(`no free port in ${MOST_CONFLICTS + 1} tries, the last one ${waiting.port}`, tail);
  if (isDead) return failed(`it ended: ${describeExit(seen.exitCode)}`, tail);
  if (waiting.ageMs >= waiting.timeoutMs) {
    const said = seen.readyLine === undefined ? "not ready" : "its log says ready, but it does not answer";
    return failed(`${said} after ${Math.round(waiting.timeoutMs / 1000)} s (--health-check-timeout)`, tail);
  }
  if (seen.readyLine !== undefined) return { kind: "ask" };
  return { kind: "wait", text: tail.at(-1)?.trim() ?? "" };
}

const failed = (reason: string, tail: readonly string[]): Judgement => ({ kind: "failed", reason, tail });
