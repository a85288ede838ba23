import { describe, expect, test } from "bun:test";
import { readDocument } from "../../src/config/document.ts";
import { createNotes, formatProblem } from "../../src/config/problem.ts";
import { describePlace, type Node, valueAt } from "../../src/config/tree.ts";

function read(text: string): { readonly root: Node | undefined; readonly problems: readonly string[] } {
  const notes = createNotes();
  const root = readDocument(text, { file: "f" }, notes);
  return {
    root,
    problems: notes.problems.map((problem) => formatProblem(problem).replace("cannot read ", "")),
  };
}

function good(text: string): Node {
  const { root, problems } = read(text);
  if (root !== undefined && problems.length === 0) return root;
  throw new Error(`not a document: ${problems.join("\n")}`);
}

/** A tree without its places: texts as texts, numbers with what was written. */
function plain(node: Node | undefined): unknown {
  switch (node?.kind) {
    case undefined:
      return undefined;
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
    case "list":
      return node.items.map(plain);
    case "text":
      return node.text;
    case "number":
      return { number: node.value, text: node.text };
    case "boolean":
      return node.value;
    case "null":
      return null;
  }
}

const places = (node: Node): string[] => {
  const own = describePlace(node.at);
  if (node.kind === "list") return [own, ...node.items.flatMap(places)];
  if (node.kind !== "map") return [own];
  return [
    own,
    ...node.entries.flatMap(({ keyAt, value }) => [`key ${describePlace(keyAt)}`, ...places(value)]),
  ];
};

describe("a document", () => {
  test("has the line and column of every key and value", () => {
    expect(places(good('server:\n  port: 8080\nlist:\n  - a\n  - { b: "c" }\n'))).toEqual([
      "f:1:1",
      "key f:1:1 server",
      "f:2:3 server",
      "key f:2:3 server.port",
      "f:2:9 server.port",
      "key f:3:1 list",
      "f:4:3 list",
      "f:4:5 list[0]",
      "f:5:5 list[1]",
      "key f:5:7 list[1].b",
      "f:5:10 list[1].b",
    ]);
  });

  test("has the same lines with Windows line ends and a byte order mark", () => {
    const text = "a:\n  b: 1\n# note\nc: [x,\n  y]\n";
    expect(places(good(`\ufeff${text.replaceAll("\n", "\r\n")}`))).toEqual(places(good(text)));
  });

  test("may be JSON, with # comments", () => {
    const json = '{\n  # ours\n  "a": [1, true, null, "x"], # more\n  "b": {}\n}';
    expect(plain(good(json))).toEqual({ a: [{ number: 1, text: "1" }, true, null, "x"], b: {} });
  });

  test("writes keys with odd characters in quotes in its paths", () => {
    expect(places(good('"qwen/*": { "a b": 1 }')).at(-1)).toBe('f:1:20 ["qwen/*"]["a b"]');
  });

  test.each([
    ["012", { number: 12, text: "012" }],
    ["0123456789012345678901", { number: 123456789012345680000, text: "0123456789012345678901" }],
    ["1e3", { number: 1000, text: "1e3" }],
    [".5", { number: 0.5, text: ".5" }],
    ["0x10", { number: 16, text: "0x10" }],
    ["1_000", "1_000"],
    ["1:30", "1:30"],
    ["~", null],
    ["null", null],
    ["", null],
    ["no", "no"],
    ["yes", "yes"],
    ["on", "on"],
    ["true", true],
    ["False", false],
    ['"true"', "true"],
    ["2024-10-21", "2024-10-21"],
    [".inf", ".inf"],
    ["1e999", "1e999"],
    ["127.0.0.1", "127.0.0.1"],
    ["http://a:1/b#c", "http://a:1/b#c"],
    ["a # b", "a"],
    ["sk-a#b", "sk-a#b"],
    ["'it''s'", "it's"],
    ["|\n  x\n  y", "x\ny\n"],
    [">-\n  x\n  y", "x y"],
    ["x\n  y", "x y"],
  ])("reads the value %j as %j", (text, value) => {
    expect(plain(good(`k: ${text}\n`))).toEqual({ k: value });
  });

  test("keeps keys as they are written", () => {
    expect(plain(good("012: a\nno: b\n1.5: c\nnull: d\n'': \n".replace("'': \n", "")))).toEqual({
      "012": "a",
      no: "b",
      "1.5": "c",
      null: "d",
    });
  });

  test("gives an alias the place of what it stands for and the path where it stands", () => {
    const root = good("a: &x { b: 1 }\nc:\n  - *x\n");
    expect(places(root).slice(-2)).toEqual(["key f:1:9 c[0].b", "f:1:12 c[0].b"]);
    expect(plain(valueAt(root, "c"))).toEqual([{ b: { number: 1, text: "1" } }]);
  });

  test("takes the latest anchor of a name, also inside of what is repeated", () => {
    const root = good("a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\ne: *x\n");
    expect(plain(valueAt(root, "d"))).toEqual([{ number: 1, text: "1" }]);
    expect(plain(valueAt(root, "e"))).toEqual({ number: 2, text: "2" });
  });
});

describe("what is wrong in a document", () => {
  test.each([
    ["", "f:1:1: expected settings, found an empty file"],
    ["# only a note\n", "f:1:1: expected settings, found an empty file"],
    ["---\n...\n", "f:1:1: expected settings, found an empty file"],
    ["a: 1\nb:\n\tc: 2\n", "f:3:1: expected blanks for indentation, not tabs"],
    ["a: b: c\n", 'f:1:4: expected one key a line, and quotes around text with ": " in it'],
    ["a: [1, 2\n", "f:2:1: expected a closing ] for the list that begins above, not less indented than it"],
    [
      "x: 1\na: {b: 1\nc: 2\n",
      "f:3:1: expected a closing } for the map that begins above, not less indented than it",
    ],
    ['x: 1\na: "b\nc: 2\n', 'f:2:4: expected a closing " for the text that begins here'],
    ["a: 'b", "f:1:4: expected a closing ' for the text that begins here"],
    ["a: @b", "f:1:4: expected quotes around text that begins with this character"],
    ["a:\n  b: 1\n c: 2", "f:3:1: expected the indentation of the lines that belong together"],
    [
      'a: "\\q"',
      "f:1:5: expected two backslashes for one, or single quotes: what follows this one is no escape",
    ],
    ["a: 1\nb\n", "f:2:1: expected a colon after the key, and a blank after the colon"],
    ["a: 1\n---\nb: 2\n", "f:2:1: expected one document, without a further --- line"],
    ["{\n  // ours\n  a: b,\n}", "f:2:3: expected # at the beginning of a comment"],
    ["{ a: b, /* ours */ c: d }", "f:1:9: expected # at the beginning of a comment"],
    ["{ a: [b], c: [d] // ours\n}", "f:1:18: expected # at the beginning of a comment"],
    ["a: ]", "f:1:4: expected no ] without its ["],
    ["- a\nb: 1", "f:2:1: expected a key with a colon, a value, or a list item, each on a line of its own"],
    ["[1, , 2]", "f:1:5: expected a value before the comma"],
    ["a: *x", "f:1:4 a: expected a reference (*name) to an anchor (&name) above it"],
    ["a: &x [*x]", "f:1:8 a[0]: expected a reference (*name) to an anchor (&name) above it"],
    ["a: !!str b", "f:1:4: expected a value without a tag (!): the place tells its type"],
    ["a: !env {b: 1}", "f:1:4: expected a value without a tag (!): the place tells its type"],
    ["b: {<<: text}", "f:1:9 b: expected a map, or a list of maps, after <<"],
    ["? [a]\n: b", "f:1:3: expected a name before the colon"],
    ['"": b', "f:1:1: expected a name before the colon"],
  ])("%j is told as %s", (text, problem) => {
    expect(read(text).problems).toEqual([problem]);
  });

  test("is a key that stands twice, at the second one, and the rest is read all the same", () => {
    const { root, problems } = read("a: 1\nb: {c: 1, c: [*z]}\na: 2\nd: 3\n");
    expect(problems).toEqual([
      "f:2:15 b.c[0]: expected a reference (*name) to an anchor (&name) above it",
      'f:2:11 b.c: expected every key once (it stands in line 2 too), found "c"',
      'f:3:1 a: expected every key once (it stands in line 1 too), found "a"',
    ]);
    expect(plain(root)).toMatchObject({ a: { text: "1" }, d: { text: "3" } });
  });

  test("never shows the text around it", () => {
    const key = "sk-proj-Zq8RkXw2Vb7YtJ4mNc6L";
    const wrong = [
      `a: "${key}`,
      `a: ${key}: b`,
      key,
      `a: [${key}`,
      `"${key}": 1\n"${key}": 2`,
      `&${key} *${key}`,
    ];
    for (const text of [
      ...wrong,
      `a: *${key}`,
      `a: !${key} b`,
      `%${key}\n---\na: 1`,
      `a: "\\${key}"`,
      `a: | ${key}\n b`,
    ])
      expect(read(text).problems.join("\n")).not.toContain(key.slice(3, 12));
  });
});

const repeat = (text: string, times: number) => text.repeat(times);
const nodesBelow = (node: Node): number =>
  node.kind === "list"
    ? node.items.reduce((sum, item) => sum + nodesBelow(item), 1)
    : node.kind === "map"
      ? node.entries.reduce((sum, { value }) => sum + nodesBelow(value), 1)
      : 1;

describe("a document without measure", () => {
  test.each([
    ["brackets", repeat("[", 1_000_000), "within each other"],
    ["list items", repeat("- ", 500_000), "within each other"],
    ["keys on one line", repeat("a: ", 300_000), "within each other"],
    ["braces", repeat("{a: ", 250_000), "within each other"],
    ["lines", repeat("x: 1\n", 200_000), "at most 20000 values"],
    ["items", `[${repeat("a,", 490_000)}]`, "at most 20000 values"],
    ["comments", repeat("#\n", 500_000), "at most 20000 values"],
    ["tags", repeat("!a ", 300_000), "at most 20000 values"],
    ["anchors", repeat("&a ", 300_000), "at most 20000 values"],
    ["documents", repeat("---\n", 250_000), "at most 20000 values"],
    ["characters", `a: ${repeat("x", 1_100_000)}`, "at most 1048576 characters, found 1100003"],
  ])("of %s is refused", (_, text, expected) => {
    const { root, problems } = read(text);
    expect(root).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test("made of aliases is refused, small as its text is", () => {
    const names = Array.from("abcdefghijklmno");
    const lines = names.map(
      (name, at) => `${name}: &${name} [${repeat(`*${names[at - 1] ?? ""}, `, at === 0 ? 0 : 9)}x]`,
    );
    const { root, problems } = read(lines.join("\n"));
    expect(root).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("those repeated by * included");
  });

  test("made of aliases within bounds is read", () => {
    const root = good(`a: &a [${repeat("x,", 99)}x]\nb: [${repeat("*a,", 99)}*a]`);
    expect(nodesBelow(root)).toBe(1 + 101 + 1 + 100 * 101);
  });

  test("has no more problems than somebody would read", () => {
    expect(read(repeat("a: 1\n", 5000)).problems).toHaveLength(100);
    expect(read(repeat("a: {\n", 40)).problems.length).toBeLessThanOrEqual(10);
  });
});

test("merge keys stand for the keys of their maps, own ones first, and quoted ones are names", () => {
  const text = "base: &base { a: x, b: y }\nmore: &more { c: z, a: w }\n";
  expect(plain(valueAt(good(`${text}one: { <<: *base, b: own }`), "one"))).toEqual({ b: "own", a: "x" });
  expect(plain(valueAt(good(`${text}two: { <<: [*base, *more] }`), "two"))).toEqual({
    a: "x",
    b: "y",
    c: "z",
  });
  expect(plain(good('"<<": text'))).toEqual({ "<<": "text" });
  const merged = valueAt(valueAt(good(`${text}one: { <<: *base }`), "one"), "a");
  expect(merged === undefined ? "" : describePlace(merged.at)).toEndWith(" one.a");
});
