// The addresses of a provider in the own format: texts, lists, and rows with a weight.
import { readBaseUrls } from "./base-url.ts";
import type { DraftAddress } from "./draft.ts";
import { amount, leaf, someText } from "./leaf.ts";
import { createNotes } from "./problem.ts";
import { field, fieldsOf, mapped, oneOrMore, type Shape, shortOrLong } from "./shape.ts";
import { describePlace, type Node } from "./tree.ts";
import type { Report } from "./report.ts";

/** One text may hold several, with commas between, each with `*2` as its weight. */
const addresses: Shape<readonly DraftAddress[]> = mapped(
  leaf(someText("a URL that begins with http:// or https://"), { isSecret: true }),
  readAddresses,
);

function readAddresses(text: string, node: Node, report: Report): readonly DraftAddress[] {
  const notes = createNotes();
  const found = readBaseUrls({ name: "", text, where: describePlace(node.at) }, notes);
  const isReferring = node.kind === "text" && node.written !== undefined;
  report.forward(notes.problems, isReferring ? "hidden" : "shown");
  return found.map(({ origin, path, weight }) => ({ origin, path, weight, at: node.at }));
}

const addressRow: Shape<readonly DraftAddress[]> = mapped(
  fieldsOf(
    {
      url: field("The base URL; without a path it gets the provider's own.", addresses),
      weight: field(
        "Share of this address among the addresses; 0 lets it finish and gives it nothing new. Default: 1.",
        amount("a weight of 0 or more"),
      ),
    },
    ["url"],
  ),
  ({ values }) => values.url?.map((each) => ({ ...each, weight: each.weight * (values.weight ?? 1) })),
);

/** `base_url` and `base_urls` alike. */
export const addressesShape: Shape<readonly DraftAddress[]> = mapped(
  oneOrMore(shortOrLong(addresses, addressRow), "base URLs"),
  (found) => found.flat(),
);

/** Each address once, at its first place. */
export function distinctAddresses(found: readonly DraftAddress[]): readonly DraftAddress[] {
  const distinct = new Map<string, DraftAddress>();
  for (const address of found) {
    const id = address.origin + address.path;
    if (!distinct.has(id)) distinct.set(id, address);
  }
  return [...distinct.values()];
}
