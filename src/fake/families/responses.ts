// OpenAI's responses: whole, and streamed with the full sequence of events; function calls; stored ones by id.
// Form: https://platform.openai.com/docs/api-reference/responses and .../responses-streaming
import { jsonAnswer, jsonOf, listOf, namedEvent, textOf } from "./answer.ts";
import { asksForTool } from "./openai-chat.ts";
import { sample } from "./sample.ts";
import { cutText } from "./voice.ts";
import type { Answer, Json, StreamBody } from "./answer.ts";
import type { Ask } from "./ask.ts";
import type { Voice } from "./voice.ts";

interface ToolUse {
  readonly name: string;
  readonly argumentsText: string;
}

export function response(ask: Ask, voice: Voice): Answer {
  const tool = chosenTool(ask.json ?? {});
  const pieces = tool && cutText(tool.argumentsText, 6);
  const steps = pieces?.length ?? voice.steps;
  const cost = { steps, tokensPerStep: 1 };
  const id = `resp_fake_${voice.id}`;
  if (ask.stream) return { status: 200, body: streamOf({ id, ask, voice, tool, pieces, steps }), ...cost };
  const item = itemOf(voice, tool, "completed", tool ? tool.argumentsText : voice.text());
  const data = JSON.stringify(whole(id, ask, voice, { item, steps, cut: voice.cut && !tool }));
  return { status: 200, body: { kind: "whole", type: "application/json", data }, ...cost };
}

/** GET, DELETE and cancel of a stored response, and its input items. */
export function storedResponse(ask: Ask, voice: Voice): Answer {
  const [id = "", part] = ask.object.split("/");
  if (part === "input_items")
    return jsonAnswer({ object: "list", data: [], first_id: null, last_id: null, has_more: false });
  if (ask.request.method === "DELETE") return jsonAnswer({ id, object: "response", deleted: true });
  const item = itemOf(voice, undefined, "completed", voice.text());
  return jsonAnswer(whole(id, ask, voice, { item, steps: voice.steps, cut: false }));
}

interface StreamParts {
  readonly id: string;
  readonly ask: Ask;
  readonly voice: Voice;
  readonly tool: ToolUse | undefined;
  readonly pieces: readonly string[] | undefined;
  readonly steps: number;
}

function streamOf({ id, ask, voice, tool, pieces, steps }: StreamParts): StreamBody {
  let sequence = 0;
  const event = (type: string, rest: Json): string => {
    sequence += 1;
    return namedEvent({ type, sequence_number: sequence - 1, ...rest });
  };
  const at = { item_id: itemId(voice, tool), output_index: 0 };
  const inPart = { ...at, content_index: 0 };
  const started = whole(id, ask, voice, undefined);
  const delta = tool ? "response.function_call_arguments.delta" : "response.output_text.delta";
  return {
    kind: "stream",
    type: "text/event-stream; charset=utf-8",
    opening:
      event("response.created", { response: started }) +
      event("response.in_progress", { response: started }) +
      event("response.output_item.added", { output_index: 0, item: itemOf(voice, tool, "in_progress", "") }) +
      (tool ? "" : event("response.content_part.added", { ...inPart, part: part("") })),
    step: (index) =>
      pieces === undefined
        ? event(delta, { ...inPart, delta: voice.word(index), logprobs: [] })
        : event(delta, { ...at, delta: pieces[index] ?? "" }),
    closing() {
      const text = tool ? tool.argumentsText : voice.text();
      const item = itemOf(voice, tool, "completed", text);
      const cut = voice.cut && !tool;
      const done = tool
        ? event("response.function_call_arguments.done", { ...at, name: tool.name, arguments: text })
        : event("response.output_text.done", { ...inPart, text, logprobs: [] }) +
          event("response.content_part.done", { ...inPart, part: part(text) });
      return (
        done +
        event("response.output_item.done", { output_index: 0, item }) +
        event(cut ? "response.incomplete" : "response.completed", {
          response: whole(id, ask, voice, { item, steps, cut }),
        })
      );
    },
    errorEvent(error) {
      const { code, message, param } = jsonOf(jsonOf(error)?.["error"]) ?? {};
      return event("error", { code: code ?? null, message: message ?? "", param: param ?? null });
    },
  };
}

const part = (text: string): Json => ({ type: "output_text", text, annotations: [], logprobs: [] });

interface Ending {
  readonly item: Json;
  readonly steps: number;
  readonly cut: boolean;
}

/** The response object, in progress when there is no ending yet. */
function whole(id: string, ask: Ask, voice: Voice, ending: Ending | undefined): Json {
  const usage = ending && {
    input_tokens: voice.promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: ending.steps,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: voice.promptTokens + ending.steps,
  };
  return {
    id,
    object: "response",
    created_at: voice.createdSec,
    status: ending === undefined ? "in_progress" : ending.cut ? "incomplete" : "completed",
    background: false,
    error: null,
    incomplete_details: ending?.cut === true ? { reason: "max_output_tokens" } : null,
    instructions: ask.json?.["instructions"] ?? null,
    max_output_tokens: ask.json?.["max_output_tokens"] ?? null,
    metadata: {},
    model: voice.model,
    output: ending === undefined ? [] : [ending.item],
    parallel_tool_calls: true,
    previous_response_id: ask.json?.["previous_response_id"] ?? null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: ask.json?.["tool_choice"] ?? "auto",
    tools: ask.json?.["tools"] ?? [],
    top_p: 1,
    truncation: "disabled",
    usage: usage ?? null,
  };
}

const itemId = (voice: Voice, tool: ToolUse | undefined): string => `${tool ? "fc" : "msg"}_fake_${voice.id}`;

function itemOf(voice: Voice, tool: ToolUse | undefined, status: string, text: string): Json {
  const id = itemId(voice, tool);
  if (tool !== undefined) {
    const call = { call_id: `call_fake_${voice.id}`, name: tool.name, arguments: text };
    return { id, type: "function_call", status, ...call };
  }
  const content = status === "completed" ? [part(text)] : [];
  return { id, type: "message", status, role: "assistant", content };
}

function chosenTool(json: Json): ToolUse | undefined {
  const functions = listOf(json["tools"])
    .map(jsonOf)
    .filter((tool) => tool?.["type"] === "function");
  const choice = json["tool_choice"];
  const named = textOf(jsonOf(choice)?.["name"]);
  const input = typeof json["input"] === "string" ? json["input"] : JSON.stringify(json["input"] ?? "");
  const forced = choice === "required" || named !== undefined;
  if (!forced && (choice === "none" || !asksForTool(input))) return undefined;
  const tool = functions.find((one) => named === undefined || one?.["name"] === named);
  const name = textOf(tool?.["name"]);
  return name === undefined
    ? undefined
    : { name, argumentsText: JSON.stringify(sample(tool?.["parameters"])) };
}
