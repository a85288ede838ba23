// `bun run build:all`: weir for every machine into dist/, with checksums and licences, from what is in node_modules
// alone. With --verify it builds everything a second time and compares the bytes.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { version as pinnedBun } from "bun/package.json";
import { buildBinary } from "./build.ts";
import { collectLicences } from "./licences.ts";

const ROOT = join(import.meta.dir, "../..");

interface Release {
  /** After `weir-`. */
  readonly name: string;
  /** The package of `@oven` whose Bun it becomes. */
  readonly runtime: string;
  readonly suffix?: string;
}

export const RELEASES = {
  "linux-x64": { name: "linux-x64", runtime: "bun-linux-x64" },
  // The same bytes under the name that people look for: this Bun's only x64 runtime asks the processor what it can.
  "linux-x64-baseline": { name: "linux-x64-baseline", runtime: "bun-linux-x64" },
  "linux-arm64": { name: "linux-arm64", runtime: "bun-linux-aarch64" },
  "linux-x64-musl": { name: "linux-x64-musl", runtime: "bun-linux-x64-musl" },
  "linux-arm64-musl": { name: "linux-arm64-musl", runtime: "bun-linux-aarch64-musl" },
  "darwin-x64": { name: "darwin-x64", runtime: "bun-darwin-x64" },
  "darwin-arm64": { name: "darwin-arm64", runtime: "bun-darwin-aarch64" },
  "windows-x64": { name: "windows-x64", runtime: "bun-windows-x64", suffix: ".exe" },
} as const satisfies Record<string, Release>;

/** Where `npm run setup:all` has put the release's Bun. */
function runtimeOf({ runtime, suffix = "" }: Release): string {
  const folder = join(ROOT, "node_modules/@oven", runtime);
  // The package `bun` takes this machine's own out of its folder when it is installed.
  const own = join(ROOT, "node_modules/bun/bin/bun.exe");
  const found = [join(folder, "bin", `bun${suffix}`), ...(existsSync(folder) ? [own] : [])].find(existsSync);
  if (found === undefined)
    throw new Error(`cannot build: no ${runtime} in node_modules/@oven; run "npm run setup:all" once`);
  return found;
}

/** Builds `weir-NAME` into the folder and returns its path. */
export function buildRelease(release: Release, folder: string): string {
  const { name, suffix = "" } = release;
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, ".build-"));
  try {
    // All are called `weir` within, so that the bytes depend on the source and the runtime only.
    const target = { name: `bun-${name}`, runtime: runtimeOf(release) };
    const built = buildBinary(join(scratch, `weir${suffix}`), target);
    const path = join(folder, `weir-${name}${suffix}`);
    renameSync(built, path);
    return path;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One line a file, as `sha256sum --check` reads it. */
async function buildAll(folder: string): Promise<readonly string[]> {
  if (Bun.version !== pinnedBun)
    throw new Error(`cannot build: this is Bun ${Bun.version}, package.json wants ${pinnedBun}`);
  rmSync(join(folder, "SHA256SUMS"), { force: true });
  const files = Object.values(RELEASES).map((release) => buildRelease(release, folder));
  const licences = join(folder, "THIRD_PARTY_LICENSES");
  writeFileSync(licences, await collectLicences());
  const sums = [...files, licences].map((file) => `${sha256(file)}  ${basename(file)}`);
  writeFileSync(join(folder, "SHA256SUMS"), `${sums.join("\n")}\n`);
  return sums;
}

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

async function main(verify: boolean): Promise<void> {
  const folder = join(ROOT, "dist");
  const sums = await buildAll(folder);
  console.log(sums.join("\n"));
  if (!verify) return;
  const again = join(folder, "again");
  const different = (await buildAll(again)).filter((line) => !sums.includes(line));
  rmSync(again, { recursive: true });
  if (different.length > 0) throw new Error(`cannot reproduce: ${different.join(", ")}`);
  console.log("a second build gave the same bytes");
}

if (import.meta.main) await main(process.argv.includes("--verify"));
