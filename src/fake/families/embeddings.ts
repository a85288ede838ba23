// Embeddings: vectors that depend on the text alone, as numbers or as base64 of 32-bit floats.
// Form: https://platform.openai.com/docs/api-reference/embeddings
import { jsonAnswer, numberOf, textOf } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Ask } from "./ask.ts";

const DEFAULT_DIMENSIONS = 16;
const MOST_DIMENSIONS = 8192;

/** A unit vector that is the same for the same text. */
export function vectorOf(text: string, dimensions: number): number[] {
  const size = Math.min(MOST_DIMENSIONS, Math.max(1, Math.floor(dimensions)));
  let state = Bun.hash.crc32(text);
  const raw = Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  });
  const norm = Math.hypot(...raw) || 1;
  return raw.map((value) => Math.fround(value / norm));
}

export function embeddings(ask: Ask): Answer {
  const json = ask.json ?? {};
  const input = json["input"];
  // A list of numbers is one input (token ids), a list of anything else is many.
  const many = Array.isArray(input) && typeof input[0] !== "number";
  const inputs: readonly unknown[] = many ? input : [input];
  const dimensions = numberOf(json["dimensions"]) ?? DEFAULT_DIMENSIONS;
  const base64 = json["encoding_format"] === "base64";
  const data = inputs.map((one, index) => {
    const vector = vectorOf(textOf(one) ?? JSON.stringify(one ?? null), dimensions);
    const embedding = base64 ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding };
  });
  const usage = { prompt_tokens: ask.promptTokens, total_tokens: ask.promptTokens };
  return jsonAnswer({ object: "list", data, model: ask.model, usage });
}
