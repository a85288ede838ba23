// Makes the bodies of the calls: model, prompt of the wanted length or from the user's file, bounds. No two generated prompts
// begin alike, or a cache of prompts would answer for the engine.
import { type Api, APIS } from "./apis.ts";
import { drawAmount } from "./amount.ts";
import type { WorkerPlan } from "./plan.ts";

/** Beyond this a prompt is a mistake: no model takes it. */
export const MOST_TOKENS = 2_000_000;

/** Common words that tokenizers have as one token each. */
const WORDS =
  " the water runs over stone and light moves on long paths while people walk home under trees that grow near old walls and talk of work and time and the small things they saw today".match(
    / \w+/g,
  ) ?? [];
const SENTENCE = WORDS.join("");
/** Where each word of the sentence begins. */
const BEGINS = WORDS.map((_, index) => WORDS.slice(0, index).join("").length);

/** Returns what makes the next body. `lines`: of the prompts file. */
export function createQuestions(
  plan: WorkerPlan,
  lines: readonly FilePrompt[] | undefined,
  random: () => number,
): () => string {
  const api = APIS[plan.api];
  const drawModel = modelDrawer(plan, random);
  let count = 0;
  return () => {
    // Every worker takes every so many-th: no two send the same line at the same time.
    const at = plan.worker + count * plan.workers;
    count += 1;
    const fields = {
      model: drawModel(),
      maxTokens: drawAmount(plan.maxTokens, random, MOST_TOKENS),
      isStream: plan.isStream,
    };
    const line = lines?.[at % lines.length];
    if (line === undefined) return bodyOf(api, fields, makePrompt(plan, at, random));
    if (line.kind === "text") return bodyOf(api, fields, line.text);
    const { stream: _, ...own } = line.fields;
    const { max_tokens: maxTokens, ...around } = api.fields(fields);
    return JSON.stringify({
      ...around,
      // Newer models of OpenAI's refuse a body with both names of the bound, and with the old one alone.
      ...("max_completion_tokens" in own || maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...own,
      ...(plan.models.length > 0 && { model: fields.model }),
    });
  };
}

const bodyOf = (api: Api, fields: Parameters<Api["fields"]>[0], text: string): string =>
  JSON.stringify({ ...api.fields(fields), ...api.prompt(text) });

function makePrompt({ promptTokens }: WorkerPlan, at: number, random: () => number): string {
  if (promptTokens === undefined) return `Story ${at}: tell me a long story.`;
  // The number takes about two tokens of them.
  const words = Math.max(0, drawAmount(promptTokens, random, MOST_TOKENS) - 2);
  const whole = SENTENCE.repeat(Math.floor(words / WORDS.length));
  return `${at}${whole}${SENTENCE.slice(0, BEGINS[words % WORDS.length])}`;
}

function modelDrawer({ models }: WorkerPlan, random: () => number): () => string {
  const [first] = models;
  if (models.length < 2) return () => first?.model ?? "";
  const total = models.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let left = random() * total;
    for (const { model, weight } of models) {
      left -= weight;
      if (left < 0) return model;
    }
    return models.at(-1)?.model ?? "";
  };
}

export type FilePrompt =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "fields"; readonly fields: Readonly<Record<string, unknown>> };

/** A line is a string, an object with a `prompt` and nothing else, or the fields of a body; or what is wrong with the file. */
export function readPrompts(text: string): readonly FilePrompt[] | string {
  const prompts: FilePrompt[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const found = readLine(line);
    if (found === undefined)
      return `line ${index + 1}: expected a JSON string, or an object with "prompt" or "messages"`;
    prompts.push(found);
  }
  return prompts.length === 0 ? "expected at least one line" : prompts;
}

function readLine(line: string): FilePrompt | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined; // told with the number of the line
  }
  if (typeof json === "string") return { kind: "text", text: json };
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const fields = json as Readonly<Record<string, unknown>>;
  if (typeof fields["prompt"] === "string" && Object.keys(fields).length === 1)
    return { kind: "text", text: fields["prompt"] };
  return ["messages", "prompt", "input"].some((name) => name in fields)
    ? { kind: "fields", fields }
    : undefined;
}
