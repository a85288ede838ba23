// OpenAI's older text completions, whole and streamed.
// Form: https://platform.openai.com/docs/api-reference/completions
import { dataEvent, jsonOf } from "./answer.ts";
import { openaiErrorEvent, usageOf } from "./openai-chat.ts";
import type { Answer, Json } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

export function completion(ask: Ask, voice: Voice): Answer {
  const base = {
    id: `cmpl-fake-${voice.id}`,
    object: "text_completion",
    created: voice.createdSec,
    model: voice.model,
  };
  const finish = voice.cut ? "length" : "stop";
  const usage = usageOf(voice.promptTokens, voice.steps);
  const cost = { steps: voice.steps, tokensPerStep: 1 };
  if (!ask.stream) {
    const data = JSON.stringify({ ...base, choices: [choice(voice.text(), finish)], usage });
    return { status: 200, body: { kind: "whole", type: "application/json", data }, ...cost };
  }
  const withUsage = jsonOf(ask.json?.["stream_options"])?.["include_usage"] === true;
  return {
    status: 200,
    ...cost,
    body: {
      kind: "stream",
      type: "text/event-stream; charset=utf-8",
      opening: "",
      step: (at) => dataEvent({ ...base, choices: [choice(voice.word(at), null)] }),
      closing: () =>
        dataEvent({ ...base, choices: [choice("", finish)] }) +
        (withUsage ? dataEvent({ ...base, choices: [], usage }) : "") +
        "data: [DONE]\n\n",
      errorEvent: openaiErrorEvent,
    },
  };
}

const choice = (text: string, reason: string | null): Json => ({
  text,
  index: 0,
  logprobs: null,
  finish_reason: reason,
});
