// Gemini's generateContent: whole, as server-sent events, or as a JSON array; function calls, counting, embeddings.
// Form: https://ai.google.dev/api/generate-content and https://ai.google.dev/api/embeddings
import { jsonAnswer, jsonOf, listOf, numberOf, textOf } from "./answer.ts";
import { vectorOf } from "./embeddings.ts";
import { asksForTool } from "./openai-chat.ts";
import { sample } from "./sample.ts";
import type { Answer, Json, StreamBody } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

export function generateContent(ask: Ask, voice: Voice): Answer {
  const call = chosenFunction(ask.json ?? {});
  const steps = call ? 1 : voice.steps;
  const reason = voice.cut && !call ? "MAX_TOKENS" : "STOP";
  const about = { modelVersion: voice.model, responseId: `fake-${voice.id}` };
  const usage = { usageMetadata: usageOf(voice.promptTokens, steps) };
  const cost = { steps, tokensPerStep: 1 };
  if (!ask.stream) {
    const part = call ? { functionCall: call } : { text: voice.text() };
    const data = JSON.stringify({ candidates: [candidate([part], reason)], ...usage, ...about });
    return { status: 200, body: { kind: "whole", type: "application/json; charset=UTF-8", data }, ...cost };
  }
  const events = /(?:^|&)alt=sse(?:&|$)/.test(ask.request.query);
  const step = (at: number): Json => ({
    candidates: [candidate([call ? { functionCall: call } : { text: voice.word(at) }])],
    usageMetadata: usageOf(voice.promptTokens, at + 1),
    ...about,
  });
  const last = { candidates: [candidate([{ text: "" }], reason)], ...usage, ...about };
  return { status: 200, body: events ? eventStream(step, last) : arrayStream(step, last), ...cost };
}

/** Gemini's events end with CR LF. */
const event = (value: Json): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

function eventStream(step: (at: number) => Json, last: Json): StreamBody {
  return {
    kind: "stream",
    type: "text/event-stream",
    opening: "",
    step: (at) => event(step(at)),
    closing: () => event(last),
    // An error in mid-stream comes as plain JSON, not as an event.
    errorEvent: (error) => JSON.stringify(error),
  };
}

/** Without alt=sse the stream is one JSON array. */
function arrayStream(step: (at: number) => Json, last: Json): StreamBody {
  return {
    kind: "stream",
    type: "application/json; charset=UTF-8",
    opening: "[",
    step: (at) => `${at === 0 ? "" : ",\r\n"}${JSON.stringify(step(at))}`,
    closing: () => `,\r\n${JSON.stringify(last)}]`,
    errorEvent: (error) => `,\r\n${JSON.stringify(error)}]`,
  };
}

export const geminiCount = (ask: Ask): Answer =>
  jsonAnswer({
    totalTokens: ask.promptTokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: ask.promptTokens }],
  });

/** embedContent with one content, batchEmbedContents with several. */
export function embedContent(ask: Ask): Answer {
  const json = ask.json ?? {};
  return ask.operation === "embedContent"
    ? jsonAnswer({ embedding: embedding(json) })
    : jsonAnswer({ embeddings: listOf(json["requests"]).map(embedding) });
}

function embedding(request: unknown): Json {
  const content = jsonOf(request) ?? {};
  const dimensions = numberOf(content["outputDimensionality"]) ?? 16;
  return { values: vectorOf(JSON.stringify(content["content"] ?? ""), dimensions) };
}

const candidate = (parts: readonly Json[], finishReason?: string): Json => ({
  content: { parts, role: "model" },
  ...(finishReason !== undefined && { finishReason }),
  index: 0,
});

const usageOf = (prompt: number, candidates: number): Json => ({
  promptTokenCount: prompt,
  candidatesTokenCount: candidates,
  totalTokenCount: prompt + candidates,
});

function chosenFunction(json: Json): Json | undefined {
  const declared = listOf(json["tools"]).flatMap((tool) => listOf(jsonOf(tool)?.["functionDeclarations"]));
  const mode = jsonOf(jsonOf(json["toolConfig"])?.["functionCallingConfig"])?.["mode"];
  const last = JSON.stringify(listOf(json["contents"]).at(-1) ?? "");
  if (mode !== "ANY" && (mode === "NONE" || !asksForTool(last))) return undefined;
  const form = jsonOf(declared[0]);
  const name = textOf(form?.["name"]);
  if (name === undefined) return undefined;
  return { name, args: sample(form?.["parameters"] ?? form?.["parametersJsonSchema"]) };
}
