// The variables weir was started with: the real environment, and below it the files given with --env-file.
import { parseEnvFile } from "./dotenv.ts";
import { type ReadFile, readTextFile } from "./files.ts";
import type { Notes } from "./problem.ts";

export interface Variable {
  readonly name: string;
  readonly text: string;
  /** The name, or file, line and name. */
  readonly where: string;
}

export type Variables = ReadonlyMap<string, Variable>;

/** A variable that is set to something; set to blanks counts as not set. */
export function findVariable(variables: Variables, name: string): Variable | undefined {
  const variable = variables.get(name);
  return variable === undefined || variable.text.trim() === "" ? undefined : variable;
}

export interface VariableSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Later ones win over earlier ones; the real environment wins over all, even with an empty value. */
  readonly envFiles: readonly string[];
  readonly readFile: ReadFile;
}

export function gatherVariables({ env, envFiles, readFile }: VariableSources, notes: Notes): Variables {
  const variables = new Map<string, Variable>();
  for (const path of envFiles) {
    const text = readTextFile(readFile, { path, where: "--env-file" }, notes);
    if (text === undefined) continue;
    for (const line of parseEnvFile(text, path, notes.problems))
      variables.set(line.name, {
        name: line.name,
        text: line.value,
        where: `${path}:${line.line} ${line.name}`,
      });
  }
  for (const [name, text] of Object.entries(env))
    if (text !== undefined) variables.set(name, { name, text, where: name });
  return variables;
}
