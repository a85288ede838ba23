// Finds the family and operation of a path, whatever base path stands before it (/v1, /openai/v1, /api/v1, none).
import type { Family } from "./ask.ts";

export interface Route {
  readonly family: Family;
  readonly operation: string;
  /** The model, when the path names it (Gemini, Azure). */
  readonly model?: string;
  /** The variable part of the path. */
  readonly object: string;
}

type Row = readonly [path: RegExp, family: Family, operation: string];

/** First match wins; a group in the pattern is the object of the call. */
const ROWS: readonly Row[] = [
  [/\/chat\/completions$/, "openai", "chat"],
  [/\/messages\/count_tokens$/, "anthropic", "count_tokens"],
  [/\/messages\/batches(?:\/(.+))?$/, "anthropic", "message_batches"],
  [/^(?!.*\/threads\/).*\/messages$/, "anthropic", "messages"],
  [/\/completions$/, "openai", "completions"],
  [/\/embeddings$/, "openai", "embeddings"],
  [/\/responses$/, "openai", "responses"],
  [/\/responses\/(.+)$/, "openai", "response"],
  [/\/images\/(?:generations|edits|variations)$/, "openai", "images"],
  [/\/audio\/speech$/, "openai", "speech"],
  [/\/audio\/(?:transcriptions|translations)$/, "openai", "transcriptions"],
  [/\/moderations$/, "openai", "moderations"],
  [/\/files(?:\/(.+))?$/, "openai", "files"],
  [/\/batches(?:\/(.+))?$/, "openai", "batches"],
  [/\/uploads(?:\/(.+))?$/, "openai", "uploads"],
  [/\/rerank$/, "openai", "rerank"],
  [/\/score$/, "openai", "score"],
  [/\/tokenize$/, "openai", "tokenize"],
  [/\/detokenize$/, "openai", "detokenize"],
  [/\/models(?:\/(.+))?$/, "openai", "models"],
  [/\/metrics$/, "engine", "metrics"],
  [/\/health(?:z|_generate)?$/, "engine", "health"],
];

const GEMINI = /\/models\/([^/:]+(?:\/[^/:]+)*):(\w+)$/;
const AZURE = /\/openai\/deployments\/([^/]+)\//;

export function routeOf(path: string): Route {
  const gemini = GEMINI.exec(path);
  if (gemini !== null) {
    return { family: "gemini", operation: gemini[2] ?? "", model: decoded(gemini[1] ?? ""), object: "" };
  }
  const deployment = AZURE.exec(path)?.[1];
  for (const [pattern, family, operation] of ROWS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const ofGemini = operation === "models" && path.includes("/v1beta/");
    return {
      family: ofGemini ? "gemini" : family,
      operation,
      object: decoded(match[1] ?? ""),
      ...(deployment !== undefined && { model: decoded(deployment) }),
    };
  }
  return { family: path.includes("/v1beta/") ? "gemini" : "openai", operation: "other", object: "" };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
