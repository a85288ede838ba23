// Hands an answer to the client: whole from memory, or flowing through, and closes the books when it has ended.
import type { Backend } from "../core/backend.ts";
import type { Outcome } from "../core/outcome.ts";
import { errorEvent } from "../core/refusal.ts";
import { formsOf, headerSecrets } from "../core/secret-forms.ts";
import type { Slot } from "../core/seams.ts";
import { type StreamWatch, terminalEventOf, watchStream } from "../core/stream-watch.ts";
import { type FlowingAnswer, isEncoded, isEventStream, type WholeAnswer } from "./answer.ts";
import type { Call, Parts } from "./call.ts";
import { stripResponseHeaders } from "./headers.ts";
import type { Journey } from "./journey.ts";
import type { Lease } from "./lease.ts";
import { type Ending, relay } from "./relay.ts";
import { addTrace, tellWait } from "./reply.ts";
import type { Timeouts } from "./settings.ts";
import { WEIR_STOPS } from "./call-ended.ts";

/** A request with what serves it and what it has come to. */
export interface Way {
  readonly call: Call;
  readonly parts: Parts;
  readonly journey: Journey;
}

/** What the last attempt left: an outcome, and an answer if there was one. */
export interface Delivery {
  readonly outcome: Outcome;
  readonly answer?: WholeAnswer;
  readonly slot?: Slot;
}

/** Nobody else would answer otherwise. */
export const isCallersOwn = ({ kind }: Outcome): boolean => kind === "success" || kind === "rejected";

/** nginx's number for a client that left before its answer; nobody reads it but logs. */
export const REFUSED_CLIENT_LEFT = 499;

/** Statuses that carry no body (RFC 9110 section 6.4.1). */
const BODILESS = new Set([204, 205, 304]);

export interface WholeDelivery extends Delivery {
  readonly answer: WholeAnswer;
  /** For answers that another candidate could have bettered: when one returns, and whether an SDK should wait for it. */
  readonly wait?: { readonly soonestMs: number | undefined; readonly final: boolean };
}

export function deliverWhole({ call, parts, journey }: Way, delivery: WholeDelivery): Response {
  const { answer, slot } = delivery;
  const { headers, status } = answer;
  prepareHeaders(headers, { call, parts, journey }, undefined);
  if (delivery.wait !== undefined) tellWait(headers, delivery.wait.soonestMs, delivery.wait.final);
  const bytes = status >= 300 ? redact(answer, slot?.backend) : answer.bytes;
  journey.noteFirstByte();
  journey.finish({ status, ending: "complete", usage: answer.usage });
  return new Response(BODILESS.has(status) ? null : bytes, { status, headers });
}

export interface Flow {
  readonly answer: FlowingAnswer & { readonly lease: Lease };
  readonly abort: AbortController;
  readonly timeouts: Timeouts;
}

export function deliver(way: Way, { answer, abort, timeouts }: Flow): Response {
  const { call, parts, journey } = way;
  const { headers, status, lease } = answer;
  const { family, path } = call.operation;
  const isEvents = isEventStream(headers);
  const isReadable = !isEncoded(headers);
  prepareHeaders(headers, way, lease.startedMs);
  const isChecked = isEvents && isReadable && lease.slot.backend.terminalEvent !== "optional";
  const watch: StreamWatch = watchStream(isChecked ? terminalEventOf(family, path) : undefined);

  const end = (ending: Ending): void => {
    const usage = watch.usage();
    lease.settle(outcomeOf(ending, watch, status), usage);
    journey.finish({ status, ending: ending.kind, usage });
  };
  const body = relay({
    prefix: answer.prefix,
    reader: answer.reader,
    abort,
    idleMs: timeouts.idleMs,
    leftMs: timeouts.totalMs - (parts.clock.now() - lease.startedMs),
    now: parts.clock.now,
    observe(chunk) {
      journey.noteFirstByte();
      if (isReadable) watch.observe(chunk);
    },
    findFault: () => (watch.isComplete() || watch.hasError() ? undefined : CUT),
    lastWords(outcome) {
      if (!isEvents || !isReadable) return undefined;
      return watch.boundary() + errorEvent(family, describeBreak(outcome));
    },
    end,
  });
  return new Response(body, { status, headers });
}

const CUT: Outcome = { kind: "failed", detail: "stream ended before its terminal event" };

function outcomeOf(ending: Ending, watch: StreamWatch, status: number): Outcome {
  switch (ending.kind) {
    case "abandoned":
      return { kind: "abandoned", detail: "client left" };
    case "broken":
      return ending.outcome;
    case "complete":
      return watch.hasError()
        ? { kind: "failed", status, detail: "error event in the stream" }
        : { kind: "success", status, detail: `${status} ok` };
  }
}

function describeBreak(outcome: Outcome): string {
  if (outcome === WEIR_STOPS.outcome) return "weir is stopping; the answer is incomplete";
  return `the upstream broke off the answer: ${outcome.detail}`;
}

/** `sinceMs`: when the attempt began that still runs. */
function prepareHeaders(headers: Headers, { call, parts, journey }: Way, sinceMs: number | undefined): void {
  stripResponseHeaders(headers);
  const { requestId } = call;
  const backend = journey.backend === undefined ? {} : { backend: journey.backend };
  const trace = { requestId, attempts: journey.attempts, ...backend, course: () => journey.course(sinceMs) };
  addTrace(headers, parts.settings().responseHeaders, trace);
}

/** Some providers quote what they refuse; neither our key nor a header of ours may reach a client. */
function redact(
  { bytes, decoded, headers }: WholeAnswer,
  backend: Backend | undefined,
): Uint8Array<ArrayBuffer> | null {
  if (bytes === null || backend === undefined) return bytes;
  const text = decoded ?? bytes;
  const view = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const said = view.toString("latin1");
  const found = secretTexts(backend).filter((secret) => said.includes(secret));
  if (found.length === 0) return bytes;
  if (decoded !== undefined) headers.delete("content-encoding");
  const clean = found.reduce((text, secret) => text.replaceAll(secret, "***"), said);
  return new Uint8Array(Buffer.from(clean, "latin1"));
}

/** The key, however short, and what stands in headers: one character a byte, as they stand in UTF-8. */
function secretTexts(backend: Backend): readonly string[] {
  const { secret } = backend.credential;
  const key = secret === undefined ? [] : [secret.reveal()];
  const texts = [...key, ...headerSecrets(backend).flatMap(formsOf)];
  return texts.map((text) => Buffer.from(text).toString("latin1"));
}
