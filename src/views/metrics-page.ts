// `GET /metrics`: Prometheus' text format, written by prom-client from what the tally holds at that moment.
import { setImmediate } from "node:timers/promises";
import type { Metric, Registry } from "prom-client";
import type { Page } from "../core/page.ts";
import type { StatusView } from "../core/status.ts";
import type { Tally } from "../core/tally.ts";
import { METRICS, type MetricName } from "./metric-table.ts";
import { type MetricValues, readMetrics } from "./metric-values.ts";

/** The library is loaded by the first scrape: it would cost each start 50 ms, and many weirs are never scraped. */
export function metricsPage(view: () => StatusView, tally: Tally): Page {
  let registryClass: Promise<typeof Registry> | undefined;
  return {
    method: "GET",
    path: "/metrics",
    async respond() {
      registryClass ??= import("prom-client").then((library) => library.Registry);
      const registry = fill(new (await registryClass)(), readMetrics(view(), tally));
      return new Response(await print(registry), { headers: { "content-type": registry.contentType } });
    },
  };
}

/** One metric a turn: with a thousand keys all of them take 20 ms and more, for which no stream should stand still. */
async function print(registry: Registry): Promise<string> {
  const parts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    await setImmediate();
    parts.push(await registry.getSingleMetricAsString(name));
  }
  return `${parts.join("\n\n")}\n`;
}

/** The library only formats: its own counters would be a second tally. It asks a metric for no more than `get`. */
function fill(registry: Registry, values: MetricValues): Registry {
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const { type, help } = METRICS[name];
    const metric = {
      name,
      help,
      type,
      get: () => Promise.resolve({ name, help, type, values: values[name] }),
    };
    registry.registerMetric(metric as unknown as Metric);
  }
  return registry;
}
