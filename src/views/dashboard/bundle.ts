// Makes text of the page's sources, for assets.ts. These run as Bun macros: in the bundler when the binary is built, in
// the transpiler when weir runs from source. A macro may not call Bun.build (the two would wait for each other).
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file below this folder, as it is. */
export const readText = (file: string): string => readFileSync(join(import.meta.dir, file), "utf8");

/** `entry`: a path below this folder, of a script or a style sheet. */
export function bundleText(entry: string): string {
  const command = [process.execPath, "build", "--target=browser", "--production", "--format=iife"];
  const build = Bun.spawnSync([...command, join(import.meta.dir, entry)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (build.exitCode !== 0) throw new Error(`cannot bundle ${entry}: ${build.stderr.toString()}`);
  return build.stdout.toString();
}
