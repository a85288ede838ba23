// Runs a command in place, without a terminal and without signals, and keeps what it writes.
import type { Command } from "../../src/commands/invocation.ts";

export async function runCommand(
  command: Command,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const texts = { out: "", err: "" };
  const code = await command({
    args,
    env,
    out: (text) => void (texts.out += text),
    err: (text) => void (texts.err += text),
    isTerminal: false,
    onSignal: () => undefined,
  });
  return { code, ...texts };
}
