// A question of weir's own to a backend, such as its list of models; never a client's request.
import type { Backend } from "../core/backend.ts";
import type { Question, Told } from "../core/question.ts";
import type { DialCheck } from "./dial.ts";
import { requestHeaders, upstreamQuery } from "./headers.ts";
import { createPhaseTimer } from "./phase-timer.ts";
import { CallEnded } from "./call-ended.ts";
import { classifyFailure, send } from "./send.ts";

interface Asking {
  readonly dialCheck: DialCheck;
  readonly session: Bun.FetchSession | undefined;
  readonly now: () => number;
}

const LONGEST_ANSWER_BYTES = 8 * 1024 * 1024;

/** Rejects with a reason that may be shown when no whole answer comes. */
export async function askBackend(backend: Backend, question: Question, asking: Asking): Promise<Told> {
  const { family, signal, timeoutMs } = question;
  const { dialCheck, session, now } = asking;
  const endpoint = backend.endpoints[family];
  if (endpoint === undefined) throw new QuestionFailed(`no ${family} endpoint`);
  const { secret } = backend.credential;
  const incoming = new Headers({ accept: "application/json", ...question.headers });
  const [below = "", search = ""] = question.path.split("?", 2);
  const base = question.below === "base" ? endpoint.baseUrl : endpoint.baseUrl.replace(/\/v1$/, "");
  const abort = new AbortController();
  const end = () => abort.abort(new CallEnded({ kind: "abandoned", detail: "stopped" }));
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  const timer = createPhaseTimer(now);
  const startedMs = now();
  try {
    const sent = await send(
      {
        url: base + below + upstreamQuery(search === "" ? "" : `?${search}`, endpoint, secret),
        dialOrigin: backend.proxyUrl ?? backend.origin,
        method: "GET",
        headers: requestHeaders({
          incoming,
          endpoint,
          secret,
          instanceId: undefined,
          hostHeader: backend.hostHeader,
          fixed: backend.headers,
        }),
        body: undefined,
        proxyUrl: backend.proxyUrl,
        session,
        timeouts: { connectMs: timeoutMs, idleMs: timeoutMs },
        firstByte: { limitMs: timeoutMs, isHurried: false },
        abort,
      },
      dialCheck,
      timer,
    );
    if (sent.kind === "failure") throw new QuestionFailed(sent.outcome.detail);
    const { response } = sent;
    timer.enter(Math.max(1, startedMs + timeoutMs - now()), () =>
      abort.abort(new CallEnded({ kind: "failed", detail: "the answer stalled" })),
    );
    return { status: response.status, text: await readText(response, abort.signal) };
  } finally {
    timer.stop();
    signal.removeEventListener("abort", end);
  }
}

/** Chunk by chunk, so that an answer without end does not fill the memory. */
async function readText(response: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > LONGEST_ANSWER_BYTES) throw new QuestionFailed("the answer is too long");
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof QuestionFailed ? error : new QuestionFailed(classifyFailure(error, signal).detail);
  }
  return Buffer.concat(chunks).toString();
}

/** Its `code` may be shown: it has no address and no key in it. */
class QuestionFailed extends Error {
  override readonly name = "QuestionFailed";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
