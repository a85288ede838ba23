// Where the readers of one file tell its mistakes: each with its place, none with what may be a key, not without end.
import { shownName, shownValue } from "./masked.ts";
import type { Notes, Problem } from "./problem.ts";
import { describePlace, type Entry, type Node, type Place } from "./tree.ts";
import { MOST_PROBLEMS } from "./tree-limits.ts";

export interface Report {
  /** True once nothing more is taken: then reading on, and looking for near names, is idle. */
  readonly isFull: () => boolean;
  readonly tell: (at: Place, expected: string, found?: string) => void;
  /** Problems that a reader of another kind of source has told, without what it found when that may be a key. */
  readonly forward: (problems: readonly Problem[], found: "shown" | "hidden") => void;
}

export function createReport({ problems }: Notes): Report {
  let told = 0;
  const push = (problem: Problem): void => {
    told += 1;
    if (told <= MOST_PROBLEMS) problems.push(problem);
  };
  return {
    isFull: () => told >= MOST_PROBLEMS,
    tell(at, expected, found) {
      const where = describePlace(at);
      push({ kind: "configuration", where, expected, ...(found === undefined ? {} : { found }) });
    },
    forward(more, found) {
      for (const { kind, where, expected, ...rest } of more)
        push({ kind, where, expected, ...(found === "shown" ? rest : {}) });
    },
  };
}

/** What stands there, for a message. */
export function shownNode(node: Node): string {
  switch (node.kind) {
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "null":
      return "nothing";
    case "boolean":
      return String(node.value);
    case "number":
      return shownValue(node.text);
    case "text":
      return node.written === undefined ? shownValue(node.text) : shownReference(node.written);
  }
}

/** The reference alone tells nothing; text and defaults around it may. */
const shownReference = (written: string): string =>
  /^\s*\$\{\w+\}\s*$/.test(written) ? `what ${written.trim()} holds` : "what a variable holds";

/** Of a key in a map. */
export const shownKey = ({ key }: Entry): string => shownName(key);
