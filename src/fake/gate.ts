// The listening socket and what happens to new connections: taken, refused, closed, reset or left hanging.
// Refusing means that nothing listens, so that a connect is truly refused; the port is kept for the return.
import type { Random } from "./random.ts";
import type { Accept } from "./script-parse.ts";

export interface Gate {
  readonly port: number;
  readonly stopped: boolean;
  /** Takes new rules for connections, at once. */
  apply(accept: Accept, random: Random): void;
  /** What befalls the connection that has just been accepted. */
  fate(): "take" | "close" | "reset" | "hang";
  stop(): void;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Ports of gates that refuse, until they are held and in case they cannot be: the next fake beside may be given one. */
const refusing = new Set<number>();

/** Listens on a free port that the system gives, unless it is among those that somebody wants back. */
export function listenBeside<Listener extends { readonly port: number; readonly stop: () => void }>(
  listen: () => Listener,
  wantedBack: ReadonlySet<number>,
): Listener {
  const unwanted: Listener[] = [];
  let listener = listen();
  while (wantedBack.has(listener.port)) {
    unwanted.push(listener);
    listener = listen();
  }
  for (const each of unwanted) each.stop();
  return listener;
}

/**
 * Keeps a port at which nobody listens from being given to whoever asks the system for a free one, in this process or another:
 * it is the near end of a connection to a listener of our own. `leave` gives up what has it now. Returns what lets it go.
 */
function holdPort({ hostname, port }: Address, leave: () => void): () => void {
  // Before the port is free, else it could be given to this one.
  const far = Bun.listen({ hostname, port: 0, socket: { data() {}, error() {} } });
  leave();
  // Bun's types know no near end; the runtime takes it, and takes the port before it returns.
  const terms = {
    hostname,
    port: far.port,
    localAddress: hostname,
    localPort: port,
    socket: { data() {}, error() {} },
  };
  // Where an address cannot be held like this, the port is as free as it was.
  const near = Bun.connect(terms).catch(() => undefined);
  return () => {
    void near.then((socket) => socket?.terminate());
    far.stop(true);
  };
}

export function openGate<Data>(address: Address, socket: Bun.SocketHandler<Data>): Gate {
  const { hostname } = address;
  const listen = (port: number): Bun.TCPSocketListener<Data> => Bun.listen<Data>({ hostname, port, socket });
  let listener: Bun.TCPSocketListener<Data> | undefined =
    address.port === 0 ? listenBeside(() => listen(0), refusing) : listen(address.port);
  const { port } = listener;
  let accept: Accept = { mode: "normal", probability: 1 };
  let random: Random | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let letGo: (() => void) | undefined;
  let stopped = false;

  const apply = (next: Accept): void => {
    clearTimeout(timer);
    accept = next;
    if (accept.mode === "refuse") {
      refusing.add(port);
      letGo ??= holdPort({ hostname, port }, () => listener?.stop(false));
      listener = undefined;
    } else {
      letGo?.();
      letGo = undefined;
      listener ??= listen(port);
      refusing.delete(port);
    }
    if (accept.forMs === undefined || accept.mode === "normal") return;
    timer = setTimeout(() => apply({ mode: "normal", probability: 1 }), accept.forMs);
  };

  return {
    port,
    get stopped() {
      return stopped;
    },
    apply(next, chance) {
      random = chance;
      apply(next);
    },
    fate() {
      const { mode, probability } = accept;
      if (mode === "normal" || mode === "refuse") return "take";
      return probability >= 1 || (random?.() ?? 1) < probability ? mode : "take";
    },
    stop() {
      stopped = true;
      refusing.delete(port);
      clearTimeout(timer);
      letGo?.();
      letGo = undefined;
      listener?.stop(true);
      listener = undefined;
    },
  };
}
