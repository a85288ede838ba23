// Loads a user's own strategy from a TypeScript or JavaScript file, named in the configuration as `custom:./file.ts`.
// Bun compiles it on the way in, so the binary takes it from the disk too, with whatever it imports.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CustomPick } from "../core/strategy-custom.ts";
import { reasonOf } from "./files.ts";
import { quoted } from "./problem.ts";

export type CustomStrategyFile =
  | {
      readonly kind: "loaded";
      /** Absolute, to be watched. Files that it imports are read once for the whole process. */
      readonly path: string;
      /** One for each route: what `createPick` of the file gives, or its default export. */
      readonly createPick: () => CustomPick;
    }
  /** For a Problem. */
  | {
      readonly kind: "unread";
      /** Absolute, to be watched: it may be mended. */
      readonly path: string;
      readonly expected: string;
      readonly found: string;
    };

interface Exports {
  readonly default?: unknown;
  readonly createPick?: unknown;
}

/** The file's own top level may wait, but nobody starts or reloads before it is over. */
const LOAD_MS = 10_000;

/**
 * The file exports either a CustomPick by default, or a function `createPick` that makes one for each route, for picks
 * that remember something. A file that has changed is loaded anew, one that has not is the same module as before.
 */
export async function loadCustomStrategy(path: string, cwd: string): Promise<CustomStrategyFile> {
  const full = resolve(cwd, path);
  const unread = (expected: string, reason: string): CustomStrategyFile => ({
    kind: "unread",
    path: full,
    expected,
    found: `${quoted(path)}: ${reason}`,
  });
  let module: Exports;
  try {
    const hash = createHash("sha256")
      .update(await readFile(full))
      .digest("hex");
    // A module is loaded once for each specifier; Bun 1.4.4 drops the query of a file: URL, so it is a path.
    module = await withinTime<Exports>(import(`${full}?weir=${hash}`));
  } catch (error) {
    return unread("a TypeScript or JavaScript file that loads", describeError(error));
  }
  const { createPick, default: pick } = module;
  if (createPick === undefined)
    return isPick(pick)
      ? { kind: "loaded", path: full, createPick: () => pick }
      : unread(
          "a file that exports a function by default, or a function createPick",
          `default is ${typeof pick}`,
        );
  if (!isFactory(createPick))
    return unread("a file whose createPick is a function", `it is ${typeof createPick}`);
  try {
    const made = createPick();
    if (!isPick(made))
      return unread("a file whose createPick returns a function", `it returns ${typeof made}`);
  } catch (error) {
    return unread("a file whose createPick returns a function", describeError(error));
  }
  return { kind: "loaded", path: full, createPick: () => makePick(createPick) };
}

/** Nothing more can be said of a function before it is called; createCustom looks at what it answers. */
const isPick = (value: unknown): value is CustomPick => typeof value === "function";
const isFactory = (value: unknown): value is () => unknown => typeof value === "function";

/** It has worked once. Should it fail later, the first pick tells why, and the strategy is set aside. */
function makePick(createPick: () => unknown): CustomPick {
  try {
    const made = createPick();
    if (isPick(made)) return made;
    throw new TypeError(`createPick returned ${typeof made}`);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function withinTime<T>(loading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not loaded within ${LOAD_MS / 1000} s`)), LOAD_MS);
  });
  try {
    return await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Syntax errors come with their line. */
function describeError(error: unknown): string {
  if (error instanceof BuildMessage) return `${error.message} (line ${error.position?.line ?? "unknown"})`;
  if (!(error instanceof Error)) return String(error);
  return "syscall" in error ? reasonOf(error) : error.message;
}
