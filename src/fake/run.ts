// Runs the fake as a program would: from a script's text, until a signal says stop. For the `weir fake` command.
import { readScriptText } from "./script-parse.ts";
import { startFake } from "./server.ts";
import type { Fake } from "./server.ts";

export interface RunFakeOptions {
  readonly port: number;
  readonly hostname: string;
  /** YAML or JSON; without it every call is answered well. */
  readonly scriptText?: string;
  readonly seed?: number;
  /** Told once, when the fake listens. */
  readonly onListen?: (fake: Fake) => void;
}

/** Resolves once the signal has stopped the fake; rejects with a ScriptError or if the port is taken. */
export async function runFake(options: RunFakeOptions, signal: AbortSignal): Promise<void> {
  const { port, hostname, scriptText, seed, onListen } = options;
  const fake = startFake({
    port,
    hostname,
    ...(scriptText !== undefined && { script: readScriptText(scriptText) }),
    ...(seed !== undefined && { seed }),
  });
  onListen?.(fake);
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  await fake.stop();
}
