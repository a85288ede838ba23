// What is wrong in the pool at this moment that a person should know of, if it lasts.
//
// One key's rest of some seconds is daily business and wakes nobody. What is looked for:
// - a provider of which nothing can be used: all backends down or failing, all keys resting, for whatever causes;
// - an engine's address that probes call down;
// - a backend that failed so often that it rests, until an answer has proved it well again;
// - a key that has no money left or is refused: nobody but its owner can help.
// A provider's trouble stands for those of its addresses and backends. Whether any of it lasts long enough to be told is
// decided in alerts.ts.
import { isResting, needsTrial, type Rest } from "../core/rest.ts";
import type { Slot } from "../core/seams.ts";

export interface Trouble {
  /** The same as long as it is the same trouble of the same thing. */
  readonly id: string;
  /** Which of the events it is told as. */
  readonly event: "failure" | "key";
  /** What is concerned, for people. */
  readonly name: string;
  readonly cause: string;
  /** Monotonic milliseconds. */
  readonly sinceMs: number;
  /** When it is over, or tried again, at the earliest. */
  readonly untilMs: number;
  /** A wider trouble that says the same, when that is there. */
  readonly within?: string;
}

export function findTroubles(slots: readonly Slot[], nowMs: number): readonly Trouble[] {
  const troubles = new Map<string, Trouble>();
  const providers = new Map<string, Slot[]>();
  for (const slot of slots) {
    // Who is drained is meant to do nothing.
    if (slot.backend.weight > 0) {
      const own = providers.get(slot.backend.provider);
      if (own === undefined) providers.set(slot.backend.provider, [slot]);
      else own.push(slot);
    }
    for (const trouble of [ofBackend(slot), ofKey(slot)])
      if (trouble !== undefined) troubles.set(trouble.id, troubles.get(trouble.id) ?? trouble);
  }
  for (const [name, own] of providers) {
    const trouble = ofProvider(name, own, nowMs);
    if (trouble !== undefined) troubles.set(trouble.id, trouble);
  }
  return [...troubles.values()];
}

/** Of everything that can be in trouble: what a reload has taken away is neither failing nor well. */
export function subjectIds(slots: readonly Slot[]): ReadonlySet<string> {
  return new Set(
    slots.flatMap(({ backend }) => [
      providerId(backend.provider),
      engineId(backend.origin),
      backendId(backend.id),
      keyId(backend.credential.id),
    ]),
  );
}

const providerId = (name: string): string => `provider ${name}`;
const engineId = (origin: string): string => `engine ${origin}`;
const backendId = (id: string): string => `backend ${id}`;
const keyId = (id: string): string => `key ${id}`;

function ofBackend({ backend, state }: Slot): Trouble | undefined {
  const { rest } = state;
  if (rest === undefined) return undefined;
  const id = rest.cause === "down" ? engineId(backend.origin) : backendId(backend.id);
  return { id, event: "failure", name: id, ...factsOf(rest), within: providerId(backend.provider) };
}

function ofKey({ backend: { credential }, keyState }: Slot): Trouble | undefined {
  const { rest } = keyState;
  if (rest?.cause !== "quota" && rest?.cause !== "revoked") return undefined;
  const name = `key ${credential.label} of ${credential.provider}`;
  return { id: keyId(credential.id), event: "key", name, ...factsOf(rest) };
}

const factsOf = ({ detail, sinceMs, untilMs }: Rest) => ({ cause: detail, sinceMs, untilMs });

function ofProvider(name: string, slots: readonly Slot[], nowMs: number): Trouble | undefined {
  const rests: Rest[] = [];
  for (const slot of slots) {
    const rest = blockOf(slot, nowMs);
    if (rest === undefined) return undefined;
    rests.push(rest);
  }
  const details = new Map<string, number>();
  for (const { detail } of rests) details.set(detail, (details.get(detail) ?? 0) + 1);
  const common = [...details].sort(([, a], [, b]) => b - a).slice(0, MOST_CAUSES);
  const cause = common.map(([detail, count]) => (slots.length === 1 ? detail : `${count} × ${detail}`));
  const more = details.size > common.length ? ["and others"] : [];
  return {
    id: providerId(name),
    event: "failure",
    name: `provider ${name}, all of it (${slots.length} ${slots.length === 1 ? "backend" : "backends"})`,
    cause: [...cause, ...more].join(", "),
    sinceMs: Math.max(...rests.map(({ sinceMs }) => sinceMs)),
    untilMs: Math.min(...rests.map(({ untilMs }) => untilMs)),
  };
}

const MOST_CAUSES = 3;

/** The rest for which a slot cannot be used, or has not been proved usable again. */
function blockOf({ state, keyState }: Slot, nowMs: number): Rest | undefined {
  return [state.rest, keyState.rest].find(
    (rest) => rest !== undefined && (needsTrial(rest.cause) || isResting(rest, nowMs)),
  );
}
