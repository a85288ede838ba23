// What weir prints when it is up: where it listens, what it has, and the lines to paste.
import type { Config } from "../config/config.ts";

/** Never a key, only how many. */
export function describeStart(config: Config, port: number, dashboardPort = port): string {
  const host = reachableHost(config.server.host);
  const base = `http://${host}:${port}`;
  const pool = config.pool.providers.map(({ name, kind }) => {
    const own = config.pool.backends.filter((backend) => backend.provider === name);
    const keys = new Set(
      own.filter(({ credential }) => credential.secret !== undefined).map(({ credential }) => credential.id),
    );
    const addresses = new Set(own.map(({ origin }) => origin));
    const parts = [
      ...(keys.size > 0 ? [counted(keys.size, "key")] : []),
      ...(kind === "engine" || addresses.size > 1 ? [counted(addresses.size, "address", "addresses")] : []),
    ];
    return `  ${name}: ${parts.join(", ") || counted(own.length, "backend")}`;
  });
  const speaksAnthropic = config.pool.backends.some(({ endpoints }) => endpoints.anthropic !== undefined);
  const anthropicLine = `export ANTHROPIC_BASE_URL=${base}`;
  return [
    `weir listens on ${base}`,
    ...config.files.map((file) => `  configured by ${file}`),
    ...pool,
    ...(config.dashboard.enabled ? [`  dashboard: http://${host}:${dashboardPort}/dashboard`] : []),
    "",
    `  export OPENAI_BASE_URL=${base}/v1`,
    // Pasted where nothing speaks it, the line would cut off a client that works without weir.
    speaksAnthropic ? `  ${anthropicLine}` : `  # ${anthropicLine} (nothing configured speaks its API)`,
    "",
    "",
  ].join("\n");
}

/** The address of this machine that a client beside weir can use. */
export function reachableHost(bound: string): string {
  if (bound === "0.0.0.0" || bound === "::" || bound === "") return "127.0.0.1";
  return bound.includes(":") ? `[${bound}]` : bound;
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
