// Which proxy stands between `weir bench` and the server: by the variables and the rules by which weir itself calls providers.
import { createEgress } from "../config/egress.ts";
import { createNotes, formatProblem } from "../config/problem.ts";
import { proxy as readSetting } from "../config/readers.ts";
import { gatherVariables } from "../config/variables.ts";

export type FoundProxy =
  | { readonly kind: "found"; readonly proxy: URL | undefined }
  | { readonly kind: "problem"; readonly problem: string };

const SETTING = "WEIR_UPSTREAM_PROXY";

/** Over plain http the calls go straight: what is near is meant, and a proxy would be what is measured. */
export function findProxy(url: string, env: Readonly<Record<string, string | undefined>>): FoundProxy {
  if (!url.startsWith("https:")) return { kind: "found", proxy: undefined };
  const notes = createNotes();
  const setting = readSetting(env[SETTING]?.trim() || "env");
  if (setting.kind === "unread") return problem(`cannot read ${SETTING}: expected ${setting.expected}`);
  const variables = gatherVariables({ env, envFiles: [], readFile: () => "" }, notes);
  const proxy = createEgress(variables, setting.value, notes)(new URL(url).origin);
  const [flaw] = notes.problems;
  if (flaw !== undefined) return problem(formatProblem(flaw));
  if (proxy === undefined) return { kind: "found", proxy: undefined };
  const found = new URL(proxy);
  if (found.protocol === "http:") return { kind: "found", proxy: found };
  return problem(`cannot use the proxy ${found.origin}: expected one that is spoken to over http`);
}

const problem = (text: string): FoundProxy => ({ kind: "problem", problem: text });
