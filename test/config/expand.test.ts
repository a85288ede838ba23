import { describe, expect, test } from "bun:test";
import { readDocument } from "../../src/config/document.ts";
import { expandText, expandTree } from "../../src/config/expand.ts";
import { createNotes, formatProblem } from "../../src/config/problem.ts";
import { valueAt } from "../../src/config/tree.ts";
import { variablesOf } from "./own-format.ts";

const variables = variablesOf({ A: "one", B: "two", EMPTY: "", ODD: "${A} $& $1" });

describe("a text with references", () => {
  test.each([
    ["${A}", "one"],
    ["x ${A}-${B} y", "x one-two y"],
    ["${A}${A}", "oneone"],
    ["${EMPTY}", ""],
    ["${NONE:-three}", "three"],
    ["${NONE:-}", ""],
    ["${EMPTY:-three}", "three"],
    ["${A:-three}", "one"],
    ["${NONE:-a:-b c/d?}", "a:-b c/d?"],
    ["$${A}", "${A}"],
    ["$${A} ${A}", "${A} one"],
    ["${ODD}", "${A} $& $1"],
    ["$A $ {A} $", "$A $ {A} $"],
  ])("%j becomes %j", (text, expanded) => {
    expect(expandText(text, variables)).toMatchObject({ kind: "expanded", text: expanded });
  });

  test.each(["${", "${}", "${A", "${1A}", "${A-b}", "${A:?b}", "${ A }", "${A.b}", "a ${A} ${"])(
    "%j is no reference, and is told",
    (text) => {
      const expected = "a reference such as ${NAME} or ${NAME:-default}; $${ stands for ${ itself";
      expect(expandText(text, variables)).toEqual({ kind: "flaw", expected });
    },
  );

  test("may have no reference within a default", () => {
    expect(expandText("${NONE:-${A}}", variables)).toMatchObject({ kind: "flaw" });
  });

  test("names every variable that is not set, once", () => {
    expect(expandText("${X} ${Y} ${A} ${X}", variables)).toEqual({ kind: "unset", names: ["X", "Y"] });
  });
});

describe("a tree with references", () => {
  const expand = (text: string) => {
    const notes = createNotes();
    const root = readDocument(text, { file: "f" }, notes)!;
    return { root: expandTree(root, variables, notes), problems: notes.problems.map(formatProblem) };
  };

  test("is expanded in values, and not in keys", () => {
    const { root, problems } = expand('"${A}": { list: ["${B}", plain, 1] }');
    expect(problems).toEqual([]);
    const list = valueAt(valueAt(root, "${A}"), "list");
    expect(list?.kind === "list" ? list.items : []).toMatchObject([
      { kind: "text", text: "two", written: "${B}" },
      { kind: "text", text: "plain" },
      { kind: "number", text: "1" },
    ]);
  });

  test("marks what was written only where it was a reference", () => {
    const { root } = expand("a: plain\nb: ${A}");
    expect(valueAt(root, "a")).not.toHaveProperty("written");
    expect(valueAt(root, "b")).toMatchObject({ written: "${A}" });
  });

  test("tells each unset name with its place", () => {
    expect(expand('a: "${X}"\nb:\n  - c ${Y} d\ne: ${Z:-}').problems).toEqual([
      "cannot read f:1:4 a: expected a value for X in the environment, or a default such as ${X:-default}, found it unset",
      "cannot read f:3:5 b[0]: expected a value for Y in the environment, or a default such as ${Y:-default}, found it unset",
    ]);
  });

  test("does not grow without measure", () => {
    const notes = createNotes();
    const root = readDocument(`[${'"${A}${A}${A}${A}",'.repeat(200)}]`, { file: "f" }, notes)!;
    expandTree(root, variablesOf({ A: "x".repeat(100_000) }), notes);
    expect(notes.problems[0]?.expected).toBe("less text from variables than fits into two files");
  });
});
