// One call by the real SDK of a family through the whole app to a fake that misbehaves for one key: what the SDK sees, and
// what weir has learned about the key and the backend, each as a few words to compare with a table.
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import type { Rest } from "../../src/core/rest.ts";
import type { FakeScript, RuleScript } from "../../src/fake/script.ts";
import { startFake } from "../../src/fake/server.ts";
import { describeError } from "./sdk-error.ts";
import { startWeir, type Weir } from "./weir.ts";

export const FAMILIES = ["chat", "responses", "anthropic", "gemini"] as const;
export type SdkFamily = (typeof FAMILIES)[number];
export const MODES = ["whole", "stream"] as const;
export type Mode = (typeof MODES)[number];

/** What is done to every call of the first key, or to every connection. */
export interface Fault {
  readonly rule?: RuleScript["do"];
  readonly accept?: FakeScript["accept"];
}

export interface Scene {
  readonly fault: Fault;
  readonly family: SdkFamily;
  readonly mode: Mode;
  /** With a second key, or for faults of connections a second address, that is well. */
  readonly beside: boolean;
}

export interface SceneEnd {
  /**
   * `ok`; `short after 3`: no error, but only three words; `raises after 3`: an error without a status, after three words;
   * `429 theirs` or `502 weir's`: the SDK's class for that status, with the provider's body or weir's own.
   */
  readonly sdk: string;
  readonly tries: number;
  readonly key: string;
  readonly backend: string;
}

const WORDS = ["one ", "two ", "three ", "four ", "five ", "six"];
const REPLY = WORDS.join("");
const BAD = "sk-bad-000000000000000000001";
const GOOD = "sk-good-00000000000000000002";
const SILENCE_MS = 1000;
const HASTY = { firstByteMs: SILENCE_MS, streamFirstByteMs: SILENCE_MS, idleMs: SILENCE_MS };
const PROVIDERS = { chat: "openai", responses: "openai", anthropic: "anthropic", gemini: "google" } as const;

export async function playScene({ fault, family, mode, beside }: Scene): Promise<SceneEnd> {
  const pace = { reply: REPLY, gap: "15ms" };
  const rules = fault.rule === undefined ? [] : [{ match: { key: BAD }, do: fault.rule }];
  const bad = startFake({
    script: { ...pace, rules, ...(fault.accept === undefined ? {} : { accept: fault.accept }) },
  });
  const good = startFake({ script: pace });
  const isOfConnection = fault.accept !== undefined;
  const hangs = JSON.stringify(fault).includes("hang");
  const weir = startWeir({
    providers: [
      {
        name: PROVIDERS[family],
        urls: beside && isOfConnection ? [bad.url, good.url] : [bad.url],
        keys: beside && !isOfConnection ? [BAD, GOOD] : [BAD],
        // Of what does not hang, no silence of a busy machine is to be taken for a fault.
        adjust: (backend) =>
          hangs && backend.origin === bad.url && backend.credential.secret?.reveal() === BAD
            ? { ...backend, timeouts: HASTY }
            : backend,
      },
    ],
    retry: { backoffMs: 1, maxBackoffMs: 1 },
  });
  try {
    const sdk = await call(weir, family, mode);
    await weir.idle();
    const { keyState, state } = weir.slot(BAD);
    const resting = describeRest(state.rest);
    return {
      sdk,
      tries: (await weir.finished()).attempts,
      key: keyState.refusedModels.size > 0 ? "not this model" : describeRest(keyState.rest),
      backend: resting === "-" && state.failuresInRow > 0 ? `failed ${state.failuresInRow}` : resting,
    };
  } finally {
    await weir[Symbol.asyncDispose]();
    await Promise.all([bad.stop(), good.stop()]);
  }
}

function describeRest(rest: Rest | undefined): string {
  if (rest === undefined) return "-";
  const seconds = Math.round((rest.untilMs - rest.sinceMs) / 1000);
  return `${rest.cause} ${seconds} s`;
}

async function call(weir: Weir, family: SdkFamily, mode: Mode): Promise<string> {
  let words = 0;
  let text = "";
  const say = (piece: string | null | undefined): void => {
    if (piece === undefined || piece === null || piece === "") return;
    words += 1;
    text += piece;
  };
  try {
    await (mode === "stream" ? streamOf(weir, family, say) : wholeOf(weir, family, say));
    return text === REPLY ? "ok" : `short after ${words}`;
  } catch (error) {
    return words > 0 ? `raises after ${words}` : (describeError(error) ?? "raises after 0");
  }
}

type Say = (piece: string | null | undefined) => void;
const messages = [{ role: "user" as const, content: "hi" }];

/** What is missing from an answer that is none reads as no words. */
async function wholeOf(weir: Weir, family: SdkFamily, say: Say): Promise<void> {
  switch (family) {
    case "chat": {
      const answer: Partial<OpenAI.ChatCompletion> = await weir
        .openai()
        .chat.completions.create({ model: "gpt-4o", messages });
      return say(answer.choices?.[0]?.message.content);
    }
    case "responses":
      return say((await weir.openai().responses.create({ model: "gpt-4o", input: "hi" })).output_text);
    case "anthropic": {
      const answer: Partial<Anthropic.Message> = await weir
        .anthropic()
        .messages.create({ model: "claude-x", max_tokens: 99, messages });
      const block = answer.content?.[0];
      return say(block?.type === "text" ? block.text : undefined);
    }
    case "gemini":
      return say((await weir.gemini().models.generateContent({ model: "gemini-x", contents: "hi" })).text);
  }
}

async function streamOf(weir: Weir, family: SdkFamily, say: Say): Promise<void> {
  switch (family) {
    case "chat":
      for await (const event of await weir
        .openai()
        .chat.completions.create({ model: "gpt-4o", messages, stream: true }))
        say(event.choices[0]?.delta.content);
      return;
    case "responses":
      for await (const event of await weir
        .openai()
        .responses.create({ model: "gpt-4o", input: "hi", stream: true }))
        if (event.type === "response.output_text.delta") say(event.delta);
      return;
    case "anthropic":
      for await (const event of await weir
        .anthropic()
        .messages.create({ model: "claude-x", max_tokens: 99, messages, stream: true }))
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") say(event.delta.text);
      return;
    case "gemini":
      for await (const chunk of await weir
        .gemini()
        .models.generateContentStream({ model: "gemini-x", contents: "hi" }))
        say(chunk.text);
  }
}
