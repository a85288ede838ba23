// Adds events up, in memory that grows with the configuration and never with the traffic. The one place that counts.
import type { AttemptFinished, AttemptNames, ProxyEvent } from "./event.ts";
import { OTHER } from "./model-label.ts";
import type { OutcomeKind } from "./outcome.ts";
import type { PoolSnapshot } from "./pool.ts";
import { isResting, type Rest } from "./rest.ts";
import { MOST_FAILURES } from "./status.ts";
import { createRequestTally, type RequestTally, type RouteTally } from "./tally-requests.ts";
import { createRow, isFailure, noteAnswer, noteEnd, noteStart, type Row, type RowEnd } from "./tally-row.ts";

/** Times are monotonic milliseconds. */
export interface Tally {
  readonly take: (event: ProxyEvent, nowMs: number) => void;
  /** About once a second: adds up rests, forgets what left the pool long ago. */
  readonly tick: (snapshot: PoolSnapshot, nowMs: number) => void;
  /** Sum of all attempts. */
  readonly total: Row;
  readonly backends: ReadonlyMap<string, Row>;
  readonly keys: ReadonlyMap<string, Row>;
  readonly providers: ReadonlyMap<string, Row>;
  readonly models: ReadonlyMap<string, Row>;
  readonly requests: RequestTally;
  /** By route name; `none` for requests that were led to no route. */
  readonly routes: ReadonlyMap<string, RouteTally>;
  /** By what the attempt before came to. */
  readonly retries: ReadonlyMap<OutcomeKind, number>;
  /** Newest last. */
  readonly failures: readonly Failure[];
  readonly reloads: ReloadTally;
}

export interface ReloadTally {
  readonly applied: number;
  readonly rejected: number;
  readonly last: { readonly atMs: number; readonly problems: readonly string[] } | undefined;
}

export interface Failure extends Pick<AttemptFinished, "requestId" | "provider" | "backend" | "route"> {
  readonly seq: number;
  readonly atMs: number;
  readonly keyLabel: string;
  /** As counted. */
  readonly model: string;
  readonly outcome: OutcomeKind;
  readonly detail: string;
  readonly durationMs: number;
}

/** Rows of what is no longer configured are kept this long: a key that is taken out by mistake comes back with its counts. */
const KEPT_MS = 3_600_000;
/** As many models are counted by name; an aggregator lists hundreds. */
const MOST_MODELS = 500;
const MOST_PROBLEMS = 100;

export function createTally(nowMs: number): Tally {
  const total = createRow(nowMs);
  const backends = new Map<string, Row>();
  const keys = new Map<string, Row>();
  const providers = new Map<string, Row>();
  const models = new Map<string, Row>();
  const { requests, routes, finishRequest, dropRoutes } = createRequestTally();
  const retries = new Map<OutcomeKind, number>();
  const failures: Failure[] = [];
  const reloads = { applied: 0, rejected: 0, last: undefined as ReloadTally["last"] };
  let seq = 0;
  let tickedMs = nowMs;

  const modelOf = ({ label }: AttemptNames): string =>
    models.has(label) || models.size < MOST_MODELS ? label : OTHER;
  const eachRow = (names: AttemptNames, atMs: number, change: (row: Row) => void): void => {
    change(total);
    change(rowOf(backends, names.backend, atMs));
    change(rowOf(keys, names.keyId, atMs));
    change(rowOf(providers, names.provider, atMs));
    change(rowOf(models, modelOf(names), atMs));
  };

  const noteFailure = (event: AttemptFinished, atMs: number): void => {
    seq += 1;
    const { requestId, provider, backend, route, key: keyLabel, outcome, detail, durationMs } = event;
    const model = modelOf(event);
    failures.push({
      seq,
      atMs,
      requestId,
      provider,
      backend,
      route,
      keyLabel,
      model,
      outcome,
      detail,
      durationMs,
    });
    if (failures.length > MOST_FAILURES) failures.shift();
  };

  return {
    total,
    backends,
    keys,
    providers,
    models,
    requests,
    routes,
    retries,
    failures,
    reloads,
    take(event, atMs) {
      switch (event.kind) {
        case "attempt_started":
          if (event.after !== undefined) retries.set(event.after, (retries.get(event.after) ?? 0) + 1);
          eachRow(event, atMs, (row) => noteStart(row, atMs));
          return;
        case "attempt_answered":
          eachRow(event, atMs, (row) => noteAnswer(row, event.firstByteMs, atMs));
          return;
        case "attempt_finished": {
          const { outcome, durationMs, usage, firstByteMs } = event;
          const end: RowEnd = { outcome, durationMs, usage, answered: firstByteMs !== undefined };
          eachRow(event, atMs, (row) => noteEnd(row, end, atMs));
          if (isFailure(outcome)) noteFailure(event, atMs);
          return;
        }
        case "request_finished":
          finishRequest(event, atMs);
          return;
        case "pool_changed":
          if (event.by !== "reload") return;
          reloads.applied += 1;
          reloads.last = { atMs, problems: [] };
          return;
        case "reload_rejected":
          reloads.rejected += 1;
          reloads.last = { atMs, problems: event.problems.slice(0, MOST_PROBLEMS) };
          return;
        case "request_turned_away":
        case "rest_began": // rests are added up by tick, as long as they last
        case "models_discovered":
        case "discovery_failed":
        case "engine_up":
        case "engine_down":
        case "engine_key_refused":
        case "engines_probed":
        case "addresses_changed":
        case "server_error":
          return;
      }
    },
    tick(snapshot, atMs) {
      const span = { fromMs: tickedMs, toMs: atMs };
      tickedMs = atMs;
      for (const { backend, state, keyState } of snapshot.slots) {
        const row = backends.get(backend.id);
        if (row !== undefined) row.seenMs = atMs;
        if (state.rest !== undefined) addRest(rowOf(backends, backend.id, atMs), state.rest, span);
        const key = keys.get(keyState.id);
        if (keyState.rest === undefined && key === undefined) continue;
        const keyRow = key ?? rowOf(keys, keyState.id, span.fromMs);
        // Several backends share a key; its rest counts once.
        if (keyState.rest !== undefined && keyRow.seenMs < atMs) addRest(keyRow, keyState.rest, span);
        keyRow.seenMs = atMs;
      }
      for (const { spec } of snapshot.providers) {
        const row = providers.get(spec.name);
        if (row !== undefined) row.seenMs = atMs;
      }
      for (const rows of [backends, keys, providers]) dropOld(rows, atMs);
      dropRoutes((backend) => backends.has(backend));
    },
  };
}

function rowOf(rows: Map<string, Row>, id: string, nowMs: number): Row {
  let row = rows.get(id);
  if (row === undefined) rows.set(id, (row = createRow(nowMs)));
  return row;
}

/** What of the rest lies within the span. */
function addRest(
  row: Row,
  rest: Rest,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): void {
  const endMs = isResting(rest, toMs) ? toMs : rest.untilMs;
  const restedMs = Math.min(endMs, toMs) - Math.max(rest.sinceMs, fromMs);
  if (restedMs > 0) row.restedMs.set(rest.cause, (row.restedMs.get(rest.cause) ?? 0) + restedMs);
}

function dropOld(rows: Map<string, Row>, nowMs: number): void {
  for (const [id, row] of rows) if (row.inFlight === 0 && nowMs - row.seenMs > KEPT_MS) rows.delete(id);
}
