// One call with a key that its provider limits, through the whole app: the fake answers as that provider does, with the
// status, headers and body that were recorded of it, and weir must see what it is about.
import type { FormName } from "../../src/fake/forms/form.ts";
import type { FakeScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { startWeir, type Weir } from "./weir.ts";

export const LIMITS = ["requests a minute", "tokens a minute", "requests a day", "quota", "billing"] as const;
export type Limit = (typeof LIMITS)[number];

export interface LimitEnd {
  /** The status that the client gets, and the seconds that it is told to wait. */
  readonly status: number;
  readonly retryAfter: string;
  /** What the attempt came to. */
  readonly outcome: string;
  /** The cause of the key's rest, and its seconds. */
  readonly key: string;
}

const KEY = "sk-limited-000000000000000001";
const PROVIDERS: Readonly<Record<FormName, string>> = {
  openai: "openai",
  azure: "azure_openai",
  anthropic: "anthropic",
  gemini: "google",
  groq: "groq",
  openrouter: "openrouter",
};

function scriptOf(form: FormName, limit: Limit): FakeScript {
  switch (limit) {
    case "requests a minute":
      return { keys: { [KEY]: { form, rpm: 1 } } };
    case "tokens a minute":
      return { keys: { [KEY]: { form, tpm: 20 } } };
    case "requests a day":
      return { keys: { [KEY]: { form, rpd: 1 } } };
    case "quota":
      return { keys: { [KEY]: { form, quota_exhausted: true } } };
    case "billing":
      return { form, rules: [{ do: "billing" }] };
  }
}

export async function playLimit(form: FormName, limit: Limit): Promise<LimitEnd> {
  // Time stands still for the limits, so that each wait is its whole window.
  const nowMs = Date.now();
  const fake = startFake({ script: { tokens: 1, ...scriptOf(form, limit) }, now: () => nowMs });
  await using weir = startWeir({ providers: [{ name: PROVIDERS[form], urls: [fake.url], keys: [KEY] }] });
  // Somebody else uses the key up: weir would heed the headers of its own first answer and never meet the limit.
  await post(fake, form);
  const answer = await post(weir, form);
  await answer.arrayBuffer();
  await weir.idle();
  const { rest } = weir.slot(KEY).keyState;
  const [attempt] = weir.attempts();
  await fake.stop();
  return {
    status: answer.status,
    retryAfter: answer.headers.get("retry-after") ?? "-",
    outcome: attempt?.outcome ?? "none",
    key: rest === undefined ? "-" : `${rest.cause} ${Math.round((rest.untilMs - rest.sinceMs) / 1000)} s`,
  };
}

const messages = [{ role: "user", content: "hi" }];

/** As the SDKs of the form's family would send it. */
function post({ url }: Fake | Weir, form: FormName): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
  const send = (path: string, body: unknown) =>
    fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  switch (form) {
    case "gemini":
      return send("/v1beta/models/gemini-x:generateContent", { contents: [{ parts: [{ text: "hi" }] }] });
    case "anthropic":
      return send("/v1/messages", { model: "claude-x", max_tokens: 9, messages });
    case "openai":
    case "azure":
    case "groq":
    case "openrouter":
      return send("/v1/chat/completions", { model: "some-model", messages });
  }
}
