// `bun run print`: writes config.example.yaml and the README's tables from those of options and metrics; a test holds them
// together.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Option } from "../../src/config/option.ts";
import { readDocument } from "../../src/config/document.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { ownFormatSchema } from "../../src/config/own-format.ts";
import { createNotes } from "../../src/config/problem.ts";
import { EXAMPLE_PARTS } from "./example-parts.ts";
import { METRICS } from "../../src/views/metric-table.ts";
import { explainKeys } from "./schema-walk.ts";

export const EXAMPLE_FILE = join(import.meta.dir, "../../config.example.yaml");

const HEAD = `# yaml-language-server: $schema=./weir.schema.json
# Every key of weir's configuration file: options with their defaults, and after them, as comments, an example of
# providers, routes, fallbacks and webhooks. Copy what you need into weir.yaml; what is left out has its default.
# \${NAME} and \${NAME:-default} stand for variables. For editors: weir schema > weir.schema.json`;

/** It decides otherwise when it is set to its default than when it is not set. */
const LEFT_OUT: ReadonlySet<string> = new Set(["strategy"]);

/** Every option with its default, its variable and its sentence, by section, and an example of the rest. */
export function printExample(): string {
  const lines = [HEAD];
  let section: string | undefined;
  for (const option of (OPTIONS as readonly Option[]).filter(({ key }) => key !== "webhooks")) {
    const [head = "", name] = option.key.split(".", 2);
    const restart = option.change === "restart" ? " Needs a restart." : "";
    const about = `# ${option.sentence}${restart} (${option.variables.join(", ")})`;
    const value = writeDefault(option);
    if (name === undefined) lines.push("", about, `${LEFT_OUT.has(head) ? "#" : ""}${head}: ${value}`);
    else {
      if (head !== section) lines.push("", `${head}:`);
      lines.push(`  ${about}`, `  ${name}: ${value}`);
    }
    section = name === undefined ? undefined : head;
  }
  return `${[...lines, "", ...printParts()].join("\n")}\n`;
}

const writeDefault = (option: Option): string => {
  if (option.read.shape?.kind === "list") return `[${option.default}]`;
  return option.default === "" ? '""' : option.default;
};

/** Each line after a `#`, each key's sentence above its first line. */
function printParts(): string[] {
  const root = readDocument(EXAMPLE_PARTS, { file: "example" }, createNotes());
  if (root === undefined) throw new Error("the example is no YAML");
  const explained = explainKeys(root, ownFormatSchema());
  return EXAMPLE_PARTS.trimEnd()
    .split("\n")
    .flatMap((line, index) => {
      if (line === "") return [""];
      const indent = line.length - line.trimStart().length;
      const start = line.replace(/^ *- /, "").length;
      const first = line.length - start + (start === line.length ? indent : 0) + 1;
      const sentences = explained.filter((each) => each.line === index + 1 && each.column === first);
      return [...sentences.map(({ sentence }) => sentenceLine(indent, sentence)), `#${line}`];
    });
}

/** Of a top-level key it is prose; below, it stays a comment when the lines are taken in. */
const sentenceLine = (indent: number, sentence: string): string =>
  indent === 0 ? `# ${sentence}` : `#${" ".repeat(indent)}# ${sentence}`;

/** The example with its commented lines taken in. */
export const uncomment = (example: string): string => example.replaceAll(/^#(?=[a-z]| {2})/gm, "");

export const README_FILE = join(import.meta.dir, "../../README.md");
const TABLE = /(<!-- options -->\n)[\s\S]*?(<!-- \/options -->)/;
const METRICS_TABLE = /(<!-- metrics -->\n)[\s\S]*?(<!-- \/metrics -->)/;

/** The README with its tables as they must be. */
export function printReadme(readme: string): string {
  const rows = (OPTIONS as readonly Option[]).map((option) => {
    const names = [...option.variables, ...(option.flag === undefined ? [] : [`--${option.flag.name}`])];
    const restart = option.change === "restart" ? " Needs a restart." : "";
    const value = option.default === "" ? "" : `\`${option.default}\``;
    return `| ${names.map((name) => `\`${name}\``).join(", ")} | ${value} | ${option.sentence}${restart} |`;
  });
  const table = ["| variable, flag | default | |", "|---|---|---|", ...rows].join("\n");
  return readme
    .replace(TABLE, (_, open: string, close: string) => `${open}\n${table}\n\n${close}`)
    .replace(METRICS_TABLE, (_, open: string, close: string) => `${open}\n${printMetrics()}\n\n${close}`);
}

function printMetrics(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const shown = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return ["| metric | kind | labels | |", "|---|---|---|---|", ...rows].join("\n");
}

if (import.meta.main) {
  writeFileSync(EXAMPLE_FILE, printExample());
  writeFileSync(README_FILE, printReadme(readFileSync(README_FILE, "utf8")));
}
