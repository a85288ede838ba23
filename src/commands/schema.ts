// `weir schema`: the JSON Schema of the configuration file, for editors.
import { ownFormatSchema } from "../config/own-format.ts";
import { parseFlags } from "../config/flags.ts";
import { exitCodeOf, formatProblem } from "../config/problem.ts";
import { helpOf } from "./help.ts";
import { type Command, EXIT } from "./invocation.ts";

export const runSchema: Command = ({ args, out, err }) => {
  const { help, problems } = parseFlags(args, []);
  if (help) out(helpOf("schema"));
  else if (problems.length > 0) {
    for (const problem of problems) err(`${formatProblem(problem)}\n`);
    return Promise.resolve(exitCodeOf(problems));
  } else out(`${JSON.stringify(ownFormatSchema(), undefined, 2)}\n`);
  return Promise.resolve(EXIT.fine);
};
