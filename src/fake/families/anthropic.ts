// Anthropic's messages: whole and streamed, tool use, token counting and message batches.
// Form: https://platform.claude.com/docs/en/api/messages and .../build-with-claude/streaming
import { jsonAnswer, jsonOf, listOf, namedEvent, textOf } from "./answer.ts";
import { asksForTool, lastText } from "./openai-chat.ts";
import { sample } from "./sample.ts";
import { cutText } from "./voice.ts";
import type { Answer, Json, StreamBody } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

interface ToolUse {
  readonly name: string;
  readonly input: unknown;
}

export function message(ask: Ask, voice: Voice): Answer {
  const tool = chosenTool(ask.json ?? {});
  const pieces = tool && cutText(JSON.stringify(tool.input), 6);
  const steps = pieces?.length ?? voice.steps;
  const stop = tool ? "tool_use" : voice.cut ? "max_tokens" : "end_turn";
  const base = { id: `msg_fake_${voice.id}`, type: "message", role: "assistant", model: voice.model };
  const cost = { steps, tokensPerStep: 1 };
  if (ask.stream) return { status: 200, body: streamOf({ base, tool, pieces, steps, stop, voice }), ...cost };
  const content = [
    tool
      ? { type: "tool_use", id: toolId(voice), name: tool.name, input: tool.input }
      : { type: "text", text: voice.text() },
  ];
  const ending = { stop_reason: stop, stop_sequence: null, usage: usageOf(voice.promptTokens, steps) };
  const data = JSON.stringify({ ...base, content, ...ending });
  return { status: 200, body: { kind: "whole", type: "application/json", data }, ...cost };
}

interface StreamParts {
  readonly base: Json;
  readonly tool: ToolUse | undefined;
  readonly pieces: readonly string[] | undefined;
  readonly steps: number;
  readonly stop: string;
  readonly voice: Voice;
}

function streamOf({ base, tool, pieces, steps, stop, voice }: StreamParts): StreamBody {
  const block = tool
    ? { type: "tool_use", id: toolId(voice), name: tool.name, input: {} }
    : { type: "text", text: "" };
  const hole = "\u0001";
  const delta = tool ? { type: "input_json_delta", partial_json: hole } : { type: "text_delta", text: hole };
  const frame = namedEvent({ type: "content_block_delta", index: 0, delta }).split(JSON.stringify(hole));
  const [before = "", after = ""] = frame;
  const started = {
    ...base,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(voice.promptTokens, 1),
  };
  return {
    kind: "stream",
    type: "text/event-stream; charset=utf-8",
    opening:
      namedEvent({ type: "message_start", message: started }) +
      namedEvent({ type: "content_block_start", index: 0, content_block: block }) +
      namedEvent({ type: "ping" }),
    step: (at) =>
      before + (pieces === undefined ? voice.quoted(at) : JSON.stringify(pieces[at] ?? "")) + after,
    closing: () =>
      namedEvent({ type: "content_block_stop", index: 0 }) +
      namedEvent({
        type: "message_delta",
        delta: { stop_reason: stop, stop_sequence: null },
        usage: { output_tokens: steps },
      }) +
      namedEvent({ type: "message_stop" }),
    errorEvent: (error) => namedEvent({ ...jsonOf(error), type: "error" }),
  };
}

export const countTokens = (ask: Ask): Answer => jsonAnswer({ input_tokens: ask.promptTokens });

/** A batch that is always done, whatever its id. */
export function messageBatch(ask: Ask): Answer {
  const id = ask.object === "" ? `msgbatch_fake_${ask.id}` : ask.object.split("/")[0];
  const batch = {
    id,
    type: "message_batch",
    processing_status: ask.request.method === "POST" ? "in_progress" : "ended",
    request_counts: { processing: 0, succeeded: 1, errored: 0, canceled: 0, expired: 0 },
    created_at: "2026-01-01T00:00:00Z",
    expires_at: "2026-01-02T00:00:00Z",
    ended_at: null,
    archived_at: null,
    cancel_initiated_at: null,
    results_url: null,
  };
  const list = ask.request.method === "GET" && ask.object === "";
  return jsonAnswer(list ? { data: [batch], has_more: false, first_id: id, last_id: id } : batch);
}

const toolId = (voice: Voice): string => `toolu_fake_${voice.id}`;

const usageOf = (input: number, output: number): Json => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: output,
  service_tier: "standard",
});

function chosenTool(json: Json): ToolUse | undefined {
  const tools = listOf(json["tools"]).map(jsonOf);
  const choice = jsonOf(json["tool_choice"]);
  const named = textOf(choice?.["name"]);
  const forced = choice?.["type"] === "any" || named !== undefined;
  if (!forced && (choice?.["type"] === "none" || !asksForTool(lastText(json["messages"])))) return undefined;
  const tool = tools.find((one) => one !== undefined && (named === undefined || one["name"] === named));
  const name = textOf(tool?.["name"]);
  return name === undefined ? undefined : { name, input: sample(tool?.["input_schema"]) };
}
