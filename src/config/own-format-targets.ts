// The targets of a route in the own format: the name of a provider, or a row with what is said of it there.
import { definedOf } from "./draft-backends.ts";
import type { DraftTarget } from "./draft.ts";
import { amount, leaf, someText } from "./leaf.ts";
import { limitsShape } from "./own-format-limits.ts";
import { integer } from "./readers.ts";
import { field, fieldsOf, listOf, mapped, type Shape, shortOrLong } from "./shape.ts";

const providerName = someText("the name of a provider");
const modelName = leaf(someText("the name of a model"));

/** Providers' pages say prices by the million. */
const PER = 1_000_000;

const priceShape = mapped(
  fieldsOf(
    {
      input: field("For a million tokens of the prompt, in any currency.", amount("a price of 0 or more")),
      output: field("For a million tokens of the answer.", amount("a price of 0 or more")),
    },
    ["input", "output"],
  ),
  ({ values: { input, output } }) =>
    input === undefined || output === undefined
      ? undefined
      : { inputPerToken: input / PER, outputPerToken: output / PER },
);

const targetFields = {
  provider: field("The provider, by its name under providers.", leaf(providerName)),
  model: field("The model's name there; without it, the name that the client wrote.", modelName),
  weight: field(
    "Share of the route, split over the provider's keys and addresses; 0 gives it nothing new. Default: 1.",
    amount("a weight of 0 or more"),
  ),
  priority: field(
    "Lower first; the next level only when the level has no usable backend. Default: 1.",
    leaf(integer(0, 1_000_000)),
  ),
  limits: field("Limits of this model at this place, beside the key's.", limitsShape),
  price: field("What lowest-cost compares.", priceShape),
};

const shortTarget: Shape<DraftTarget> = mapped(leaf(providerName), (provider, node) => ({
  provider: provider.toLowerCase(),
  at: node.at,
}));

const longTarget: Shape<DraftTarget> = mapped(
  fieldsOf(targetFields, ["provider"]),
  ({ values, entry }, node) => {
    const { provider, model, weight, priority, limits, price } = values;
    if (provider === undefined) return undefined;
    const at = entry("provider")?.value.at ?? node.at;
    return { provider: provider.toLowerCase(), at, ...definedOf({ model, weight, priority, limits, price }) };
  },
);

export const targetsShape: Shape<readonly DraftTarget[]> = listOf(
  shortOrLong(shortTarget, longTarget),
  "targets",
  1,
);
