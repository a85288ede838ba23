// `routes` and fallbacks of the own format: what clients ask for, and where it leads.
import type { Affinity } from "../core/pool-spec.ts";
import type { RouteTimeouts } from "../core/backend.ts";
import { definedOf } from "./draft-backends.ts";
import type { DraftAlias, DraftFallbacks, DraftRoute, DraftTarget } from "./draft.ts";
import type { RouteRetry } from "../core/route-retry.ts";
import { leaf, leafList, someText } from "./leaf.ts";
import type { Option } from "./option.ts";
import { OPTIONS } from "./options.ts";
import { targetsShape } from "./own-format-targets.ts";
import {
  boolean,
  duration,
  integer,
  type Reader,
  type Reading,
  shaped,
  strategy,
  suggestion,
  value,
} from "./readers.ts";
import { type Report, shownKey } from "./report.ts";
import type { Given } from "./resolve-options.ts";
import { type Field, field, fieldsOf, mapped, namedRows, type ReadMap, type Shape } from "./shape.ts";
import { describePlace, type Entry, type Place } from "./tree.ts";

const AFFINITIES = ["none", "session", "account"];

const affinity: Reader<Affinity | "none"> = shaped(
  { kind: "word", words: AFFINITIES, pattern: "^ *[Hh][Ee][Aa][Dd][Ee][Rr]:.*\\S" },
  (text): Reading<Affinity | "none"> => {
    const name = /^header:\s*([\w!#$%&'*+.^`|~-]+)$/i.exec(text)?.[1]?.toLowerCase();
    if (name !== undefined) return value({ kind: "header", name });
    const word = text.toLowerCase();
    if (word === "none") return value(word);
    if (word === "session" || word === "account") return value({ kind: word });
    const expected = `none, session, account or header:NAME${suggestion(text, AFFINITIES)}`;
    return { kind: "unread", expected };
  },
);

/** As in the table of options, which says what each decides. */
const timeoutField = (key: string): Field<number> => {
  const row = (OPTIONS as readonly Option[]).find((option) => option.key === key);
  return field(`${row?.sentence ?? ""} In place of ${key}.`, leaf(duration("1ms")));
};

const timeoutsShape: Shape<RouteTimeouts> = mapped(
  fieldsOf({
    connect: timeoutField("timeouts.connect"),
    first_byte: timeoutField("timeouts.first_byte"),
    stream_first_byte: timeoutField("timeouts.stream_first_byte"),
    idle: timeoutField("timeouts.idle"),
    total: timeoutField("timeouts.total"),
  }),
  ({ values }) =>
    definedOf({
      connectMs: values.connect,
      firstByteMs: values.first_byte,
      streamFirstByteMs: values.stream_first_byte,
      idleMs: values.idle,
      totalMs: values.total,
    }),
);

const retryShape: Shape<RouteRetry> = mapped(
  fieldsOf({
    max: field(
      "Further attempts after failures that are not a key's; 0 means none. In place of retry.max.",
      leaf(integer(0, 100)),
    ),
  }),
  ({ values }) => definedOf({ max: values.max }),
);

const strategyShape: Shape<Given> = mapped(leaf(strategy), (text, node) => ({
  text,
  where: describePlace(node.at),
}));

const routeFields = {
  targets: field(
    "Where its requests go: the names of providers (same model name, every key), or rows with provider, model, weight, priority, limits, price.",
    targetsShape,
  ),
  strategy: field(
    "How a backend is chosen here; without it the general one, or least-waiting where all targets are engines.",
    strategyShape,
  ),
  affinity: field(
    "What stays on one backend: none, session (a conversation), account, or header:NAME. Default: none.",
    leaf(affinity),
  ),
  timeouts: field("Time-outs of this route, in place of the general ones.", timeoutsShape),
  retry: field("Further attempts on this route, in place of the general ones.", retryShape),
  alias: field(
    "The route or model that this name stands for, in place of targets.",
    leaf(someText("the name of a model")),
  ),
  hidden: field("Not listed among the models. Default: false.", leaf(boolean)),
};

type ReadRoute = ReadMap<typeof routeFields>;
type RouteRows = readonly (readonly [Entry, ReadRoute])[];

export const routesShape: Shape<RouteRows> = namedRows(fieldsOf(routeFields), "routes");

export interface FileRoutes {
  readonly routes: readonly DraftRoute[];
  readonly aliases: readonly DraftAlias[];
}

export function readFileRoutes(rows: RouteRows, report: Report): FileRoutes {
  const routes: DraftRoute[] = [];
  const aliases: DraftAlias[] = [];
  for (const [entry, read] of rows) {
    const { values, has } = read;
    const { keyAt: at } = entry;
    const name = entry.key.trim();
    if (has("alias")) {
      tellBesideAlias(read, report);
      const { alias: model, hidden = false } = values;
      if (model !== undefined) aliases.push({ name, at, spec: { model, hidden } });
    } else if (!has("targets")) report.tell(at, "targets or alias in it", shownKey(entry));
    else if (values.targets !== undefined && values.targets.length > 0)
      routes.push(routeOf(name, at, values, values.targets));
  }
  return { routes, aliases };
}

function tellBesideAlias(read: ReadRoute, report: Report): void {
  for (const key of ["targets", "strategy", "affinity", "timeouts", "retry"] as const) {
    const extra = read.entry(key);
    if (extra !== undefined) report.tell(extra.keyAt, `no ${key} beside alias: the model it names has them`);
  }
}

function routeOf(
  name: string,
  at: Place,
  values: ReadRoute["values"],
  targets: readonly DraftTarget[],
): DraftRoute {
  const { strategy: chosen, affinity: kept, timeouts, retry, hidden } = values;
  return {
    name,
    at,
    targets,
    ...definedOf({
      strategy: chosen,
      affinity: kept === "none" ? undefined : kept,
      timeouts,
      retry,
      isHidden: hidden === true ? (true as const) : undefined,
    }),
  };
}

/** Models by model; a list, or one by itself. */
export const fallbacksShape = namedRows(leafList(someText("the name of a model")), "fallbacks by model");

export function readFallbacks(
  kind: DraftFallbacks["kind"],
  rows: readonly (readonly [Entry, readonly string[]])[] = [],
): readonly DraftFallbacks[] {
  return rows.map(([entry, models]) => ({ kind, model: entry.key.trim(), at: entry.keyAt, models }));
}
