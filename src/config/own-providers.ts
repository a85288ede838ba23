// Providers that the table does not know: WEIR_PROVIDERS=name,… with NAME_BASE_URL(S).
import { type Notes, quoted } from "./problem.ts";
import { findProvider, type Provider } from "./providers.ts";
import { splitList } from "./readers.ts";
import { findVariable, type Variables } from "./variables.ts";

export const OWN_PROVIDERS = "WEIR_PROVIDERS";

/** `my-gpu` has the variables MY_GPU_…. */
export const prefixOf = (name: string): string => name.toUpperCase().replaceAll("-", "_");

export function readOwnProviders(variables: Variables, notes: Notes): Provider[] {
  const variable = findVariable(variables, OWN_PROVIDERS);
  if (variable === undefined) return [];
  const providers = new Map<string, Provider>();
  for (const listed of splitList(variable.text)) {
    const name = listed.toLowerCase();
    const known = findProvider(name);
    const prefix = prefixOf(name);
    if (known !== undefined)
      notes.warnings.push(
        `${variable.where} need not list ${quoted(listed)}: ${known.name} is known, and used once it is configured`,
      );
    else if (!/^[a-z][a-z0-9_-]*$/.test(name) || prefix === "WEIR")
      notes.problems.push({
        kind: "configuration",
        where: variable.where,
        expected: "names of letters, digits, - and _, other than weir",
        found: quoted(listed),
      });
    else if (!providers.has(prefix)) providers.set(prefix, ownProvider(name, prefix));
  }
  return [...providers.values()];
}

/** What nearly every server that is called OpenAI-compatible has. */
function ownProvider(name: string, prefix: string): Provider {
  return {
    name,
    prefixes: [prefix],
    kind: "hosted",
    main: "openai",
    families: { openai: { path: "/v1", key: { in: "header", name: "authorization", prefix: "Bearer " } } },
    owns: [],
    modelsRoute: { family: "openai", path: "/models" },
  };
}
