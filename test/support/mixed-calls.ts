// A hundred calls of four forms against keys and a provider that fail by chance, for what displays say of them.
import type { LedgerEntry } from "../../src/fake/ledger.ts";
import { startFake } from "../../src/fake/server.ts";
import { startWeir, type Weir } from "./weir.ts";

export const OPENAI_KEYS = [
  "sk-canary-openai-aaaa1111",
  "sk-canary-openai-bbbb2222",
  "sk-canary-openai-cccc3333",
];
export const ANTHROPIC_KEYS = ["sk-canary-claude-dddd4444", "sk-canary-claude-eeee5555"];

const SCRIPT = {
  rules: [
    { probability: 0.08, do: { error: "rate_limit", retry_after: "1ms" } },
    { probability: 0.08, do: { error: "server_error" } },
    { probability: 0.12, do: { error: "bad_request" } },
    { match: { stream: true, model: "gpt-4o" }, probability: 0.3, do: { fault: "early_end", after: 2 } },
  ],
} as const;

export interface Seen {
  readonly kind: "ok" | "error" | "broken";
  readonly status: number;
  readonly attempts: number;
}

/** Four forms of call in turn; a few at a time. */
export async function callMixed(weir: Weir, count: number): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  let next = 0;
  const message = { role: "user", content: "hi" };
  const one = async (at: number): Promise<Seen> => {
    const stream = at % 2 === 0;
    const options = { stream_options: { include_usage: true } };
    const response =
      at % 4 < 2
        ? await weir.post("/v1/chat/completions", {
            model: "gpt-4o",
            messages: [message],
            stream,
            ...(stream ? options : {}),
          })
        : await weir.post("/v1/messages", { model: "claude-x", max_tokens: 20, messages: [message], stream });
    const text = await response.text();
    const isBroken = stream && response.ok && !/\[DONE\]|message_stop/.test(text);
    const attempts = Number(response.headers.get("x-weir-attempts"));
    return { kind: isBroken ? "broken" : response.ok ? "ok" : "error", status: response.status, attempts };
  };
  const worker = async (): Promise<void> => {
    for (; next < count;) {
      next += 1;
      seen.push(await one(next));
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return seen;
}

/** Ended well, as the provider sees it. */
export const isGood = ({ status, state, fault }: LedgerEntry): boolean =>
  status === 200 && state === "finished" && fault === "";

/** Two providers of weir over one fake, with five keys. */
export function startMixedScene() {
  const fake = startFake({ seed: 7, script: SCRIPT });
  const weir = startWeir({
    providers: [
      { name: "openai", urls: [fake.url], keys: OPENAI_KEYS, models: ["gpt-4o"] },
      { name: "anthropic", urls: [fake.url], keys: ANTHROPIC_KEYS, models: ["claude-x"] },
    ],
    cooldown: { firstMs: 1, maxMs: 5, jitter: 0 },
    retry: { backoffMs: 1, maxBackoffMs: 2 },
    queue: { maxWaitMs: 2000 },
  });
  return { fake, weir };
}
