// What a release promises beyond its bytes; test/system/release.test.ts builds one.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json";
import { bundledPackages, collectLicences } from "./support/licences.ts";
import { README } from "./support/readme.ts";
import { RELEASES } from "./support/release.ts";

const ROOT = join(import.meta.dir, "..");
const WORKFLOWS = join(ROOT, ".github/workflows");
const workflows = readdirSync(WORKFLOWS).map((file) => readFileSync(join(WORKFLOWS, file), "utf8"));

test("every action of the workflows is pinned to a commit and says its version", () => {
  const uses = workflows.flatMap((text) => text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line)));
  expect(uses.length).toBeGreaterThan(5);
  const loose = uses.filter((line) => !/uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line));
  expect(loose).toEqual([]);
});

test("every base of the image is pinned to its digest or empty", () => {
  const dockerfile = readFileSync(join(ROOT, ".container/Dockerfile"), "utf8");
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(bases).toEqual([expect.stringMatching(/^alpine:3\.22@sha256:[0-9a-f]{64}$/), "scratch"]);
});

test("the README names every binary, and the release workflow runs each that a runner is there for", () => {
  const names = Object.keys(RELEASES);
  expect(names.filter((name) => !README.includes(`\`${name}`) && !README.includes(`weir-${name}`))).toEqual(
    [],
  );
  const release = readFileSync(join(WORKFLOWS, "release.yml"), "utf8");
  // The musl binaries run in their image.
  expect(names.filter((name) => !name.endsWith("musl") && !release.includes(`binary: weir-${name}`))).toEqual(
    [],
  );
});

test("the licences are those of what is bundled, and none is without a text or an author", async () => {
  const packages = (await bundledPackages()).map((folder) => folder.replace("node_modules/", ""));
  expect(packages).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  expect(packages.filter((name) => Object.keys(manifest.devDependencies).includes(name))).toEqual([]);
  const text = await collectLicences();
  for (const name of packages) expect(text).toContain(`\n${name} `);
  expect(text).toContain(`Bun ${Bun.version} (MIT)`);
  expect(text).not.toContain("author: not named");
});
