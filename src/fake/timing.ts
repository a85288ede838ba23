// Draws what varies in one answer: its length in tokens, and when its head, first step and later steps are due.
import { jsonOf, numberOf } from "./families/answer.ts";
import { DEFAULT_REPLY, speak, wordsOf } from "./families/voice.ts";
import { draw } from "./spread.ts";
import type { Answer } from "./families/answer.ts";
import type { Ask } from "./families/ask.ts";
import type { Voice } from "./families/voice.ts";
import type { Pace } from "./pace.ts";
import type { Random } from "./random.ts";

export interface Times {
  readonly latencyMs: number;
  readonly firstMs: number;
  readonly gapMs: number;
}

/** Who speaks in the answer to this call, and for how long. */
export function voiceOf(
  ask: Ask,
  pace: Pace,
  { random, nowMs }: { readonly random: Random; readonly nowMs: number },
): Voice {
  const words = wordsOf(pace.reply ?? DEFAULT_REPLY, pace.chunkBytes ?? 0);
  const wanted =
    pace.tokens === undefined ? words.plain.length : Math.max(1, Math.round(draw(pace.tokens, random)));
  const most = mostTokens(ask);
  return speak(words, {
    id: String(ask.id),
    createdSec: Math.floor(nowMs / 1000),
    model: ask.model,
    promptTokens: ask.promptTokens,
    steps: Math.min(wanted, most),
    cut: most < wanted,
  });
}

/** Milliseconds from the request to the head and to the first step, and between steps. */
export function timesOf(general: Pace, own: Pace, answer: Answer, random: Random): Times {
  const pace = { ...general, ...own };
  const latencyMs = pace.latency ? draw(pace.latency, random) : 0;
  const ttftMs = pace.ttft ? draw(pace.ttft, random) : 0;
  // An action's rate replaces the script's gap, and the other way round.
  const byRate = own.tokensPerSecond ?? (own.gap ? undefined : general.tokensPerSecond);
  const gap = own.gap ?? (own.tokensPerSecond ? undefined : general.gap);
  const gapMs = byRate ? 1000 / Math.max(0.001, draw(byRate, random)) : gap ? draw(gap, random) : 0;
  const firstMs = Math.max(latencyMs, answer.status < 400 ? ttftMs : 0);
  if (answer.body.kind === "stream") return { latencyMs, firstMs, gapMs };
  const wholeMs = firstMs + (answer.steps - 1) * gapMs;
  return { latencyMs: wholeMs, firstMs: wholeMs, gapMs };
}

/** The caller's own bound on the answer. */
function mostTokens(ask: Ask): number {
  const json = ask.json ?? {};
  const config = jsonOf(json["generationConfig"]);
  const bounds = [
    json["max_completion_tokens"],
    json["max_tokens"],
    json["max_output_tokens"],
    config?.["maxOutputTokens"],
  ];
  const most = bounds.map(numberOf).find((bound) => bound !== undefined);
  return most === undefined ? Infinity : Math.max(1, Math.floor(most));
}
