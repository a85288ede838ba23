// A foreign file's text to its draft, for the tests of dialects: everything it may look at is given as plain values.
import { findDialect } from "../../src/config/dialects.ts";
import { readDocument } from "../../src/config/document.ts";
import type { Draft, DraftRoute } from "../../src/config/draft.ts";
import { createNotes, formatProblem } from "../../src/config/problem.ts";

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** By path, the read one among them. */
  readonly files?: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly enabledSources?: readonly string[];
}

export interface Read {
  readonly dialect: string | undefined;
  readonly draft: Draft;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly watched: readonly string[];
}

const NOTHING: Draft = {
  isForeign: false,
  options: new Map(),
  providers: [],
  routes: [],
  aliases: [],
  fallbacks: [],
};

export function readForeign(text: string, surroundings: Surroundings = {}): Read {
  const { env = {}, files = {}, file = "f.yaml", enabledSources } = surroundings;
  const notes = createNotes();
  const root = readDocument(text, { file }, notes);
  const dialect = root === undefined ? undefined : findDialect(root);
  const draft =
    root === undefined
      ? undefined
      : dialect?.read(root, {
          variables: new Map(
            Object.entries(env).map(([name, value]) => [name, { name, text: value, where: name }]),
          ),
          readFile(path) {
            const found = files[path];
            if (found === undefined) throw Object.assign(new Error(path), { code: "ENOENT" });
            return found;
          },
          listFolder(path) {
            const names = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
            if (names.length === 0) throw Object.assign(new Error(path), { code: "ENOENT" });
            return names.map((name) => name.slice(path.length + 1)).toSorted();
          },
          notes,
          ...(enabledSources === undefined ? {} : { enabledSources }),
        });
  return {
    dialect: dialect?.name,
    draft: draft ?? NOTHING,
    problems: notes.problems.map(formatProblem),
    warnings: notes.warnings,
    watched: notes.watched,
  };
}

export function routeOf({ draft }: Read, name: string): DraftRoute {
  const route = draft.routes.find((each) => each.name === name);
  if (route === undefined)
    throw new RangeError(`no route ${name} among ${draft.routes.map((r) => r.name).join(", ")}`);
  return route;
}

/** `openai sk-1 gpt-4o*2`: provider, key, address, model and weight of each target. */
export const targetsOf = (read: Read, name: string): readonly string[] =>
  routeOf(read, name).targets.map(({ provider, key, address, model, weight }) =>
    [
      provider,
      key?.reveal(),
      address === undefined ? undefined : address.origin + address.path,
      `${model ?? "="}${weight === undefined ? "" : `*${weight}`}`,
    ]
      .filter((part) => part !== undefined)
      .join(" "),
  );

/** `openai https://api.x.com/v1: sk-1*1 sk-2*3` for each provider. */
export const providersOf = ({ draft }: Read): readonly string[] =>
  draft.providers.map(
    ({ name, base, addresses, keys }) =>
      `${name} (${[base.name, ...addresses.map(({ origin, path }) => origin + path)].join(" ")}): ${keys
        .map(({ secret, weight }) => `${secret.reveal()}*${weight}`)
        .join(" ")}`,
  );

/** Text of an option, and where it was said. */
export const optionOf = (
  { draft }: Read,
  key: Parameters<Draft["options"]["get"]>[0],
): string | undefined => {
  const given = draft.options.get(key);
  return given === undefined ? undefined : `${given.text} @ ${given.where}`;
};
