// What a command is given: its arguments and the world around the process, so that tests can run commands in place.

export interface Invocation {
  /** After the command's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True when a person reads what is written. */
  readonly isTerminal: boolean;
  /** Calls back for every signal of that name, as long as the command runs. */
  readonly onSignal: (name: "SIGINT" | "SIGTERM" | "SIGHUP", act: () => void) => void;
}

/** Exit codes of the contract's section 1; 64 to 78 as in sysexits.h. */
export const EXIT = { fine: 0, failed: 1, usage: 64, unavailable: 69, config: 78, interrupted: 130 } as const;

export type Command = (invocation: Invocation) => Promise<number>;
