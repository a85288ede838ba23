// Tables of backends and of keys: what each is for, how it stands and why, what it did, how much of its limits is used.
import type {
  BackendStatus,
  KeyStatus,
  LimitStatus,
  Standing,
  StateWord,
  StatusView,
} from "../../core/status.ts";
import { listTroubles, type Trouble } from "../dashboard/browser/model/attention.ts";
import { numberColumn, textColumn } from "./column-kinds.ts";
import { trafficColumns, trafficDetails } from "./columns-traffic.ts";
import {
  describeStanding,
  formatCount,
  formatShare,
  formatSpan,
  NONE,
} from "../dashboard/browser/model/format.ts";
import { limitBars, tightestShare } from "../dashboard/browser/model/limit-bars.ts";
import { RANK } from "../dashboard/browser/model/standing-order.ts";
import { type Cell, type Column, createTable, type Detail, type Table } from "./table.ts";
import type { Tone } from "./text.ts";

const TONES: Readonly<Record<StateWord, Tone>> = {
  usable: "good",
  untried: "accent",
  limited: "warn",
  resting: "warn",
  down: "bad",
  drained: "dim",
};

export function backendTable(backends: readonly BackendStatus[], nowMs: number): Table {
  return createTable<BackendStatus>({
    rows: backends,
    columns: [
      textColumn({ title: "Backend", width: 18, wide: 24, most: 48, rank: 0 }, ({ id }) => id),
      textColumn({ title: "Model", width: 10, wide: 16, most: 32, rank: 6 }, ({ model }) => model),
      textColumn({ title: "Key", width: 8, most: 20, rank: 8 }, ({ keyLabel }) => keyLabel),
      stateColumn(),
      numberColumn({ title: "Wt", width: 4, rank: 9 }, ({ weight }) => weight),
      numberColumn({ title: "Pri", width: 4, rank: 9 }, ({ priority }) => priority),
      ...trafficColumns<BackendStatus>(nowMs),
      numberColumn({ title: "Pend", width: 5, rank: 8 }, ({ pending }) => pending),
      ...(backends.some(({ engine }) => engine !== null) ? ENGINE_COLUMNS : []),
      limitColumn(),
      reasonColumn(nowMs),
    ],
    words: (row) => [
      row.id,
      row.provider,
      row.model,
      row.keyLabel,
      row.address,
      row.state,
      row.reason,
      ...row.routes,
    ],
    details: (row) => [
      { label: "backend", text: row.id },
      ...standingDetails(row, nowMs),
      { label: "provider", text: `${row.provider} (${row.kind}; ${row.families.join(", ")})` },
      { label: "model", text: row.model },
      { label: "routes", text: row.routes.join(", ") || NONE },
      { label: "address", text: row.address },
      { label: "key", text: row.keyLabel },
      { label: "weight", text: `${row.weight}, priority ${row.priority}` },
      ...trafficDetails(row, nowMs),
      ...limitDetails(row.limits, nowMs),
      ...engineDetails(row),
    ],
  });
}

const ENGINE_COLUMNS: readonly Column<BackendStatus>[] = [
  numberColumn({ title: "Run", width: 5, rank: 5 }, ({ engine }) => engine?.running ?? null),
  numberColumn({ title: "Wait", width: 5, rank: 5 }, ({ engine }) => engine?.waiting ?? null),
  {
    ...numberColumn<BackendStatus>(
      { title: "Cache", width: 6, rank: 6 },
      ({ engine }) => engine?.cacheShare ?? null,
    ),
    cell: ({ engine }) => filled(engine?.cacheShare ?? null),
  },
];

export function keyTable(keys: readonly KeyStatus[], nowMs: number): Table {
  return createTable<KeyStatus>({
    rows: keys,
    columns: [
      textColumn({ title: "Provider", width: 10, most: 20, rank: 0 }, ({ provider }) => provider),
      textColumn({ title: "Key", width: 12, most: 32, rank: 0 }, ({ label }) => label),
      stateColumn(),
      numberColumn({ title: "Share", width: 7, rank: 4 }, ({ share }) => share, formatShare),
      ...trafficColumns<KeyStatus>(nowMs),
      numberColumn({ title: "Bkds", width: 5, rank: 8 }, (row) => row.backends),
      numberColumn({ title: "Rested", width: 10, rank: 7 }, restedMs, (ms) => formatSpan(ms ?? 0)),
      limitColumn(),
      reasonColumn(nowMs),
    ],
    words: ({ provider, label, id, state, reason }) => [provider, label, id, state, reason],
    details: (row) => [
      { label: "key", text: `${row.label} of ${row.provider}` },
      ...standingDetails(row, nowMs),
      { label: "backends", text: `${row.backends}` },
      { label: "share", text: `${formatShare(row.share)} of its provider's attempts` },
      ...trafficDetails(row, nowMs),
      ...Object.entries(row.restedSeconds)
        .filter(([, seconds]) => seconds > 0)
        .map(([cause, seconds]) => ({ label: `rested: ${cause}`, text: formatSpan(seconds * 1000) })),
      ...limitDetails(row.limits, nowMs),
    ],
  });
}

const stateColumn = <Row extends Pick<Standing, "state">>(): Column<Row> => ({
  title: "State",
  width: 8,
  rank: 0,
  cell: ({ state }) => ({ text: state, tone: TONES[state] }),
  order: ({ state }) => RANK[state],
});

type Shown = Pick<Standing, "state" | "reason" | "untilAtMs">;

/** Its time counted down; the state stands in a column of its own. */
const reasonColumn = <Row extends Shown>(nowMs: number): Column<Row> => ({
  title: "Reason",
  width: 26,
  wide: 44,
  most: 120,
  rank: 1,
  cell: (row) => ({ text: reasonOf(row, nowMs), tone: TONES[row.state] }),
});

function reasonOf(row: Shown, nowMs: number): string {
  if (row.reason === "") return "";
  const text = describeStanding(row, nowMs);
  return text.startsWith(`${row.state}: `) ? text.slice(row.state.length + 2) : text;
}

const standingDetails = (row: Shown, nowMs: number): Detail[] => [
  { label: "state", text: describeStanding(row, nowMs) },
];

const restedMs = (row: KeyStatus): number =>
  1000 * Object.values(row.restedSeconds).reduce((sum, seconds) => sum + seconds, 0);

/** The limit that is nearest to its end. */
function limitColumn<Row extends { readonly limits: readonly LimitStatus[] }>(): Column<Row> {
  return {
    title: "Limit used",
    width: 15,
    align: "right",
    rank: 7,
    cell: ({ limits }) => {
      const [tightest] = limitBars(limits);
      if (tightest === undefined || tightest.usedShare === null) return NONE;
      const { text, tone } = filled(tightest.usedShare);
      return { text: `${tightest.name} ${text}`, tone };
    },
    order: ({ limits }) => tightestShare(limits),
  };
}

/** Of a store that is better not full. */
function filled(share: number | null): Exclude<Cell, string> {
  const tone = share === null ? "dim" : share >= 0.9 ? "bad" : share >= 0.7 ? "warn" : "good";
  return { text: share === null ? NONE : `${Math.round(share * 100)}%`, tone };
}

function limitDetails(limits: readonly LimitStatus[], nowMs: number): Detail[] {
  return limits.map(({ name, of, learned, used, limit, remaining, resetAtMs }) => {
    const parts = [
      ...(used === null ? [] : [`${formatCount(used)} of ${formatCount(limit)} used`]),
      ...(remaining === null ? [] : [`${formatCount(remaining)} left of ${formatCount(limit)}`]),
      ...(resetAtMs === null || resetAtMs <= nowMs ? [] : [`all back in ${formatSpan(resetAtMs - nowMs)}`]),
    ];
    const origin = learned ? "told by the provider" : "configured";
    return { label: `${name} of the ${of}`, text: `${parts.join(", ")} (${origin})` };
  });
}

function engineDetails({ engine }: BackendStatus): Detail[] {
  if (engine === null) return [];
  const { name, running, waiting, cacheShare, promptTokens, generationTokens } = engine;
  const text = [
    `${name}: ${formatCount(running)} running`,
    `${formatCount(waiting)} waiting`,
    `cache ${formatShare(cacheShare)}`,
    `tokens in ${formatCount(promptTokens)}, out ${formatCount(generationTokens)}`,
  ].join(", ");
  return [{ label: "engine", text }];
}

/** What to look at first, for the overview. */
export function troubleTable(view: Pick<StatusView, "keys" | "backends">, nowMs: number): Table {
  return createTable<Trouble>({
    rows: listTroubles(view),
    columns: [
      textColumn({ title: "Attention", width: 18, most: 48, rank: 0 }, ({ title }) => title),
      textColumn({ title: "What", width: 7, rank: 3 }, ({ what }) => what),
      textColumn({ title: "Provider", width: 10, most: 20, rank: 2 }, ({ provider }) => provider),
      stateColumn(),
      reasonColumn(nowMs),
    ],
    words: ({ title, provider, state, reason }) => [title, provider, state, reason],
    details: () => [],
  });
}
