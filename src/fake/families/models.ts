// Lists of models in the shape of whoever asks: OpenAI's, Anthropic's (by its version header), Gemini's (by its path).
import { jsonAnswer } from "./answer.ts";
import type { Answer, Json } from "./answer.ts";
import type { Ask } from "./ask.ts";

export const DEFAULT_MODELS = [
  "gpt-4o",
  "gpt-4o-mini",
  "text-embedding-3-small",
  "claude-sonnet-4-5",
  "gemini-2.5-flash",
] as const;

/** 1 January 2025, so that the list is the same every time. */
const CREATED_SEC = 1_735_689_600;

type Shape = (id: string) => Json;

const openai: Shape = (id) => ({ id, object: "model", created: CREATED_SEC, owned_by: "fake" });

const anthropic: Shape = (id) => ({
  type: "model",
  id,
  display_name: id,
  created_at: "2025-01-01T00:00:00Z",
});

const gemini: Shape = (id) => ({
  name: `models/${id}`,
  version: "001",
  displayName: id,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ["generateContent", "countTokens"],
});

/** The list, one model, or undefined when the one asked for is unknown. */
export function listModels(ask: Ask, models: readonly string[]): Answer | undefined {
  const { path, headers } = ask.request;
  const asGemini = path.includes("/v1beta/") || ask.family === "gemini";
  const asAnthropic = headers["anthropic-version"] !== undefined;
  const shape = asGemini ? gemini : asAnthropic ? anthropic : openai;
  if (ask.object !== "") {
    const id = ask.object;
    return models.includes(id) ? jsonAnswer(shape(id)) : undefined;
  }
  const data = models.map(shape);
  if (asGemini) return jsonAnswer({ models: data });
  if (asAnthropic)
    return jsonAnswer({ data, has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null });
  return jsonAnswer({ object: "list", data });
}
