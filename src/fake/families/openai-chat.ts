// OpenAI's chat completions, also under Azure's paths: whole and streamed, several choices, tool calls, usage.
// Form: https://platform.openai.com/docs/api-reference/chat
import { dataEvent, jsonOf, listOf, numberOf, textOf } from "./answer.ts";
import { sample } from "./sample.ts";
import { cutText } from "./voice.ts";
import type { Answer, Json, StreamBody } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

/** The error event of every OpenAI-shaped stream. */
export const openaiErrorEvent = (error: unknown): string => dataEvent(error);

const MOST_CHOICES = 16;

interface ToolUse {
  readonly name: string;
  readonly argumentsText: string;
}

export function chatCompletion(ask: Ask, voice: Voice): Answer {
  const json = ask.json ?? {};
  const tool = chosenTool(json);
  const written = tool === undefined ? structured(json) : tool.argumentsText;
  const pieces = written === undefined ? undefined : cutText(written, 6);
  const steps = pieces?.length ?? voice.steps;
  const choices = Math.min(MOST_CHOICES, Math.max(1, Math.floor(numberOf(json["n"]) ?? 1)));
  const finish = tool ? "tool_calls" : voice.cut && pieces === undefined ? "length" : "stop";
  const usage = usageOf(voice.promptTokens, steps * choices);
  const base = {
    id: `chatcmpl-fake-${voice.id}`,
    created: voice.createdSec,
    model: voice.model,
    system_fingerprint: "fp_fake",
  };
  const cost = { steps, tokensPerStep: choices };
  if (ask.stream) {
    const chunk = (rest: Json): Json => ({ ...base, object: "chat.completion.chunk", ...rest });
    const withUsage = jsonOf(json["stream_options"])?.["include_usage"] === true;
    const body = streamOf({
      chunk,
      choices,
      finish,
      tool,
      pieces,
      voice,
      usage: withUsage ? usage : undefined,
    });
    return { status: 200, body, ...cost };
  }
  const message = {
    role: "assistant",
    content: tool ? null : (written ?? voice.text()),
    refusal: null,
    ...(tool && { tool_calls: [{ id: callId(voice), type: "function", function: functionOf(tool) }] }),
  };
  const list = Array.from({ length: choices }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: finish,
  }));
  const data = JSON.stringify({ ...base, object: "chat.completion", choices: list, usage });
  return { status: 200, body: { kind: "whole", type: "application/json", data }, ...cost };
}

interface StreamParts {
  readonly chunk: (rest: Json) => Json;
  readonly choices: number;
  readonly finish: string;
  readonly tool: ToolUse | undefined;
  readonly pieces: readonly string[] | undefined;
  readonly voice: Voice;
  readonly usage: Json | undefined;
}

function streamOf(parts: StreamParts): StreamBody {
  const { chunk, choices, finish, tool, pieces, voice, usage } = parts;
  const tail = usage === undefined ? {} : { usage: null };
  const each = (make: (index: number) => string): string => {
    let all = "";
    for (let index = 0; index < choices; index += 1) all += make(index);
    return all;
  };
  const event = (index: number, delta: Json, reason: string | null): string =>
    dataEvent(chunk({ choices: [{ index, delta, logprobs: null, finish_reason: reason }], ...tail }));
  // Each event is cut around its text once, so that a step only joins three strings.
  const hole = "\u0001";
  const delta = tool ? { tool_calls: [{ index: 0, function: { arguments: hole } }] } : { content: hole };
  const frames = Array.from({ length: choices }, (_, index) =>
    event(index, delta, null).split(JSON.stringify(hole)),
  );
  const calls = tool && [
    { index: 0, id: callId(voice), type: "function", function: { name: tool.name, arguments: "" } },
  ];
  const first = calls
    ? { role: "assistant", content: null, tool_calls: calls }
    : { role: "assistant", content: "" };
  return {
    kind: "stream",
    type: "text/event-stream; charset=utf-8",
    opening: each((index) => event(index, first, null)),
    step(at) {
      const quoted = pieces === undefined ? voice.quoted(at) : JSON.stringify(pieces[at] ?? "");
      let all = "";
      for (const [before = "", after = ""] of frames) all += before + quoted + after;
      return all;
    },
    closing: () =>
      each((index) => event(index, {}, finish)) +
      (usage === undefined ? "" : dataEvent(chunk({ choices: [], usage }))) +
      "data: [DONE]\n\n",
    errorEvent: openaiErrorEvent,
  };
}

/** Usage in OpenAI's words. */
export const usageOf = (prompt: number, completion: number): Json => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

const callId = (voice: Voice): string => `call_fake_${voice.id}`;

const functionOf = (tool: ToolUse): Json => ({ name: tool.name, arguments: tool.argumentsText });

/** The words in a prompt that make the fake use a tool without being forced to. */
export const asksForTool = (text: string): boolean => /use (the|a) tool/i.test(text);

/** The tool that the request forces, or that its last message asks for. */
function chosenTool(json: Json): ToolUse | undefined {
  const tools = listOf(json["tools"]).map((tool) => jsonOf(jsonOf(tool)?.["function"]));
  const choice = json["tool_choice"];
  const named = textOf(jsonOf(jsonOf(choice)?.["function"])?.["name"]);
  const forced = choice === "required" || named !== undefined;
  if (!forced && (choice === "none" || !asksForTool(lastText(json["messages"])))) return undefined;
  const tool = tools.find((one) => one !== undefined && (named === undefined || one["name"] === named));
  const name = textOf(tool?.["name"]);
  return name === undefined
    ? undefined
    : { name, argumentsText: JSON.stringify(sample(tool?.["parameters"])) };
}

/** The last message as text; parts of other kinds are skipped by their shape. */
export function lastText(messages: unknown): string {
  const content = jsonOf(listOf(messages).at(-1))?.["content"];
  return typeof content === "string" ? content : JSON.stringify(content ?? "");
}

/** The JSON to answer with when the request wants JSON. */
function structured(json: Json): string | undefined {
  const format = jsonOf(json["response_format"]);
  if (format?.["type"] === "json_schema")
    return JSON.stringify(sample(jsonOf(format["json_schema"])?.["schema"]));
  return format?.["type"] === "json_object" ? '{"answer":"weir"}' : undefined;
}
