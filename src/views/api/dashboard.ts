// `GET /api/dashboard`: LLMRouter's answer, field for field, for the pages and scripts that read it; weir's own view beside.
import type { Page } from "../../core/page.ts";
import type { BackendStatus, ModelStatus, StatusView } from "../../core/status.ts";

/** LLMRouter's two kinds of source; see its `backends.enabled_sources`. */
const sourceOf = ({ kind }: { readonly kind: "hosted" | "engine" }): string =>
  kind === "engine" ? "self_deployed" : "openai";

export function dashboardPage(view: () => StatusView): Page {
  return { method: "GET", path: "/api/dashboard", respond: () => Response.json(dashboardOf(view())) };
}

function dashboardOf(view: StatusView): object {
  const { instance, totals, backends, models } = view;
  return {
    system: {
      uptime: describeUptime(instance.uptimeMs),
      // Go's word; here what runs at once.
      goroutines: totals.inFlight,
      memory_mb: Math.round(instance.process.rssBytes / 1024 ** 2),
      time: new Date(instance.atMs).toISOString(),
    },
    requests: {
      total: totals.requests,
      success: totals.succeeded,
      failures: totals.requests - totals.succeeded,
      success_rate: totals.requests === 0 ? 0 : (100 * totals.succeeded) / totals.requests,
    },
    summary: ["self_deployed", "openai"].flatMap((source) => {
      const members = backends.filter((backend) => sourceOf(backend) === source);
      return members.length === 0 ? [] : [summaryOf(source, members)];
    }),
    models: models.map(modelOf),
    backends: backends
      .map(backendOf)
      .sort((a, b) => compare(a.model_name, b.model_name) || compare(a.id, b.id)),
    weir: view,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** As Go prints it: `1h2m3s`. */
function describeUptime(uptimeMs: number): string {
  const seconds = Math.floor(uptimeMs / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

/** LLMRouter knows up and down; a key at its limit is up. */
const isHealthy = ({ state }: BackendStatus): boolean =>
  state === "usable" || state === "untried" || state === "limited";

function summaryOf(source: string, members: readonly BackendStatus[]): object {
  const sum = (value: (backend: BackendStatus) => number): number =>
    members.reduce((total, backend) => total + value(backend), 0);
  const engines = new Map(members.map((backend) => [backend.address, backend.engine]));
  const sumEngines = (field: "running" | "waiting"): number =>
    [...engines.values()].reduce((total, engine) => total + (engine?.[field] ?? 0), 0);
  return {
    source_type: source,
    total: members.length,
    healthy: members.filter(isHealthy).length,
    total_conns: sum(({ inFlight }) => inFlight),
    total_pending: sum(({ pending }) => pending),
    total_send_rpm: sum(({ sentPerMinute }) => sentPerMinute),
    total_comp_rpm: sum(({ completedPerMinute }) => completedPerMinute),
    total_running: sumEngines("running"),
    total_waiting: sumEngines("waiting"),
    total_completed: sum(({ succeeded }) => succeeded),
  };
}

const modelOf = (model: ModelStatus): object => ({
  name: model.name,
  healthy: model.backendsUsable,
  total: model.backendsTotal,
  running: model.running ?? 0,
  waiting: model.waiting ?? 0,
  comp_rpm: model.completedPerMinute,
  total_completed: model.succeeded,
});

function backendOf(backend: BackendStatus) {
  const { engine } = backend;
  const rpm = backend.limits.filter(
    ({ name, learned, limit }) => name === "rpm" && !learned && limit !== null,
  );
  return {
    id: backend.id,
    model_name: backend.routes[0] ?? backend.model,
    healthy: isHealthy(backend),
    engine: engine?.name ?? sourceOf(backend),
    source_type: sourceOf(backend),
    connections: backend.inFlight,
    pending: backend.pending,
    send_rpm: backend.sentPerMinute,
    comp_rpm: backend.completedPerMinute,
    rpm_limit: rpm.length === 0 ? null : Math.min(...rpm.flatMap(({ limit }) => limit ?? [])),
    running: engine?.running ?? null,
    waiting: engine?.waiting ?? null,
    gpu_cache: percentOf(engine?.cacheShare ?? null),
    prompt_tokens: engine?.promptTokens ?? null,
    generation_tokens: engine?.generationTokens ?? null,
    total_requests: backend.attempts,
    completed: backend.succeeded,
  };
}

/** LLMRouter shows percent. */
const percentOf = (share: number | null): number | null => (share === null ? null : 100 * share);
