// `bun run print`: writes config.example.yaml and the README's table from the table of options; a test holds them together.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Option } from "../../src/config/option.ts";
import { OPTIONS } from "../../src/config/options.ts";

export const EXAMPLE_FILE = join(import.meta.dir, "../../config.example.yaml");

/** Every option with its default, its variable and its sentence, by section. */
export function printExample(): string {
  const lines = [
    "# Every option of weir with its default. This version is configured by environment variables and flags: each line",
    "# names its variable. Reading this file itself is a later version's work; its keys are final.",
  ];
  let section: string | undefined;
  for (const option of OPTIONS as readonly Option[]) {
    const [head = "", name] = option.key.split(".", 2);
    const restart = option.change === "restart" ? " Needs a restart." : "";
    const about = `# ${option.sentence}${restart} (${option.variables.join(", ")})`;
    const value = option.default === "" ? '""' : option.default;
    if (name === undefined) lines.push("", about, `${head}: ${value}`);
    else {
      if (head !== section) lines.push("", `${head}:`);
      lines.push(`  ${about}`, `  ${name}: ${value}`);
    }
    section = name === undefined ? undefined : head;
  }
  return `${lines.join("\n")}\n`;
}

export const README_FILE = join(import.meta.dir, "../../README.md");
const TABLE = /(<!-- options -->\n)[\s\S]*?(<!-- \/options -->)/;

/** The README with its table of options as it must be. */
export function printReadme(readme: string): string {
  const rows = (OPTIONS as readonly Option[]).map((option) => {
    const names = [...option.variables, ...(option.flag === undefined ? [] : [`--${option.flag.name}`])];
    const restart = option.change === "restart" ? " Needs a restart." : "";
    const value = option.default === "" ? "" : `\`${option.default}\``;
    return `| ${names.map((name) => `\`${name}\``).join(", ")} | ${value} | ${option.sentence}${restart} |`;
  });
  const table = ["| variable, flag | default | |", "|---|---|---|", ...rows].join("\n");
  return readme.replace(TABLE, (_, open: string, close: string) => `${open}\n${table}\n\n${close}`);
}

if (import.meta.main) {
  writeFileSync(EXAMPLE_FILE, printExample());
  writeFileSync(README_FILE, printReadme(readFileSync(README_FILE, "utf8")));
}
