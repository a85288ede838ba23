// Reads a file for --env-file: NAME=VALUE lines, quotes, `export`, comments; nothing is expanded.
// node:util's parseEnv is not used: it skips broken lines in silence, cuts values at a `#` inside (`F=a#b`),
// takes `1BAD=` and `P: x`, and knows no line numbers.
import type { Problem } from "./problem.ts";

export interface EnvLine {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };

/** Problems never show a line: it may hold a key. */
export function parseEnvFile(text: string, path: string, problems: Problem[]): EnvLine[] {
  const lines = text.split(/\r\n|\n|\r/);
  const found: EnvLine[] = [];
  const complain = (line: number, expected: string) =>
    problems.push({ kind: "configuration", where: `${path}:${line}`, expected });
  for (let at = 0; at < lines.length; at += 1) {
    const text = (lines[at] ?? "").trim();
    if (text === "" || text.startsWith("#")) continue;
    const [, name, rest = ""] = ASSIGNMENT.exec(text) ?? [];
    if (name === undefined) {
      complain(at + 1, "NAME=VALUE");
      continue;
    }
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      found.push({ name, value: rest.replace(/(^|\s)#.*$/, "").trim(), line: at + 1 });
      continue;
    }
    const scan = closeQuote(lines, at, { quote, start: rest.slice(1) });
    if (scan === undefined) {
      complain(at + 1, `a closing ${quote} in the value of ${name}`);
      continue;
    }
    if (/^\s*(#.*)?$/.test(scan.after)) found.push({ name, value: scan.value, line: at + 1 });
    else complain(scan.lastLine + 1, `nothing after the closing ${quote} in the value of ${name}`);
    at = scan.lastLine;
  }
  return found;
}

/** Quoted values may go over several lines. In double quotes a backslash escapes; single ones are literal. */
function closeQuote(
  lines: readonly string[],
  first: number,
  { quote, start }: { readonly quote: string; readonly start: string },
): { readonly value: string; readonly after: string; readonly lastLine: number } | undefined {
  let value = "";
  for (let line = first; line < lines.length; line += 1) {
    const text = line === first ? start : (lines[line] ?? "");
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at] ?? "";
      if (char === quote) return { value, after: text.slice(at + 1), lastLine: line };
      const next = text[at + 1];
      if (char === "\\" && quote === '"' && next !== undefined) {
        value += ESCAPES[next] ?? char + next;
        at += 1;
      } else value += char;
    }
    value += "\n";
  }
  return undefined;
}
