// Starts the whole app from flags, variables and real files, as `weir serve` would, on a free port and with chosen time.
import { readdirSync, readFileSync } from "node:fs";
import type { Config } from "../../src/config/config.ts";
import { parseFlags } from "../../src/config/flags.ts";
import { CONFIG_FLAGS, loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import type { UpstreamSpec } from "../../src/core/upstream.ts";
import type { FakeScript } from "../../src/fake/script.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { startWeir, type Weir } from "./weir.ts";

export interface Given {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly upstreams?: readonly UpstreamSpec[];
  readonly random?: () => number;
}

/** Fails with every problem when there is one. */
export function configFrom({ argv, env = {}, upstreams = [] }: Given): Config {
  const loaded = loadConfig({
    env,
    flags: parseFlags([...argv, "--host", "127.0.0.1", "--port", "0"], CONFIG_FLAGS),
    readFile: (path) => readFileSync(path, "utf8"),
    listFolder: (path) => readdirSync(path),
    hostname: "test-host",
    upstreams: () => upstreams,
  });
  // Logs of a sample would land wherever the tests run.
  if (loaded.kind === "config") return { ...loaded.config, log: { ...loaded.config.log, dir: "" } };
  const why = loaded.kind === "problems" ? loaded.problems.map(formatProblem).join("\n") : loaded.kind;
  throw new Error(`not a configuration: ${why}`);
}

export function startConfigured(given: Given): Weir {
  const { random } = given;
  return startWeir({ providers: [], config: configFrom(given), ...(random === undefined ? {} : { random }) });
}

/** A fake provider that stops at the end of its block. */
export function openFake(script: FakeScript = {}): Fake & AsyncDisposable {
  const fake = startFake({ script });
  return Object.assign(fake, { [Symbol.asyncDispose]: () => fake.stop() });
}
