// A user's own strategy is loaded from its file, by the compiled binary too, or it is said what is wrong with it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCustomStrategy } from "../../src/config/custom-strategy.ts";
import type { Candidate } from "../../src/core/strategy-custom.ts";
import { FLAGS } from "../support/build.ts";
import { readmeBlock } from "../support/readme.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weir custom #1 "));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}

const request = { model: "m", nowMs: 0, random: () => 0 };

async function load(path: string) {
  const file = await loadCustomStrategy(path, folder);
  if (file.kind === "unread") throw new Error(`${file.expected}; ${file.found}`);
  return file;
}

async function problemOf(path: string): Promise<string> {
  const file = await loadCustomStrategy(path, folder);
  return file.kind === "unread" ? `${file.expected}; ${file.found}` : "none";
}

const TYPED = `
import { choose } from "./other.ts";
interface Candidate { readonly id: string; readonly inFlight: number }
enum Place { Last = 1 }
export default function pick(candidates: readonly Candidate[]): number { return choose(Place.Last) }
`;

describe("a custom strategy's file", () => {
  test("is TypeScript with what it imports, or JavaScript, found from the given folder", async () => {
    write("other.ts", "export const choose = (at: number): number => at + 4;");
    expect((await load(write("typed.ts", TYPED))).createPick()([], request)).toBe(5);
    expect((await load(write("plain.js", "export default () => 'id';"))).createPick()([], request)).toBe(
      "id",
    );
    const { path } = await load("plain.js");
    expect(path).toBe(join(folder, "plain.js"));
  });

  test("may be the one that the README shows", async () => {
    const pick = (await load(write("readme.ts", readmeBlock("## Which backend", "ts")))).createPick();
    const rows = [
      { id: "light", inFlight: 2, weight: 1 },
      { id: "heavy", inFlight: 3, weight: 4 },
    ];
    expect(pick(rows as readonly unknown[] as readonly Candidate[], request)).toBe("heavy");
  });

  test("may make one pick for each route", async () => {
    const path = write(
      "counting.ts",
      "export function createPick() { let count = 0; return () => { count += 1; return count; }; }",
    );
    const { createPick } = await load(path);
    const [one, two] = [createPick(), createPick()];
    expect([one([], request), one([], request), two([], request)]).toEqual([1, 2, 1]);
  });

  test("is loaded anew when it has changed, and is the same while it has not", async () => {
    const text = (answer: number) => `export const made = {}; export default () => ${answer};`;
    const before = (await load(write("changing.ts", text(1)))).createPick();
    const same = (await load("changing.ts")).createPick();
    const after = (await load(write("changing.ts", text(2)))).createPick();
    expect(same).toBe(before);
    expect([before([], request), after([], request)]).toEqual([1, 2]);
  });

  test("that cannot be used is a problem that says why", async () => {
    const wrong: readonly (readonly [string, string | undefined, RegExp])[] = [
      ["missing.ts", undefined, /file that loads; "missing.ts": no such file/],
      ["syntax.ts", "\nexport default function (", /file that loads; "syntax.ts": .+ \(line \d+\)/],
      ["throws.ts", "throw new Error('not today');", /file that loads; "throws.ts": not today/],
      ["import.ts", "import './nowhere.ts';", /file that loads; "import.ts": .*nowhere/],
      ["empty.ts", "export {};", /by default, or a function createPick; "empty.ts": default is undefined/],
      ["text.txt", "hello", /by default, or a function createPick; "text.txt": default is string/],
      ["maker.ts", "export const createPick = 5;", /createPick is a function; "maker.ts": it is number/],
      ["made.ts", "export const createPick = () => 5;", /returns a function; "made.ts": it returns number/],
      [
        "makes.ts",
        "export const createPick = () => { throw new Error('no'); };",
        /a function; "makes.ts": no/,
      ],
    ];
    for (const [name, text, message] of wrong) {
      if (text !== undefined) write(name, text);
      expect(await problemOf(name)).toMatch(message);
    }
    mkdirSync(join(folder, "folder.ts"));
    expect(await problemOf("folder.ts")).toContain('"folder.ts": a directory');
  });

  test("whose createPick fails later tells so at the first pick", async () => {
    const path = write(
      "once.ts",
      "let made = 0; export function createPick() { made += 1; if (made > 1) throw new Error('once only'); return () => 0; }",
    );
    const { createPick } = await load(path);
    expect(() => createPick()([], request)).toThrow("once only");
  });

  test("is loaded from the disk by a compiled binary", async () => {
    write("other.ts", "export const choose = (at: number): number => at + 4;");
    write("typed.ts", TYPED);
    const loader = join(import.meta.dir, "../../src/config/custom-strategy.ts");
    const source = `import { loadCustomStrategy } from ${JSON.stringify(loader)};
      const file = await loadCustomStrategy(process.argv[2] ?? "", process.argv[3] ?? "");
      console.log(file.kind === "loaded" ? file.createPick()([], { model: "", nowMs: 0, random: Math.random }) : file.found);`;
    const work = mkdtempSync(join(tmpdir(), "weir-probe-"));
    try {
      const [entry, binary] = [join(work, "probe.ts"), join(work, "probe")];
      writeFileSync(entry, source);
      const build = Bun.spawnSync([process.execPath, "build", ...FLAGS, entry, "--outfile", binary], {
        cwd: join(import.meta.dir, "../.."),
        stderr: "pipe",
      });
      expect(build.stderr.toString()).not.toContain("error");
      const run = (path: string) =>
        Bun.spawnSync([binary, path, folder], { cwd: "/", env: {} }).stdout.toString();
      expect(run("./typed.ts")).toBe("5\n");
      write("syntax.ts", "\nexport default function (");
      expect(run("./syntax.ts")).toMatch(/"\.\/syntax.ts": .+ \(line \d+\)/);
      expect(run("./missing.ts")).toContain('"./missing.ts": no such file');
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }, 120_000);
});
