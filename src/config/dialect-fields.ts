// Reads the fields of foreign files by tables of their keys: what is used, what is said of the rest, what is refused.
import { matchesPattern } from "../core/backend.ts";
import { maskSecret, Secret } from "../core/credential.ts";
import { type Notes, quoted } from "./problem.ts";
import { token } from "./readers.ts";
import type { Given } from "./resolve-options.ts";
import { describePlace, type Entry, type ListNode, type MapNode, type Node, type Place } from "./tree.ts";

/** `used`; else a sentence about the key, for a warning, or what is expected in its place, for a problem. */
export type KeyRule = "used" | { readonly said: string } | { readonly refused: string };

/** By key or pattern (`cache*`); the first that fits counts. */
export type KeyRules = readonly (readonly [keys: string, rule: KeyRule])[];

/** What is meant, and where it stands. */
export interface Placed<V> {
  readonly value: V;
  readonly at: Place;
}

/** Turns a text into what it refers to; undefined after telling why not. */
export type Resolve = (text: string, at: Place) => string | undefined;

export class FieldReader {
  readonly notes: Notes;
  readonly #resolve: Resolve;
  readonly #said = new Set<string>();
  readonly #refused = new Map<string, Set<string>>();

  constructor(notes: Notes, resolve: Resolve = (text) => text) {
    this.notes = notes;
    this.#resolve = resolve;
  }

  /** Once for each key, whichever row it stands in. */
  warn(at: Place, sentence: string): void {
    const kind = `${at.path.replaceAll(/\[\d+\]/g, "")} ${sentence}`;
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    this.notes.warnings.push(`${describePlace(at)} ${sentence}`);
  }

  refuse(at: Place, expected: string, found?: string): undefined {
    const where = describePlace(at);
    // A field that two settings read is told once.
    if (this.#refused.get(where)?.has(expected) === true) return undefined;
    this.#refused.set(where, (this.#refused.get(where) ?? new Set()).add(expected));
    const problem = { kind: "configuration", where, expected } as const;
    this.notes.problems.push(found === undefined ? problem : { ...problem, found });
    return undefined;
  }

  /** True where something was told to be wrong: what follows from it is not worth a second problem. */
  isRefused(node: Node): boolean {
    return (node.kind === "text" && node.isBroken === true) || this.#refused.has(describePlace(node.at));
  }

  /** Keys that ask for nothing (null, false, 0, empty) are passed over. */
  checkKeys(map: MapNode, rules: KeyRules, otherwise: string): void {
    for (const entry of map.entries) {
      const rule = rules.find(([keys]) => fits(keys, entry.key))?.[1] ?? { said: otherwise };
      if (rule === "used" || asksForNothing(entry.value)) continue;
      if ("said" in rule) this.warn(entry.keyAt, rule.said);
      else this.refuse(entry.keyAt, rule.refused, "this key");
    }
  }

  map(node: Node | undefined): MapNode | undefined {
    if (node === undefined || node.kind === "map") return node;
    return node.kind === "null" ? undefined : this.#refuseKind(node, "a map of keys and values");
  }

  /** A single value counts as a list of one. */
  items(node: Node | undefined): readonly Node[] {
    if (node === undefined || node.kind === "null") return [];
    return node.kind === "list" ? node.items : [node];
  }

  list(node: Node | undefined): ListNode | undefined {
    if (node === undefined || node.kind === "list") return node;
    return node.kind === "null" ? undefined : this.#refuseKind(node, "a list");
  }

  text(node: Node | undefined): string | undefined {
    if (node === undefined || node.kind === "null") return undefined;
    if (node.kind === "number") return node.text;
    if (node.kind !== "text") return this.#refuseKind(node, "text");
    if (node.isBroken === true) return undefined;
    const text = this.#resolve(node.text, node.at)?.trim();
    return text === "" ? undefined : text;
  }

  texts(node: Node | undefined): readonly string[] {
    return this.items(node).flatMap((item) => this.text(item) ?? []);
  }

  placed(node: Node | undefined): Placed<string> | undefined {
    const value = this.text(node);
    return node === undefined || value === undefined ? undefined : { value, at: node.at };
  }

  secret(node: Node | undefined): Secret | undefined {
    const text = this.text(node);
    if (node === undefined || text === undefined) return undefined;
    const reading = token(text);
    if (reading.kind === "value") return reading.value;
    return this.refuse(node.at, reading.expected, maskSecret(new Secret(text)));
  }

  /** Numbers in quotes count too, and `80_000`: other systems' parsers take them. */
  number(node: Node | undefined, least = 0): number | undefined {
    const text = this.text(node);
    if (node === undefined || text === undefined) return undefined;
    const value =
      node.kind === "number" ? node.value : Number(GROUPED.test(text) ? text.replaceAll("_", "") : text);
    if (value >= least && value <= Number.MAX_SAFE_INTEGER) return value;
    return this.refuse(node.at, `a number, ${least} or more`, shown(node));
  }

  boolean(node: Node | undefined): boolean | undefined {
    if (node === undefined || node.kind === "null") return undefined;
    if (node.kind === "boolean") return node.value;
    const text = this.text(node);
    if (text === undefined) return undefined;
    if (ON.test(text) || OFF.test(text)) return ON.test(text);
    return this.#refuseKind(node, "true or false");
  }

  #refuseKind(node: Node, expected: string): undefined {
    return this.refuse(node.at, expected, shown(node));
  }
}

/** YAML 1.1, which PyYAML and Go's yaml.v3 read: https://yaml.org/type/int.html and https://yaml.org/type/bool.html. */
const GROUPED = /^[-+]?\d[\d_]*(\.[\d_]*)?$/;
const ON = /^(true|yes|on)$/i;
const OFF = /^(false|no|off)$/i;

/** As written: never what a variable holds. */
function shown(node: Node): string {
  if (node.kind === "number") return node.text;
  return node.kind === "text" ? quoted(node.written ?? node.text) : `a ${node.kind}`;
}

const fits = (keys: string, key: string): boolean =>
  keys.split(" ").some((pattern) => matchesPattern(pattern, key));

function asksForNothing(node: Node): boolean {
  switch (node.kind) {
    case "null":
      return true;
    case "boolean":
      return !node.value;
    case "text":
      return node.text === "" || OFF.test(node.text);
    case "list":
      return node.items.length === 0;
    case "map":
      return node.entries.length === 0;
    case "number":
      return node.value === 0;
  }
}

/** A number of seconds as an option has it. */
export const inSeconds = (node: Node, seconds: number): Given => ({
  text: `${seconds}s`,
  where: describePlace(node.at),
});

export const given = ({ value, at }: Placed<string>): Given => ({ text: value, where: describePlace(at) });

/** What the system does when its file says nothing of it. */
export const implied = (text: string, where: string): Given => ({ text, where, isImplied: true });

/** Entries of a map, or none of anything else. */
export const entriesOf = (node: Node | undefined): readonly Entry[] =>
  node?.kind === "map" ? node.entries : [];
