// OpenAI's images, speech, transcriptions and moderations.
// Forms: https://platform.openai.com/docs/api-reference/images, .../audio and .../moderations
import { dataEvent, jsonAnswer, numberOf } from "./answer.ts";
import { openaiErrorEvent } from "./openai-chat.ts";
import type { Answer } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

/** A transparent PNG of one pixel. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=";

export function images(ask: Ask, voice: Voice): Answer {
  const count = Math.min(10, Math.max(1, Math.floor(numberOf(ask.json?.["n"]) ?? 1)));
  const usage = { input_tokens: voice.promptTokens, output_tokens: 0, total_tokens: voice.promptTokens };
  const data = Array.from({ length: count }, () => ({ b64_json: PIXEL }));
  return jsonAnswer({ created: voice.createdSec, data, usage });
}

const SPEECH_CHUNK_BYTES = 512;

/** Binary, in chunks as a synthesiser makes them: an ID3 head, then bytes that hold every value. */
export function speech(_ask: Ask, voice: Voice): Answer {
  const chunk = Uint8Array.from({ length: SPEECH_CHUNK_BYTES }, (_, index) => index & 0xff);
  return {
    status: 200,
    steps: voice.steps,
    tokensPerStep: 1,
    body: {
      kind: "stream",
      type: "audio/mpeg",
      opening: Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 0),
      step: () => chunk,
      closing: () => "",
      errorEvent: (error) => JSON.stringify(error),
    },
  };
}

export function transcription(ask: Ask, voice: Voice): Answer {
  const cost = { steps: voice.steps, tokensPerStep: 1 };
  const usage = {
    type: "tokens",
    input_tokens: voice.promptTokens,
    output_tokens: voice.steps,
    total_tokens: voice.promptTokens + voice.steps,
  };
  if (!ask.stream) {
    const data = JSON.stringify({ text: voice.text(), usage });
    return { status: 200, body: { kind: "whole", type: "application/json", data }, ...cost };
  }
  return {
    status: 200,
    ...cost,
    body: {
      kind: "stream",
      type: "text/event-stream; charset=utf-8",
      opening: "",
      step: (at) => dataEvent({ type: "transcript.text.delta", delta: voice.word(at) }),
      closing: () =>
        `${dataEvent({ type: "transcript.text.done", text: voice.text(), usage })}data: [DONE]\n\n`,
      errorEvent: openaiErrorEvent,
    },
  };
}

const CATEGORIES = ["harassment", "hate", "self-harm", "sexual", "violence"];

export function moderation(ask: Ask): Answer {
  const input = ask.json?.["input"];
  const inputs = Array.isArray(input) ? input : [input];
  const results = inputs.map(() => ({
    flagged: false,
    categories: Object.fromEntries(CATEGORIES.map((name) => [name, false])),
    category_scores: Object.fromEntries(CATEGORIES.map((name) => [name, 0.0001])),
  }));
  return jsonAnswer({ id: `modr-fake-${ask.id}`, model: ask.model || "omni-moderation-latest", results });
}
