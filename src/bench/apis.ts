// The calls that can be measured: where each goes, what it asks, and what a right answer to it looks like.
import type { TokenUsage } from "../core/usage.ts";

export type ApiName = "chat" | "completions" | "responses" | "messages" | "embeddings";

type Json = Readonly<Record<string, unknown>>;

/** What one event of a stream means. */
export interface EventMeaning {
  /**
   * Something of the answer: what is counted, and what time to first token and gaps are measured by. Its text if there is one in
   * one place, else empty.
   */
  readonly content: string | undefined;
  readonly isEnd: boolean;
}

export interface Api {
  /** Below the version's folder. */
  readonly path: string;
  readonly canStream: boolean;
  /** Fields around the prompt. */
  readonly fields: (ask: {
    readonly model: string;
    readonly maxTokens: number;
    readonly isStream: boolean;
  }) => Json;
  /** The fields that hold the prompt. */
  readonly prompt: (text: string) => Json;
  readonly readEvent: (event: Json) => EventMeaning;
  readonly hasContent: (answer: Json) => boolean;
  readonly keyHeader: "authorization" | "x-api-key";
  /** Where the family's own clients find their key. */
  readonly keyVariable: "OPENAI_API_KEY" | "ANTHROPIC_API_KEY";
}

const NOTHING: EventMeaning = { content: undefined, isEnd: false };
const END: EventMeaning = { content: undefined, isEnd: true };
const contentOf = (text: unknown): EventMeaning => ({
  content: typeof text === "string" ? text : "",
  isEnd: false,
});

const asJson = (value: unknown): Json | undefined =>
  typeof value === "object" && value !== null ? (value as Json) : undefined;
const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
const choicesOf = (json: Json): readonly unknown[] => (Array.isArray(json["choices"]) ? json["choices"] : []);

const streamed = (isStream: boolean): Json =>
  isStream ? { stream: true, stream_options: { include_usage: true } } : {};
const asMessages = (text: string): Json => ({ messages: [{ role: "user", content: text }] });

/** Engines call a thinking model's thoughts `reasoning_content` or `reasoning`. */
const hasWords = (part: unknown): boolean => {
  const json = asJson(part);
  return (
    json !== undefined &&
    (isText(json["content"]) ||
      isFilled(json["content"]) ||
      isFilled(json["tool_calls"]) ||
      isText(json["reasoning_content"]) ||
      isText(json["reasoning"]) ||
      isText(json["refusal"]))
  );
};

export const APIS: Readonly<Record<ApiName, Api>> = {
  chat: {
    path: "/chat/completions",
    canStream: true,
    fields: ({ model, maxTokens, isStream }) => ({
      model,
      max_tokens: maxTokens,
      ...streamed(isStream),
    }),
    prompt: asMessages,
    readEvent(event) {
      const delta = choicesOf(event)
        .map((one) => asJson(one)?.["delta"])
        .find(hasWords);
      return delta === undefined ? NOTHING : contentOf(asJson(delta)?.["content"]);
    },
    hasContent: (answer) => choicesOf(answer).some((one) => hasWords(asJson(one)?.["message"])),
    keyHeader: "authorization",
    keyVariable: "OPENAI_API_KEY",
  },
  completions: {
    path: "/completions",
    canStream: true,
    fields: ({ model, maxTokens, isStream }) => ({
      model,
      max_tokens: maxTokens,
      ...streamed(isStream),
    }),
    prompt: (text) => ({ prompt: text }),
    readEvent(event) {
      const text = choicesOf(event)
        .map((one) => asJson(one)?.["text"])
        .find(isText);
      return text === undefined ? NOTHING : contentOf(text);
    },
    hasContent: (answer) => choicesOf(answer).some((one) => isText(asJson(one)?.["text"])),
    keyHeader: "authorization",
    keyVariable: "OPENAI_API_KEY",
  },
  responses: {
    path: "/responses",
    canStream: true,
    fields: ({ model, maxTokens, isStream }) => ({
      model,
      max_output_tokens: maxTokens,
      stream: isStream,
    }),
    prompt: (text) => ({ input: text }),
    readEvent(event) {
      const type = String(event["type"]);
      if (type.endsWith(".delta")) return isText(event["delta"]) ? contentOf(event["delta"]) : NOTHING;
      return type === "response.completed" || type === "response.incomplete" ? END : NOTHING;
    },
    hasContent: (answer) => isFilled(answer["output"]),
    keyHeader: "authorization",
    keyVariable: "OPENAI_API_KEY",
  },
  messages: {
    path: "/messages",
    canStream: true,
    fields: ({ model, maxTokens, isStream }) => ({
      model,
      max_tokens: maxTokens,
      stream: isStream,
    }),
    prompt: asMessages,
    readEvent(event) {
      if (event["type"] === "content_block_delta") return contentOf(asJson(event["delta"])?.["text"]);
      return event["type"] === "message_stop" ? END : NOTHING;
    },
    hasContent: (answer) => isFilled(answer["content"]),
    keyHeader: "x-api-key",
    keyVariable: "ANTHROPIC_API_KEY",
  },
  embeddings: {
    path: "/embeddings",
    canStream: false,
    fields: ({ model }) => ({ model }),
    prompt: (text) => ({ input: text }),
    readEvent: () => NOTHING,
    hasContent: (answer) => isFilled(answer["data"]),
    keyHeader: "authorization",
    keyVariable: "OPENAI_API_KEY",
  },
};

export const API_NAMES = Object.keys(APIS) as readonly ApiName[];

/** The tokens that an answer or an event reports. */
export function usageOf(json: Json): TokenUsage | undefined {
  const usage =
    asJson(json["usage"]) ??
    asJson(asJson(json["response"])?.["usage"]) ??
    asJson(asJson(json["message"])?.["usage"]);
  if (usage === undefined) return undefined;
  const count = (...names: readonly string[]): number => {
    for (const name of names) {
      const value = usage[name];
      if (typeof value === "number" && value >= 0) return value;
    }
    return 0;
  };
  return {
    inputTokens: count("prompt_tokens", "input_tokens"),
    outputTokens: count("completion_tokens", "output_tokens"),
  };
}

/** What an error says of itself, as short as its code; undefined: it is no error. */
export function errorIn(json: Json): string | undefined {
  const error = json["error"];
  const isNamed = json["type"] === "error" || json["type"] === "response.failed";
  if ((error === undefined || error === null) && !isNamed) return undefined;
  const fields = asJson(error) ?? asJson(asJson(json["response"])?.["error"]) ?? json;
  const said = [fields["code"], fields["type"], fields["status"]].find(
    (one) => (isText(one) && one !== "error") || typeof one === "number",
  );
  return nameOf(said) ?? "error";
}

/** Only what can be a code: a message of a stranger must not reach the screen. */
const nameOf = (said: unknown): string | undefined => {
  const text = typeof said === "number" ? String(said) : said;
  return typeof text === "string" && /^[\w.:-]{1,60}$/.test(text) ? text : undefined;
};
