// The licences of what a binary holds besides our own code: the packages that the bundler took in, and Bun itself.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { version as bunVersion } from "bun/package.json";

const ROOT = join(import.meta.dir, "../..");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

/** What is bundled for each kind of machine: the dashboard is a bundle of its own, which the binary carries as text. */
const BUNDLES = [
  { entry: "src/main.ts", target: "bun" },
  { entry: "src/views/dashboard/browser/main.tsx", target: "browser" },
] as const;

/** Names of the packages of which at least one module is in a bundle. */
export async function bundledPackages(): Promise<readonly string[]> {
  const inputs: string[] = [];
  for (const { entry, target } of BUNDLES) {
    const { metafile } = await Bun.build({
      entrypoints: [join(ROOT, entry)],
      target,
      minify: true,
      metafile: true,
    });
    inputs.push(...Object.keys(metafile?.inputs ?? {}));
  }
  // The last folder of that name: a package may bring its own copy of another.
  const owner = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
  const folders = inputs.map((path) => owner.exec(path)?.[1]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].toSorted();
}

/** The text of dist/THIRD_PARTY_LICENSES. */
export async function collectLicences(): Promise<string> {
  const packages = await bundledPackages();
  return [BUN, ...packages.map((folder) => licenceOf(join(ROOT, folder)))].join(`\n${"=".repeat(78)}\n\n`);
}

function licenceOf(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const { name, version, license, author } = manifest;
  if (license === undefined) throw new Error(`cannot collect licences: ${name} names none`);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), "utf8").trim());
  const holder = typeof author === "string" ? author : author?.name;
  const missing = `The package holds no licence text. Its author: ${holder ?? "not named"}.`;
  return `${name} ${version} (${license})\n\n${texts.length === 0 ? missing : texts.join("\n\n")}\n`;
}

const BUN = `The packages below are part of the weir binary, and so is the JavaScript runtime:

Bun ${bunVersion} (MIT)

Bun links JavaScriptCore statically, which is under the LGPL 2, and other libraries under licences of their own.
Which ones, their licences, and how to relink Bun with another JavaScriptCore is told in its LICENSE.md:
https://github.com/oven-sh/bun/blob/bun-v${bunVersion}/LICENSE.md
weir's own source, with which a relinked Bun builds a new binary, is where you got this one. The musl builds also
load musl (MIT) and libstdc++ (GPL 3 with the GCC runtime library exception), which they do not contain.
`;
