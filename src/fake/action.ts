// Reads what a rule's `do` (or the x-fake header) wants done with a call: a fault, an error, a status, a pace.
import { FAULTS, faultRow, isFaultName } from "./faults.ts";
import { ERROR_NAMES, FORM_NAMES } from "./forms/form.ts";
import { nearest } from "./nearest.ts";
import { PACE_READERS, toPace } from "./pace.ts";
import { count, duration, fields, list, mapping, oneOf, refuse, text } from "./script-read.ts";
import type { Fault, FaultName, FaultParameters } from "./faults.ts";
import type { ErrorName, FormName } from "./forms/form.ts";
import type { Pace, PaceFields } from "./pace.ts";
import type { Plain, Reader } from "./script-read.ts";

export type Framing = "chunked" | "length" | "close";

export interface Action {
  readonly pace: Pace;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly fault?: Fault;
  readonly error?: ErrorName;
  readonly status?: number;
  readonly body?: { readonly text: string; readonly json: boolean };
  readonly retryAfterMs?: number;
  readonly form?: FormName;
  readonly framing?: Framing;
}

const anything: Reader<{ value: unknown }> = (value) => ({ value });

const headerValues: Reader<readonly string[]> = (value, place, problems) =>
  Array.isArray(value) ? list(text)(value, place, problems) : [String(value)];

const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

const readFields = fields<
  PaceFields & {
    fault: FaultName;
    error: ErrorName;
    status: number;
    headers: ReadonlyMap<string, readonly string[]>;
    body: { value: unknown };
    retry_after: number;
    form: FormName;
    framing: Framing;
    after: number;
    bytes: number;
    interval: number;
    count: number;
    location: string;
    text: string;
  }
>({
  ...PACE_READERS,
  fault: oneOf(FAULT_NAMES),
  error: oneOf(ERROR_NAMES),
  status: count(200, 599),
  headers: mapping(headerValues),
  body: anything,
  retry_after: duration,
  form: oneOf(FORM_NAMES),
  framing: oneOf(["chunked", "length", "close"]),
  after: count(0),
  bytes: count(1, 64 * 1024 * 1024),
  interval: duration,
  count: count(0, 100_000),
  location: text,
  text,
});

/** Reads an action, or one of its short forms: a fault's or an error's name, or a status. */
export const action: Reader<Action> = (value, place, problems) => {
  const read = readFields(longForm(value, place, problems), place, problems);
  if (read === undefined) return undefined;
  const { fault: kind, error, status, headers, body, retry_after: retryAfterMs, form, framing } = read;
  const { after, bytes, interval: intervalMs, count: times, location, text: literal } = read;
  const given: FaultParameters = {
    ...(after !== undefined && { after }),
    ...(bytes !== undefined && { bytes }),
    ...(intervalMs !== undefined && { intervalMs }),
    ...(times !== undefined && { count: times }),
    ...(location !== undefined && { location }),
    ...(literal !== undefined && { text: literal }),
  };
  if (kind === undefined && Object.keys(given).length > 0)
    problems.push(`${place}: ${Object.keys(given).join(", ")} without a fault to apply to`);
  const fault = kind === undefined ? undefined : withParameters(kind, given, place, problems);
  return {
    pace: toPace(read, place, problems),
    headers: [...(headers ?? [])].flatMap(([name, values]) => values.map((one) => [name, one] as const)),
    ...(fault && { fault }),
    ...(error && { error }),
    ...(status !== undefined && { status }),
    ...(body && { body: bodyOf(body.value) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(form && { form }),
    ...(framing && { framing }),
  };
};

function longForm(value: unknown, place: string, problems: string[]): unknown {
  if (typeof value === "number") return { status: value };
  if (typeof value !== "string") return value;
  if (isFaultName(value)) return { fault: value };
  if (ERROR_NAMES.some((name) => name === value)) return { error: value };
  const near = nearest(value, [...FAULT_NAMES, ...ERROR_NAMES]);
  refuse(
    problems,
    place,
    `a fault or an error${near === undefined ? "" : ` (did you mean "${near}"?)`}`,
    value,
  );
  return {};
}

function withParameters(kind: FaultName, given: FaultParameters, place: string, problems: string[]): Fault {
  const takes: FaultParameters & Plain = { ...faultRow(kind).takes };
  const allowed = kind === "reset" ? ["after"] : Object.keys(takes);
  for (const name of Object.keys(given))
    if (!allowed.includes(name)) {
      const known = allowed.length === 0 ? "it takes none" : `it takes ${allowed.join(", ")}`;
      problems.push(`${place}.${name}: the fault ${kind} has no such parameter; ${known}`);
    }
  return { kind, ...takes, ...given };
}

const bodyOf = (value: unknown): { text: string; json: boolean } =>
  typeof value === "string"
    ? { text: value, json: /^\s*[{[]/.test(value) }
    : { text: JSON.stringify(value), json: true };

/** The reading of an x-fake header: JSON of an action, or a short form. */
export function readHeaderAction(header: string, problems: string[]): Action | undefined {
  let value: unknown = header;
  if (/^[\s]*[{\d]/.test(header)) {
    try {
      value = JSON.parse(header);
    } catch {
      problems.push(`x-fake: expected JSON, found ${header.slice(0, 60)}`);
      return undefined;
    }
  }
  return action(value, "x-fake", problems);
}
