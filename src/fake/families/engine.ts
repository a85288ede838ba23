// What inference engines add to OpenAI's paths: rerank, score, tokenize, detokenize; and an echo for any other path.
// Form: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
import { jsonAnswer, listOf, textOf } from "./answer.ts";
import { vectorOf } from "./embeddings.ts";
import type { Answer } from "./answer.ts";
import type { Ask } from "./ask.ts";

const relevance = (a: unknown, b: unknown): number => {
  const [value = 0] = vectorOf(JSON.stringify([a, b]), 2);
  return Number(((value + 1) / 2).toFixed(6));
};

export function rerank(ask: Ask): Answer {
  const { query, documents, top_n: top } = ask.json ?? {};
  const results = listOf(documents)
    .map((document, index) => ({
      index,
      document: { text: textOf(document) ?? JSON.stringify(document) },
      relevance_score: relevance(query, document),
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, typeof top === "number" ? top : undefined);
  const usage = { total_tokens: ask.promptTokens };
  return jsonAnswer({ id: `rerank-fake-${ask.id}`, model: ask.model, usage, results });
}

export function score(ask: Ask): Answer {
  const first = ask.json?.["text_1"];
  const second = ask.json?.["text_2"];
  const pairs = Array.isArray(second) ? second : [second];
  const data = pairs.map((text, index) => ({ index, object: "score", score: relevance(first, text) }));
  const usage = { prompt_tokens: ask.promptTokens, total_tokens: ask.promptTokens };
  return jsonAnswer({ id: `score-fake-${ask.id}`, object: "list", model: ask.model, data, usage });
}

/** One token a byte. */
export function tokenize(ask: Ask): Answer {
  const prompt = textOf(ask.json?.["prompt"]) ?? JSON.stringify(ask.json?.["messages"] ?? "");
  const tokens = [...Buffer.from(prompt)];
  return jsonAnswer({ count: tokens.length, max_model_len: 32_768, tokens });
}

export function detokenize(ask: Ask): Answer {
  const bytes = listOf(ask.json?.["tokens"]).filter((token) => typeof token === "number");
  return jsonAnswer({ prompt: Buffer.from(bytes).toString() });
}

export const health = (): Answer => ({
  status: 200,
  body: { kind: "whole", type: "text/plain", data: "" },
  steps: 1,
  tokensPerStep: 0,
});

/** Any other POST that names a model: a proxy must be able to pass paths nobody has heard of. */
export function other(ask: Ask): Answer | undefined {
  if (ask.request.method !== "POST" || ask.model === "") return undefined;
  return jsonAnswer({ id: `fake-${ask.id}`, object: "fake.echo", model: ask.model, path: ask.request.path });
}
