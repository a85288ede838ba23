// What the README shows, for the tests that hold it to its word.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const README = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");

/** The first fenced block of that language below a heading. */
export function readmeBlock(heading: string, language: string): string {
  const start = README.indexOf(`\n${heading}\n`);
  const block = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(README.slice(start))?.[1];
  if (start < 0 || block === undefined)
    throw new Error(`no ${language} block below "${heading}" in README.md`);
  return block;
}
