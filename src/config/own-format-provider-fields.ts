// What may be said of a provider in the own format, key by key.
import { azureVersion } from "./azure.ts";
import { leaf, leafList, someText } from "./leaf.ts";
import { addressesShape } from "./own-format-addresses.ts";
import { headersShape } from "./own-format-headers.ts";
import { keyFileShape, keysShape } from "./own-format-keys.ts";
import { limitsShape, MODELS_SENTENCE } from "./own-format-limits.ts";
import { findProvider, type Provider, PROVIDERS } from "./providers.ts";
import { duration, integer, oneOf, type Reader, shaped, suggestion, value } from "./readers.ts";
import { field, fieldsOf, namedRows, type ReadMap, type Shape } from "./shape.ts";
import type { Entry } from "./tree.ts";

const TYPES = PROVIDERS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);

const typeOf: Reader<Provider> = shaped({ kind: "word", words: TYPES }, (text) => {
  const known = findProvider(text);
  if (known !== undefined) return value(known);
  return { kind: "unread", expected: `one of ${TYPES.join(", ")}${suggestion(text, TYPES)}` };
});

const healthFields = {
  interval: field("Between two probes of an engine that is up. Default: 30s.", leaf(duration("10ms"))),
  fast_interval: field("Between two probes of an engine that is down. Default: 5s.", leaf(duration("10ms"))),
  timeout: field("Longest wait for the answer to a probe. Default: 10s.", leaf(duration("10ms"))),
  threshold: field("Failed probes in a row until an engine is down. Default: 3.", leaf(integer(1, 1000))),
};

const metricsFields = {
  interval: field("Between two looks at an engine's queue. Default: 3s.", leaf(duration("10ms"))),
};

const providerFields = {
  type: field(
    "What it is, where the name does not tell: an engine (vllm, sglang, ollama, llamacpp), or a provider whose protocol and paths it has (openai, anthropic, google, azure, …).",
    leaf(typeOf),
  ),
  api_key: field("The key, or several: as api_keys.", keysShape),
  api_keys: field(
    "The keys: a text, a list, or rows with key, weight, limits, models, quota_group. One ${NAME} may hold several with commas between; key*3 has a weight.",
    keysShape,
  ),
  api_keys_file: field(
    "File with one key a line, beside the others; watched. Relative to the folder that weir was started in.",
    keyFileShape,
  ),
  base_url: field("Where it is, when not at the provider's own address; see base_urls.", addressesShape),
  base_urls: field(
    "Several addresses: texts, or rows with url and weight. Every key is used at every address. A URL without a path gets the provider's own.",
    addressesShape,
  ),
  api_version: field(
    "Of Azure: a dated version such as 2024-10-21 (then models are deployments), or v1. Default: v1.",
    leaf(azureVersion),
  ),
  models: field(MODELS_SENTENCE, leafList(someText("the name of a model"))),
  limits: field("Limits of each key; of each address where there are no keys.", limitsShape),
  quota_group: field(
    "These keys share one bucket at the provider: what one uses counts for all with this name.",
    leaf(someText("a name for the group")),
  ),
  health_check: field("How an engine is probed.", fieldsOf(healthFields)),
  engine_metrics: field("How an engine's queue is watched.", fieldsOf(metricsFields)),
  headers: field("Sent with every request, over the client's. Values are never shown.", headersShape),
  terminal_event: field(
    "Whether a stream must end with its family's last event to count as whole: optional for servers that leave it out. Default: required.",
    leaf(oneOf(["required", "optional"])),
  ),
};

export type ReadProvider = ReadMap<typeof providerFields>;

export const providersShape: Shape<readonly (readonly [Entry, ReadProvider])[]> = namedRows(
  fieldsOf(providerFields),
  "providers",
);
