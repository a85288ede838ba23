// What one option is: a row of the table in options.ts.
import type { Reader } from "./readers.ts";

export interface Option<K extends string = string, V = unknown> {
  /** As in files: section, dot, name. */
  readonly key: K;
  /** The first one that is set counts. */
  readonly variables: readonly string[];
  /** Long name without dashes; a switch needs no value. */
  readonly flag?: { readonly name: string; readonly takes: "value" | "nothing" };
  readonly read: Reader<V>;
  /** As a user would write it; its value comes out of `read`. */
  readonly default: string;
  /** What it decides, and what zero or nothing means. */
  readonly sentence: string;
  /** Whether a reload applies it. */
  readonly change: "live" | "restart";
  /** Its text is never shown. */
  readonly secret: boolean;
}

interface Row<K extends string, V> {
  readonly key: K;
  readonly variables?: readonly string[];
  readonly flag?: string;
  /** The flag needs no value. */
  readonly isSwitch?: true;
  readonly read: Reader<V>;
  readonly default: string;
  readonly sentence: string;
  readonly change?: "restart";
  readonly secret?: true;
}

/** A row with the usual answers filled in: `retry.max` is WEIR_RETRY_MAX, has no flag, and is live. */
export function option<const K extends string, V>(row: Row<K, V>): Option<K, V> {
  const flag =
    row.flag === undefined
      ? undefined
      : ({ name: row.flag, takes: row.isSwitch ? "nothing" : "value" } as const);
  return {
    key: row.key,
    variables: row.variables ?? [`WEIR_${row.key.toUpperCase().replaceAll(".", "_")}`],
    ...(flag === undefined ? {} : { flag }),
    read: row.read,
    default: row.default,
    sentence: row.sentence,
    change: row.change ?? "live",
    secret: row.secret ?? false,
  };
}
