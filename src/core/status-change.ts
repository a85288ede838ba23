// What changed between two views of the same pool, for pushing: a thousand backends must not be sent whole every second.
// The sender makes messages with diffStatus, the receiver puts them together with applyStatus.
import type {
  BackendStatus,
  InstanceStatus,
  KeyStatus,
  ModelStatus,
  ProviderStatus,
  StatusView,
  TotalStatus,
} from "./status.ts";

/** The data of a `status` event of `/api/events`. The first one is whole; so is each after the pool has changed. */
export type StatusMessage =
  | { readonly kind: "whole"; readonly view: StatusView }
  | { readonly kind: "change"; readonly change: StatusChange };

/** Only fields that changed; a changed object or list comes whole. Failures come as events of their own. */
export interface StatusChange {
  readonly instance: Partial<InstanceStatus>;
  readonly totals: Partial<TotalStatus>;
  /** Rows by their `name` or `id`, with their changed fields; rows that did not change are left out. */
  readonly providers: Rows<ProviderStatus>;
  readonly models: Rows<ModelStatus>;
  readonly backends: Rows<BackendStatus>;
  readonly keys: Rows<KeyStatus>;
}

type Rows<T> = Readonly<Record<string, Partial<T>>>;

/** A change when both views have the same rows in the same order, else the whole view. */
export function diffStatus(before: StatusView, after: StatusView): StatusMessage {
  const providers = diffRows(before.providers, after.providers, nameOf);
  const models = diffRows(before.models, after.models, nameOf);
  const backends = diffRows(before.backends, after.backends, idOf);
  const keys = diffRows(before.keys, after.keys, idOf);
  if (providers === undefined || models === undefined || backends === undefined || keys === undefined)
    return { kind: "whole", view: after };
  const instance = diffFields(before.instance, after.instance);
  const totals = diffFields(before.totals, after.totals);
  return { kind: "change", change: { instance, totals, providers, models, backends, keys } };
}

/** The view after the message; undefined for a change to nothing. Rows that did not change stay the same objects. */
export function applyStatus(before: StatusView | undefined, message: StatusMessage): StatusView | undefined {
  if (message.kind === "whole") return message.view;
  if (before === undefined) return undefined;
  const { change } = message;
  return {
    instance: { ...before.instance, ...change.instance },
    totals: { ...before.totals, ...change.totals },
    providers: applyRows(before.providers, change.providers, nameOf),
    models: applyRows(before.models, change.models, nameOf),
    backends: applyRows(before.backends, change.backends, idOf),
    keys: applyRows(before.keys, change.keys, idOf),
    failures: before.failures,
  };
}

const nameOf = ({ name }: { readonly name: string }): string => name;
const idOf = ({ id }: { readonly id: string }): string => id;

function applyRows<T extends object>(
  rows: readonly T[],
  changes: Rows<T>,
  keyOf: (row: T) => string,
): readonly T[] {
  return rows.map((row) => {
    const key = keyOf(row);
    return Object.hasOwn(changes, key) ? { ...row, ...changes[key] } : row;
  });
}

/** Undefined when the rows are not the same ones. */
function diffRows<T extends object>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (row: T) => string,
): Rows<T> | undefined {
  if (before.length !== after.length) return undefined;
  const changes: [string, Partial<T>][] = [];
  for (let at = 0; at < after.length; at += 1) {
    const [old, now] = [before[at], after[at]];
    if (old === undefined || now === undefined || keyOf(old) !== keyOf(now)) return undefined;
    const change = diffFields(old, now);
    for (const _ in change) {
      changes.push([keyOf(now), change]);
      break;
    }
  }
  return Object.fromEntries(changes);
}

function diffFields<T extends object>(before: T, after: T): Partial<T> {
  const changed: Partial<T> = {};
  for (const field in after) if (!isSame(before[field], after[field])) changed[field] = after[field];
  return changed;
}

/** Plain values all the way down. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const entries = Object.entries(a);
  if (entries.length !== Object.keys(b).length) return false;
  return entries.every(
    ([key, value]) => Object.hasOwn(b, key) && isSame(value, (b as Record<string, unknown>)[key]),
  );
}
