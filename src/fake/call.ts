// Carries out the plan of one call: the ledger's entry, the faults that precede an answer, then the performance.
import { jsonAnswer } from "./families/answer.ts";
import { Performance } from "./perform.ts";
import type { Action, Framing } from "./action.ts";
import type { Fault, FaultName } from "./faults.ts";
import type { Plan } from "./decide.ts";
import type { Ask } from "./families/ask.ts";
import type { Ledger, OpenEntry } from "./ledger.ts";
import type { Pacer } from "./pacer.ts";
import type { Course, Cut } from "./course.ts";
import type { Wire } from "./wire.ts";

export interface Stage {
  readonly wire: Wire;
  readonly pacer: Pacer;
  readonly ledger: Ledger;
  readonly now: () => number;
  /** The call is over; the connection may go on. */
  readonly done: () => void;
}

/** A call under way. */
export interface Call {
  /** The connection is gone: the client has left, or the fake stops. */
  abandon(state: "aborted" | "cut"): void;
}

export function startCall(ask: Ask, plan: Plan, entry: OpenEntry, stage: Stage): Call {
  const { wire, ledger, now } = stage;
  const end = (state: "finished" | "aborted" | "cut"): void => ledger.end(entry, state, now());
  const fault = plan.action?.fault;
  const before = fault && beforeAnswer(fault, ask, wire, entry.turn);
  if (before !== undefined) {
    if (before === "hang") return { abandon: end };
    if (before === "reset") wire.reset();
    else wire.end();
    end("cut");
    stage.done();
    return { abandon: () => {} };
  }
  const performance = new Performance(courseOf(ask, plan, stage.pacer.clock()), wire, {
    pacer: stage.pacer,
    watch: {
      headSent(status) {
        entry.status = status;
        entry.firstByteAt = now();
        ledger.told();
      },
      progress: (steps) =>
        ledger.progress(entry, isStream(plan) ? steps : 0, steps * plan.answer.tokensPerStep),
      ended(how) {
        end(how);
        stage.done();
      },
    },
  });
  performance.start();
  return {
    abandon(state) {
      performance.abandon();
      end(state);
    },
  };
}

const isStream = (plan: Plan): boolean => plan.answer.body.kind === "stream";

/** The faults that need no answer; what they send is sent here. */
function beforeAnswer({ kind, after, text }: Fault, ask: Ask, wire: Wire, turn: number): Early | undefined {
  if (kind === "garbage_headers") wire.send(GARBAGE);
  if (kind === "raw") wire.send((text ?? "").replaceAll("{key}", ask.key));
  if (kind === "hang_headers") return "hang";
  if (kind === "reset" && after === undefined) return "reset";
  if (kind === "close_on_reuse" && turn === 1) return undefined;
  return CLOSING.has(kind) ? "close" : undefined;
}

type Early = "hang" | "reset" | "close";

const CLOSING: ReadonlySet<FaultName> = new Set(["refuse", "close_on_reuse", "garbage_headers", "raw"]);

const GARBAGE = "HTTP/1.1 twohundred OK\r\n\u0001\u0002 no colon here\r\n: no name\r\n\r\n\r\n";

/** What a fault does to the course of an answer. */
function courseOf(ask: Ask, plan: Plan, startMs: number): Course {
  const { request } = ask;
  const { action } = plan;
  const fault = action?.fault;
  const answer = replaced(plan, ask, fault);
  const closing = /\bclose\b/i.test(request.headers["connection"] ?? "") || request.minorVersion === 0;
  const bodiless = request.method === "HEAD" || answer.status === 204 || answer.status === 304;
  const cut = cutOf(fault, plan);
  const slices =
    fault?.kind === "drip" || fault?.kind === "split"
      ? { bytes: fault.bytes ?? 1, intervalMs: fault.intervalMs ?? 0 }
      : undefined;
  const framing = framingOf(action, answer.body.kind === "stream", cut, request.minorVersion);
  return {
    answer,
    headAtMs: startMs + plan.latencyMs,
    firstAtMs: startMs + plan.firstMs,
    gapMs: plan.gapMs,
    headers: headersOf(ask, plan, fault),
    framing: fault?.kind === "short_body" ? "length" : framing,
    keepAlive: !closing,
    prelude: "HTTP/1.1 103 Early Hints\r\nlink: </fake>; rel=preload\r\n\r\n".repeat(
      fault?.kind === "informational" ? (fault.count ?? 0) : 0,
    ),
    bodiless,
    gzip: fault?.kind === "gzip",
    ...(cut && { cut }),
    ...(slices && { slices }),
    ...(fault?.kind === "short_body" && { promisedBytes: 10_000_000 }),
  };
}

function framingOf(
  action: Action | undefined,
  stream: boolean,
  cut: Cut | undefined,
  minorVersion: 0 | 1,
): Framing {
  if (minorVersion === 0) return "close";
  if (action?.framing !== undefined) return action.framing;
  const needsChunks = cut?.how === "end" || cut?.how === "bad_chunk" || cut?.how === "error";
  return stream || needsChunks ? "chunked" : "length";
}

/** How the faults that break an answer off do it. */
const CUTS: Readonly<Partial<Record<FaultName, Cut["how"]>>> = {
  hang_stream: "hang",
  reset: "reset",
  early_end: "end",
  short_body: "close",
  bad_chunk: "bad_chunk",
  error_first: "error",
  error_later: "error",
};

function cutOf(fault: Fault | undefined, plan: Plan): Cut | undefined {
  const how = fault && CUTS[fault.kind];
  if (how === undefined) return undefined;
  return { after: fault?.after ?? 0, how, error: plan.inBand.body };
}

/** The answer of the faults that put their own in place of the provider's. */
function replaced(plan: Plan, ask: Ask, fault: Fault | undefined): Plan["answer"] {
  const status = plan.action?.status;
  if (fault?.kind === "redirect") {
    const body = { kind: "whole", type: "text/html", data: "<p>Moved.</p>" } as const;
    return { status: status ?? 301, body, steps: 1, tokensPerStep: 0 };
  }
  if (fault?.kind === "echo_key") {
    const message = `Incorrect API key provided: ${ask.key}. You can find your API key at https://example.test.`;
    return jsonAnswer({ error: { message, type: "invalid_request_error", code: "invalid_api_key" } }, 401);
  }
  return status === undefined ? plan.answer : { ...plan.answer, status };
}

function headersOf(ask: Ask, plan: Plan, fault: Fault | undefined): Course["headers"] {
  const idName = ask.family === "anthropic" ? "request-id" : "x-request-id";
  const all = { [idName]: `req_fake_${ask.id}`, ...plan.headers };
  const headers: (readonly [string, string])[] = [...Object.entries(all), ...(plan.action?.headers ?? [])];
  if (fault?.kind === "redirect") headers.push(["location", fault.location ?? "/"]);
  if (fault?.kind === "set_cookie") headers.push(...UNWANTED_HEADERS);
  if (fault?.kind === "huge_headers") {
    let left = fault.bytes ?? 0;
    for (let index = 0; left > 0; index += 1, left -= 4000)
      headers.push([`x-huge-${index}`, "h".repeat(Math.min(4000, left))]);
  }
  return headers;
}

/** What a proxy must not pass on. */
const UNWANTED_HEADERS: Course["headers"] = [
  ["set-cookie", "__cf_bm=fake; path=/; HttpOnly; Secure"],
  ["set-cookie", "session=fake; path=/"],
  ["alt-svc", 'h3=":443"; ma=86400'],
  ["strict-transport-security", "max-age=15552000"],
  ["access-control-allow-origin", "*"],
];
