// Limits and model lists of the own format, which providers, keys and targets have alike.
import type { Limits } from "../core/credential.ts";
import { definedOf } from "./draft-backends.ts";
import { leaf } from "./leaf.ts";
import { integer } from "./readers.ts";
import { field, fieldsOf, mapped, type Shape } from "./shape.ts";

const count = leaf(integer(1, 1_000_000_000_000));

const limitFields = {
  rpm: field("Requests a minute, over any 60 seconds.", count),
  tpm: field("Tokens a minute, over any 60 seconds.", count),
  rpd: field("Requests a day.", count),
  tpd: field("Tokens a day.", count),
  concurrency: field("Requests at the same time.", count),
};

/** What is absent does not limit. */
export const limitsShape: Shape<Limits> = mapped(fieldsOf(limitFields), ({ values }) =>
  definedOf({
    requestsPerMinute: values.rpm,
    tokensPerMinute: values.tpm,
    requestsPerDay: values.rpd,
    tokensPerDay: values.tpd,
    concurrency: values.concurrency,
  }),
);

export const MODELS_SENTENCE = "Only these models; * stands for any characters. Empty: any.";
