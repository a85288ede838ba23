// Tells a server that does not answer from one that cannot be reached: fetch has no event for the end of the connect phase.

/** A verdict on an address is good for this long, so that many slow requests cause one dial. */
const VERDICT_MS = 10_000;

export interface DialCheck {
  /** An answer came from there, so it can be reached. */
  readonly noteAnswer: (origin: string) => void;
  /** Opens a connection to the origin, unless it is known to be reachable; false when that fails or takes too long. */
  readonly canConnect: (origin: string, timeoutMs: number) => Promise<boolean>;
}

export function createDialCheck(now: () => number): DialCheck {
  const reachedMs = new Map<string, number>();
  const dialling = new Map<string, Promise<boolean>>();
  return {
    noteAnswer(origin) {
      reachedMs.set(origin, now());
    },
    async canConnect(origin, timeoutMs) {
      if (now() - (reachedMs.get(origin) ?? Number.NEGATIVE_INFINITY) < VERDICT_MS) return true;
      const running = dialling.get(origin) ?? dial(origin, timeoutMs);
      dialling.set(origin, running);
      try {
        const connected = await running;
        if (connected) reachedMs.set(origin, now());
        return connected;
      } finally {
        dialling.delete(origin);
      }
    },
  };
}

function dial(origin: string, timeoutMs: number): Promise<boolean> {
  const url = new URL(origin);
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const finish = (connected: boolean) => {
      clearTimeout(timer);
      resolve(connected);
    };
    timer = setTimeout(() => finish(false), timeoutMs);
    Bun.connect({
      hostname,
      port,
      socket: {
        open(socket) {
          socket.end();
          finish(true);
        },
        data() {},
        connectError: () => finish(false),
      },
    }).catch(() => finish(false)); // refused and unresolvable reject as well as calling connectError
  });
}
