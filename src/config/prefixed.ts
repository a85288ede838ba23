// The variables of one provider, whichever of its prefixes they were written with: GOOGLE_… and GEMINI_….
import { type Notes, quoted } from "./problem.ts";
import { integer, splitList } from "./readers.ts";
import { findVariable, type Variable, type Variables } from "./variables.ts";

/** What may stand after a provider's prefix. */
export const PROVIDER_SUFFIXES = [
  "API_KEYS",
  "API_KEY",
  "API_KEYS_FILE",
  "BASE_URLS",
  "BASE_URL",
  "MODELS",
  "RPM",
  "TPM",
  "RPD",
  "TPD",
  "CONCURRENCY",
] as const;

type ProviderSuffix = (typeof PROVIDER_SUFFIXES)[number];

export interface PrefixedVariables {
  /** Set ones, in the order of the prefixes. Several are used together, and that is said. */
  readonly all: (suffix: ProviderSuffix) => readonly Variable[];
  /** A positive whole number. Two prefixes must not disagree. */
  readonly count: (suffix: ProviderSuffix) => number | undefined;
  readonly list: (suffix: ProviderSuffix) => readonly string[];
}

const LARGEST_COUNT = 1_000_000_000_000;
const readCount = integer(1, LARGEST_COUNT);

export function prefixedVariables(
  prefixes: readonly string[],
  variables: Variables,
  notes: Notes,
): PrefixedVariables {
  const warned = new Set<string>();
  const find = (suffix: ProviderSuffix) =>
    prefixes.flatMap((prefix) => findVariable(variables, `${prefix}_${suffix}`) ?? []);
  const all = (suffix: ProviderSuffix) => {
    const found = find(suffix);
    const texts = new Set(found.map(({ text }) => text.trim()));
    if (texts.size > 1 && !warned.has(suffix)) {
      warned.add(suffix);
      notes.warnings.push(`${found.map(({ where }) => where).join(" and ")} are both set, and used together`);
    }
    return found;
  };
  return {
    all,
    list: (suffix) => [...new Set(all(suffix).flatMap(({ text }) => splitList(text)))],
    count(suffix) {
      const counts = find(suffix).flatMap(({ text, where }) => {
        const reading = readCount(text.trim());
        if (reading.kind === "value") return [{ count: reading.value, where }];
        const expected = "a whole number, 1 or more";
        notes.problems.push({ kind: "configuration", where, expected, found: quoted(text) });
        return [];
      });
      const [first, second] = counts;
      if (first !== undefined && second !== undefined && first.count !== second.count)
        notes.problems.push({
          kind: "configuration",
          where: second.where,
          expected: `the same as ${first.where} (${first.count}), or only one of them`,
          found: String(second.count),
        });
      return first?.count;
    },
  };
}
