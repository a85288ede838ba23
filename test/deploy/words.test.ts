// Words reach a real shell as they are, and lines are split as it would split them.
import { describe, expect, test } from "bun:test";
import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { quoteWord, splitWords } from "../../src/deploy/words.ts";

const SEPARATOR = "\u0001";

/** NUL cannot be in an argument at all. */
const word = oneof(
  string({ unit: "binary" }),
  string({ unit: constantFrom(...Array.from("'\"\\$`!*?[]{}()<>|&;#~ \n\t=%-a")) }),
);

/** What a POSIX shell makes of a script's words, one in each line of hexadecimal. */
function readByShell(script: string): string[] {
  const run = Bun.spawnSync(["sh", "-s"], { stdin: Buffer.from(script) });
  return run.stdout.toString().split(SEPARATOR).slice(0, -1);
}

describe("a quoted word", () => {
  test("is read by a real shell as it was, whatever is in it", () => {
    const words = array(
      word.map((text) => text.replaceAll("\0", "").replaceAll(SEPARATOR, "").toWellFormed()),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    assert(
      property(words, (given) => {
        expect(readByShell(`printf '%s\\001' ${given.map(quoteWord).join(" ")}\n`)).toEqual(given);
      }),
      { numRuns: 60 },
    );
  });

  test("stays bare where nothing in it means anything", () => {
    expect(quoteWord("--model=/data/Qwen3-8B")).toBe("--model=/data/Qwen3-8B");
    expect(quoteWord("")).toBe("''");
    expect(quoteWord("it's $(x)")).toBe(String.raw`'it'\''s $(x)'`);
  });
});

describe("a line of arguments", () => {
  test("is split as a shell does", () => {
    const line = String.raw`--max-model-len 65536  --x='a b' "c \"d\" \n" e\ f '' --json '{"a": 1}'`;
    const split = splitWords(line);
    expect(split).toEqual({ kind: "words", words: readByShell(`printf '%s\\001' ${line}\n`) });
    expect(splitWords("  ")).toEqual({ kind: "words", words: [] });
  });

  test("expands nothing", () => {
    expect(splitWords("$HOME * `x` $(y) ~")).toEqual({
      kind: "words",
      words: ["$HOME", "*", "`x`", "$(y)", "~"],
    });
  });

  test("comes back from its quoted words", () => {
    assert(
      property(array(word), (words) => {
        expect(splitWords(words.map(quoteWord).join(" "))).toEqual({ kind: "words", words });
      }),
    );
  });

  test("that does not end is told", () => {
    expect(splitWords("a 'b")).toEqual({ kind: "flaw", expected: "a closing '" });
    expect(splitWords("a\\")).toMatchObject({ kind: "flaw" });
  });
});
