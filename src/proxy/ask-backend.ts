// A question of weir's own to a backend, such as its list of models; never a client's request.
import type { Family } from "../core/backend.ts";
import type { Slot } from "../core/seams.ts";
import type { DialCheck } from "./dial.ts";
import { requestHeaders, upstreamQuery } from "./headers.ts";
import { createPhaseTimer } from "./phase-timer.ts";
import { CallEnded, send } from "./send.ts";

export interface Question {
  readonly family: Family;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface Asking {
  readonly question: Question;
  readonly dialCheck: DialCheck;
  readonly tls: { readonly ca: string } | undefined;
  readonly now: () => number;
}

const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER_BYTES = 8 * 1024 * 1024;

/** `GET`s `path` below the backend's base; the JSON of a 200. Rejects for any other end. */
export async function askBackend(
  slot: Slot,
  path: string,
  { question, dialCheck, tls, now }: Asking,
): Promise<unknown> {
  const { backend } = slot;
  const endpoint = backend.endpoints[question.family];
  if (endpoint === undefined) throw new TypeError(`cannot ask ${backend.id}: no ${question.family} endpoint`);
  const { secret } = backend.credential;
  const incoming = new Headers({ accept: "application/json", ...question.headers });
  const [below = "", search = ""] = path.split("?", 2);
  const abort = new AbortController();
  const end = () => abort.abort(new CallEnded({ kind: "abandoned", detail: "stopped" }));
  question.signal.addEventListener("abort", end, { once: true });
  const timer = createPhaseTimer(now);
  try {
    const sent = await send(
      {
        url: endpoint.baseUrl + below + upstreamQuery(search === "" ? "" : `?${search}`, endpoint, secret),
        dialOrigin: backend.proxyUrl ?? backend.origin,
        method: "GET",
        headers: requestHeaders({
          incoming,
          endpoint,
          secret,
          instanceId: undefined,
          hostHeader: backend.hostHeader,
        }),
        body: undefined,
        proxyUrl: backend.proxyUrl,
        tls,
        connectMs: TIMEOUT_MS,
        firstByteMs: TIMEOUT_MS,
        abort,
      },
      dialCheck,
      timer,
    );
    if (sent.kind === "failure") throw new QuestionFailed(sent.outcome.detail);
    const { response } = sent;
    const length = Number(response.headers.get("content-length") ?? 0);
    if (response.status !== 200 || length > LONGEST_ANSWER_BYTES) {
      await response.body?.cancel();
      throw new QuestionFailed(`status ${response.status}`);
    }
    timer.enter(TIMEOUT_MS, () => abort.abort(new CallEnded({ kind: "failed", detail: "the list stalled" })));
    return await response.json();
  } finally {
    timer.stop();
    question.signal.removeEventListener("abort", end);
  }
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
