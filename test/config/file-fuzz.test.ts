// Whatever a file holds: a draft or problems, at once, and never an exception. WEIR_FUZZ sets how many are tried.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readOwn } from "./own-format.ts";

const SAMPLE = readFileSync(join(import.meta.dir, "../fixtures/own-format.yaml"), "utf8");
const RUNS = Number(process.env["WEIR_FUZZ"] ?? 2000);

/** Signs that mean something to YAML, and pieces of what files hold. */
const PIECES = [
  ...Array.from("\n\t :-,[]{}&*!|>'\"%@`#?~\\\r\u0000\u0085\u2028\ufeff"),
  "\n  ",
  "\n- ",
  ": ",
  "- ",
  "<<: ",
  "*a",
  "&a ",
  "!!str ",
  "---\n",
  "...\n",
  "? ",
  "|\n",
  ">-\n",
  "\r\n",
  "${",
  "${X}",
  "${X:-",
  "null",
  "true",
  "012",
  "1e999",
  "0x1f",
  ".nan",
  "-1",
  "9".repeat(400),
  "a".repeat(2000),
  "[".repeat(60),
  "{a: ".repeat(60),
  "providers:",
  "api_key: ",
  "__proto__: ",
  "constructor: ",
  "toString: ",
  "limits: {",
  "targets: [",
  "🙂",
  "\ud800",
];

interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
  readonly times: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat({ max: SAMPLE.length }),
  remove: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 200 })),
  insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 12, unit: "binary" })),
  times: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 300 }) }),
});

const mutate = (text: string, changes: readonly Change[]): string => {
  let mutated = text;
  for (const { at, remove, insert, times } of changes)
    mutated = mutated.slice(0, at) + insert.repeat(times) + mutated.slice(at + remove);
  return mutated;
};

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => mutate(SAMPLE, changes)),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join("")),
  },
);

test(
  "a mutated file gives a draft or problems, each with a place in it",
  () => {
    fc.assert(
      fc.property(text, (text) => {
        const { draft, problems } = readOwn(text, { env: { X: "x" } });
        expect(draft !== undefined || problems.length > 0).toBe(true);
        expect(problems.length).toBeLessThan(250);
        const lines = text.split("\n").length;
        for (const problem of problems) {
          const [, line] = /^cannot read weir\.yaml:(\d+):\d+/.exec(problem) ?? [];
          expect(Number(line)).toBeGreaterThan(0);
          expect(Number(line)).toBeLessThanOrEqual(lines);
        }
      }),
      { numRuns: RUNS },
    );
  },
  Math.max(60_000, RUNS * 20),
);
