// Holds the layers: core imports only its siblings, rooms do not import each other, and nothing is in a cycle.
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { dirname, join, relative } from "node:path";
import { existsSync, readFileSync } from "node:fs";

const SRC = join(import.meta.dir, "../src");
const files = [...new Glob("**/*.{ts,tsx}").scanSync(SRC)].sort();

/** Files that may join rooms: the entry, the composition root with its settings, and the commands. */
const ROOTS = new Set(["main.ts", "app.ts", "app-settings.ts"]);
const isRoot = (file: string) => ROOTS.has(file) || file.startsWith("commands/");
const roomOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file);

/** Every import of a file, types and re-exports included: local ones as paths below src, the rest as written. */
function importsOf(file: string): { local: string[]; foreign: string[] } {
  const text = readFileSync(join(SRC, file), "utf8");
  const local: string[] = [];
  const foreign: string[] = [];
  const pattern =
    /^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  for (const match of text.matchAll(pattern)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    if (!specifier.startsWith(".")) foreign.push(specifier);
    else local.push(relative(SRC, join(SRC, dirname(file), specifier)));
  }
  return { local, foreign };
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));

test("the source tree is found and its imports resolve", () => {
  expect(files).toContain("main.ts");
  const missing = [...graph].flatMap(([file, { local }]) =>
    local.filter((target) => !existsSync(join(SRC, target))).map((target) => `${file} -> ${target}`),
  );
  expect(missing).toEqual([]);
});

test("core imports nothing but its siblings", () => {
  const wrong = files
    .filter((file) => file.startsWith("core/"))
    .flatMap((file) => {
      const { local, foreign } = graph.get(file)!;
      return [...foreign, ...local.filter((target) => !/^core\/[^/]+\.ts$/.test(target))].map(
        (target) => `${file} -> ${target}`,
      );
    });
  expect(wrong).toEqual([]);
});

test("rooms import only core and themselves", () => {
  const wrong = files
    .filter((file) => !isRoot(file))
    .flatMap((file) =>
      graph
        .get(file)!
        .local.filter((target) => roomOf(target) !== roomOf(file) && roomOf(target) !== "core")
        .map((target) => `${file} -> ${target}`),
    );
  expect(wrong).toEqual([]);
});

test("no import cycle exists, types included", () => {
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const target of graph.get(file)?.local ?? []) visit(target, [...trail, file]);
    state.set(file, "done");
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test("only main ends the process", () => {
  const wrong = files.filter(
    (file) =>
      file !== "main.ts" && /process\.exit\(|process\.exitCode/.test(readFileSync(join(SRC, file), "utf8")),
  );
  expect(wrong).toEqual([]);
});
