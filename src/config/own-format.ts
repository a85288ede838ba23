// weir's own format: a tree to a Draft and every mistake in it, and the JSON Schema that editors check it by.
import { type TSchema, Type } from "@sinclair/typebox";
import { definedOf } from "./draft-backends.ts";
import type { Draft, DraftTerms } from "./draft.ts";
import { expandTree } from "./expand.ts";
import { leaf, someText } from "./leaf.ts";
import { type GivenOption, optionFields } from "./own-format-options.ts";
import { providersShape } from "./own-format-provider-fields.ts";
import { readFileProviders } from "./own-format-providers.ts";
import { fallbacksShape, readFallbacks, readFileRoutes, routesShape } from "./own-format-routes.ts";
import { webhooksShape } from "./own-format-webhooks.ts";
import type { Notes, Problem } from "./problem.ts";
import { findProvider } from "./providers.ts";
import { createReport, type Report, shownNode } from "./report.ts";
import { field, schemasOf, tellUnknown } from "./shape.ts";
import type { Node } from "./tree.ts";

const parts = {
  providers: field(
    "Who can be called: each address and each key once, under a name. A known name (openai, anthropic, …) needs no type.",
    providersShape,
  ),
  routes: field(
    "What clients ask for: models or patterns (qwen/*), and where they lead. Other names follow the providers' own models.",
    routesShape,
  ),
  fallbacks: field(
    "By model (or * for all without a list), other models to go on with, in order, when it cannot be served.",
    fallbacksShape,
  ),
  context_window_fallbacks: field("The same for prompts that are too long for the model.", fallbacksShape),
  content_policy_fallbacks: field(
    "The same for prompts that the provider refuses for their content.",
    fallbacksShape,
  ),
  webhooks: field(
    "Who is told of starts, failures, recoveries, keys and reloads: URLs, or rows with url, format, events, batch, cooldown, report.",
    webhooksShape,
  ),
};

/** Editors look for it in JSON, where no comment can name the schema. */
const SCHEMA_KEY = {
  $schema: field("The schema that editors check this file by.", leaf(someText("a path or URL"))),
};

const options = optionFields();
const FIELDS = { ...SCHEMA_KEY, ...parts, ...options };

/** Problems go to the notes; what is right is in the draft even beside them. */
export function readOwnFormat(root: Node, terms: DraftTerms): Draft {
  const notes: Notes = { ...terms.notes, problems: [] };
  const draft = readParts(root, { ...terms, notes });
  // What the syntax alone told of this file belongs between.
  const isOfFile = ({ where }: Problem): boolean => where.startsWith(`${root.at.file}:`);
  const { problems } = terms.notes;
  const before = problems.splice(0);
  const own = [...before.filter(isOfFile), ...notes.problems];
  problems.push(...before.filter((problem) => !isOfFile(problem)), ...own.toSorted(byPlace));
  return draft;
}

/** As they stand in the file: line 9 before line 10. */
const byPlace = (a: Problem, b: Problem): number => a.where.localeCompare(b.where, "en", { numeric: true });

function readParts(root: Node, terms: DraftTerms): Draft {
  const { notes, variables } = terms;
  const report = createReport(notes);
  const tree = expandTree(root, variables, notes);
  const entries = tree.kind === "map" ? tree.entries : [];
  if (tree.kind !== "map") report.tell(tree.at, "keys such as providers, routes, server", shownNode(tree));
  for (const entry of entries)
    if (!Object.hasOwn(FIELDS, entry.key) && !report.isFull())
      tellUnknown(entry, FIELDS, {
        report,
        elsewhere: findProvider(entry.key) === undefined ? [] : [`providers.${entry.key}`],
      });
  const read = <V>(key: string, shape: { readonly read: (node: Node, report: Report) => V | undefined }) => {
    const node = entries.find((entry) => entry.key === key)?.value;
    return node === undefined ? undefined : shape.read(node, report);
  };
  read("$schema", SCHEMA_KEY.$schema.shape);
  const given = Object.entries(options).flatMap(
    ([key, { shape }]): readonly GivenOption[] => read(key, shape) ?? [],
  );
  const providers = readFileProviders(read("providers", parts.providers.shape) ?? [], terms, report);
  const { routes, aliases } = readFileRoutes(read("routes", parts.routes.shape) ?? [], report);
  const fallbacks = [
    ...readFallbacks("general", read("fallbacks", fallbacksShape)),
    ...readFallbacks("contextWindow", read("context_window_fallbacks", fallbacksShape)),
    ...readFallbacks("contentPolicy", read("content_policy_fallbacks", fallbacksShape)),
  ];
  return {
    isForeign: false,
    options: new Map(given),
    providers,
    routes,
    aliases,
    fallbacks,
    ...definedOf({ webhooks: read("webhooks", webhooksShape) }),
  };
}

/** Draft 2020-12, with a sentence for every key. */
export const ownFormatSchema = (): TSchema =>
  Type.Unsafe({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "weir",
    description: "Configuration of weir: who can be called, and what clients ask for.",
    ...Type.Object(schemasOf(FIELDS), { additionalProperties: false }),
  });
