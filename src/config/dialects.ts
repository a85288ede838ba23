// The table of foreign formats. Each is known by its shape, the most telling ones first; what fits none is weir's own.
import { DEEPWIKI } from "./dialect-deepwiki.ts";
import { ENDPOINTS } from "./dialect-endpoints.ts";
import { LITELLM } from "./dialect-litellm.ts";
import { LLMROUTER } from "./dialect-llmrouter.ts";
import { LMROUTER } from "./dialect-lmrouter.ts";
import { TRUSTGATE } from "./dialect-trustgate.ts";
import type { Dialect } from "./draft.ts";
import type { Node } from "./tree.ts";

/** LLMRouter's backend files are LiteLLM's but for two parameters of their rows, so they are looked for before. */
const DIALECTS: readonly Dialect[] = [LLMROUTER, LITELLM, LMROUTER, TRUSTGATE, ENDPOINTS, DEEPWIKI];

export const findDialect = (root: Node): Dialect | undefined =>
  DIALECTS.find((dialect) => dialect.recognises(root));
