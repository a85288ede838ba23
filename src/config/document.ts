// The text of a configuration file, YAML 1.2 or JSON, to a tree with the place of every word; for own format and dialects.
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar } from "yaml";
import { looksSecret, shownName } from "./masked.ts";
import { escaped, type Notes } from "./problem.ts";
import { describePlace, type Entry, type Node, type Place } from "./tree.ts";
import { MOST_DEPTH, MOST_NODES, MOST_PROBLEMS } from "./tree-limits.ts";
import { type Flaw, parseYaml } from "./yaml-text.ts";

export interface Source {
  /** For messages. */
  readonly file: string;
}

/**
 * Problems go to the notes. Undefined when nothing can be made of the text: wrong syntax, too large, or empty, for an
 * empty file is one that somebody is just writing. Keys that stand twice, tags and merge keys are told, and the rest of
 * the file is read on, so that all its mistakes are found at once. Never throws.
 */
export function readDocument(text: string, { file }: Source, notes: Notes): Node | undefined {
  const bare = text.replace(/^\ufeff/, "");
  const reading = new Reading(file, bare, notes);
  const { root, flaws } = parseYaml(bare);
  for (const flaw of flaws)
    reading.tell(
      FOREIGN_COMMENT.test(bare.slice(flaw.offset, flaw.offset + 2))
        ? { offset: flaw.offset, expected: A_COMMENT }
        : flaw,
      "",
    );
  if (flaws.length > 0 && root === undefined) return undefined;
  const node = root === undefined ? undefined : reading.nodeOf(root, "", 0);
  if (reading.isTooLarge || reading.hasForeignComment) return undefined;
  if (node !== undefined && node.kind !== "null") return node;
  reading.tell({ offset: 0, expected: "settings", found: "an empty file" }, "");
  return undefined;
}

/** YAML takes them for text, and what follows them in `{}` for a part of it. */
const FOREIGN_COMMENT = /^(\/\/|\/\*)/;
const A_COMMENT = "# at the beginning of a comment";

/** One file on its way: bounds, anchors, and where its lines begin. */
class Reading {
  isTooLarge = false;
  hasForeignComment = false;
  readonly #file: string;
  readonly #notes: Notes;
  readonly #lineStarts: readonly number[];
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;
  #told = 0;

  constructor(file: string, text: string, notes: Notes) {
    this.#file = file;
    this.#notes = notes;
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  }

  tell({ offset, expected, found }: Flaw, path: string): void {
    this.#told += 1;
    if (this.#told > MOST_PROBLEMS) return;
    const where = describePlace(this.#place(offset, path));
    this.#notes.problems.push({
      kind: "configuration",
      where,
      expected,
      ...(found === undefined ? {} : { found }),
    });
  }

  nodeOf(parsed: ParsedNode, path: string, depth: number): Node {
    const at = this.#place(parsed.range[0], path);
    const nothing: Node = { kind: "null", at };
    if (!this.#hasRoom(parsed.range[0], depth)) return nothing;
    if (isAlias(parsed)) return this.#repeat(parsed, path, depth);
    const node = this.#fresh(parsed, at, depth);
    if (parsed.anchor !== undefined) this.#anchors.set(parsed.anchor, node);
    return node;
  }

  #fresh(parsed: ParsedNode, at: Place, depth: number): Node {
    if (isScalar(parsed)) return scalarOf(parsed, at);
    if (isSeq<ParsedNode>(parsed)) {
      const items = parsed.items.map((item, index) => this.nodeOf(item, `${at.path}[${index}]`, depth + 1));
      return { kind: "list", at, items };
    }
    return { kind: "map", at, entries: isMap(parsed) ? this.#entriesOf(parsed.items, at, depth) : [] };
  }

  #entriesOf(pairs: readonly unknown[], at: Place, depth: number): Entry[] {
    const entries = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of pairs as readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[]) {
      const offset = pair.key.range[0];
      const key = keyOf(pair.key);
      if (key === undefined) {
        this.tell({ offset, expected: "a name before the colon" }, at.path);
        continue;
      }
      if (FOREIGN_COMMENT.test(key) && (pair.key as Scalar).type === "PLAIN") {
        this.hasForeignComment = true;
        this.tell({ offset, expected: A_COMMENT }, "");
        continue;
      }
      const path = joinPath(at.path, key);
      const keyAt = this.#place(offset, path);
      if (key === "<<" && (pair.key as Scalar).type === "PLAIN") {
        if (pair.value !== null) merged.push(...this.#mergedBy(pair.value, at, depth));
        continue;
      }
      const first = entries.get(key);
      // The second one's value is read as well, for the mistakes in it.
      const value: Node =
        pair.value === null ? { kind: "null", at: keyAt } : this.nodeOf(pair.value, path, depth + 1);
      if (first === undefined) entries.set(key, { key, keyAt, value });
      else {
        const expected = `every key once (it stands in line ${first.keyAt.line} too)`;
        this.tell({ offset, expected, found: shownName(key) }, path);
      }
    }
    // The map's own keys stand before merged ones, and earlier merged ones before later.
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    return [...entries.values()];
  }

  /** YAML 1.1's `<<`, which other systems' readers take: the keys of a map, or of several, as if they stood here. */
  #mergedBy(value: ParsedNode, at: Place, depth: number): readonly Entry[] {
    const node = this.nodeOf(value, at.path, depth);
    const maps = node.kind === "list" ? node.items : [node];
    return maps.flatMap((map) => {
      if (map.kind === "map") return map.entries;
      this.tell({ offset: value.range[0], expected: "a map, or a list of maps, after <<" }, at.path);
      return [];
    });
  }

  /** What `*name` stands for, with the path of the reference. */
  #repeat(alias: ParsedNode, path: string, depth: number): Node {
    const name = isAlias(alias) ? alias.source : "";
    const meant = this.#anchors.get(name);
    const at = this.#place(alias.range[0], path);
    if (meant !== undefined) return this.#copy(meant, { from: meant.at.path.length, to: path }, depth);
    this.tell(
      { offset: alias.range[0], expected: "a reference (*name) to an anchor (&name) above it" },
      path,
    );
    return { kind: "null", at };
  }

  #copy(node: Node, paths: { readonly from: number; readonly to: string }, depth: number): Node {
    const moved = (place: Place): Place => ({ ...place, path: paths.to + place.path.slice(paths.from) });
    const at = moved(node.at);
    if (!this.#hasRoom(0, depth)) return { kind: "null", at };
    if (node.kind === "list")
      return { kind: "list", at, items: node.items.map((item) => this.#copy(item, paths, depth + 1)) };
    if (node.kind !== "map") return { ...node, at };
    const entries = node.entries.map(({ key, keyAt, value }) => ({
      key,
      keyAt: moved(keyAt),
      value: this.#copy(value, paths, depth + 1),
    }));
    return { kind: "map", at, entries };
  }

  #hasRoom(offset: number, depth: number): boolean {
    this.#nodes += 1;
    if (this.isTooLarge) return false;
    const expected =
      depth > MOST_DEPTH
        ? `at most ${MOST_DEPTH} maps and lists within each other`
        : `at most ${MOST_NODES} values, those repeated by * included`;
    if (depth <= MOST_DEPTH && this.#nodes <= MOST_NODES) return true;
    this.isTooLarge = true;
    this.tell({ offset, expected }, "");
    return false;
  }

  #place(offset: number, path: string): Place {
    const starts = this.#lineStarts;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.#file, line: low + 1, column: offset - (starts[low] ?? 0) + 1, path };
  }
}

const NUMBER = /^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$|^0x[\da-f]+$|^0o[0-7]+$/i;

function scalarOf(scalar: Scalar, at: Place): Node {
  const { value, source } = scalar;
  if (value === null || value === undefined) return { kind: "null", at };
  if (typeof value === "boolean") return { kind: "boolean", at, value };
  const written = source ?? (typeof value === "string" ? value : "");
  if (typeof value === "number" && Number.isFinite(value) && NUMBER.test(written))
    return { kind: "number", at, value, text: written };
  return { kind: "text", at, text: typeof value === "string" ? value : written };
}

/** As written: `0123:` is the key "0123", `no:` is "no". */
function keyOf(key: ParsedNode): string | undefined {
  if (!isScalar(key)) return undefined;
  const name = typeof key.value === "string" ? key.value : (key.source ?? "");
  return name === "" ? undefined : name;
}

const PLAIN_NAME = /^[\w-]+$/;
const LONGEST_NAME = 60;

/** A key that somebody put before a colon is not shown in the paths below it. */
function joinPath(path: string, key: string): string {
  const name = looksSecret(key) || key.length > LONGEST_NAME ? "***" : key;
  const dot = path === "" ? "" : ".";
  return PLAIN_NAME.test(name)
    ? `${path}${dot}${name}`
    : `${path}["${escaped(name).replaceAll('"', '\\"')}"]`;
}
