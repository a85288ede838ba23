// `bun run build`: compiles weir for this machine into dist/weir. Tests build their own copy by the same function.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/**
 * Autoload off: a stray `.env` or `bunfig.toml` in the working folder must not reach into the binary. Bytecode halves the
 * start; it needs ESM for top-level await. Bun refuses requests whose head is over 16 KiB, which long SDK headers can be.
 */
export const FLAGS = [
  "--compile",
  "--production",
  "--bytecode",
  "--format=esm",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--compile-exec-argv=--max-http-header-size=65536",
];

/** Another machine than this one: Bun's name for it, and its Bun, so that none is fetched. */
export interface Target {
  readonly name: string;
  readonly runtime: string;
}

/** Returns the path that it wrote. The file's name goes into the binary. */
export function buildBinary(outfile: string, target?: Target): string {
  mkdirSync(dirname(outfile), { recursive: true });
  rmSync(outfile, { force: true }); // a failed build leaves the old file
  const foreign =
    target === undefined ? [] : [`--target=${target.name}`, `--compile-executable-path=${target.runtime}`];
  const build = Bun.spawnSync(
    [process.execPath, "build", ...FLAGS, ...foreign, join(ROOT, "src/main.ts"), "--outfile", outfile],
    {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  if (build.exitCode !== 0) throw new Error(`cannot build: ${build.stderr.toString()}`);
  return outfile;
}

if (import.meta.main) console.log(buildBinary(join(ROOT, "dist/weir")));
