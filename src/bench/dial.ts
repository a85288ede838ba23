// Opens connections to one server: plain, in TLS, or in TLS through a proxy. One that is not open in time is given up, whatever
// it waits for; nothing is sent to a server whose certificate does not hold.
import { codeOf, describeConnectError, describeRefusal } from "./connect-errors.ts";

export interface LineEvents {
  /** From now on it takes what is written. */
  readonly onOpen: () => void;
  readonly onData: (bytes: Uint8Array) => void;
  readonly onDrain: () => void;
  /** Told once, and not when this side ended it. */
  readonly onClosed: (reason: string) => void;
}

export interface Line {
  /** How many bytes it has taken. */
  readonly write: (bytes: Uint8Array) => number;
  readonly end: () => void;
  /** At any time, also before it is open. */
  readonly terminate: () => void;
}

export interface DialTerms {
  readonly url: string;
  /** An `http:` URL; for `https:` only. */
  readonly proxy?: string | undefined;
  readonly connectMs?: number;
}

interface State {
  readonly events: LineEvents;
  socket: Bun.Socket<State> | undefined;
  phase: "opening" | "open" | "over";
  /** What it waits for while it opens. */
  awaited: string;
  late: ReturnType<typeof setTimeout> | undefined;
  /** Of the proxy's answer, what has come. */
  head: string;
}

/** A host that drops packets would else be noticed only when the call's whole time is over. */
const CONNECT_MS = 10_000;
const MOST_HEAD_CHARS = 16 * 1024;
/** As on the wire (RFC 7301, section 3.1): its length first. Bun sends nothing of a text without that. */
const HTTP_1_1 = "\u0008http/1.1";

export function createDialer({
  url,
  proxy,
  connectMs = CONNECT_MS,
}: DialTerms): (events: LineEvents) => Line {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "https:";
  const server = { hostname: bareHost(hostname), port: portOf(port, isTls ? 443 : 80) };
  const via = proxy === undefined || !isTls ? undefined : new URL(proxy);
  // Without the name, a server behind a proxy would be checked against the proxy's; and Bun takes `{}` for no TLS at all.
  const tls = { serverName: server.hostname, ALPNProtocols: HTTP_1_1 };

  const over = (state: State, reason: string): void => {
    if (state.phase === "over") return;
    terminate(state);
    state.events.onClosed(reason);
  };
  const broken = (state: State, reason: string): void =>
    over(state, state.phase === "open" ? reason : `cannot connect: closed with ${state.awaited}`);
  const open = (state: State): void => {
    // A handshake may come again in the middle of a connection.
    if (state.phase !== "opening") return;
    clearTimeout(state.late);
    state.phase = "open";
    state.events.onOpen();
  };
  /** False: nobody waits for it any more. */
  const take = (state: State, socket: Bun.Socket<State>, awaited: string): boolean => {
    state.socket = socket;
    state.awaited = awaited;
    if (state.phase === "over") socket.terminate();
    else socket.setNoDelay(true);
    return state.phase !== "over";
  };

  const HANDLERS: Bun.SocketHandler<State> = {
    open(socket) {
      if (take(socket.data, socket, "no TLS handshake") && !isTls) open(socket.data);
    },
    data: ({ data: state }, bytes) => state.events.onData(bytes),
    drain: ({ data: state }) => state.events.onDrain(),
    end: ({ data: state }) => broken(state, "closed without an answer"),
    close: ({ data: state }) => broken(state, "closed without an answer"),
    error: ({ data: state }) => broken(state, "connection broke"),
    connectError: () => undefined, // the promise tells it as well
  };
  if (isTls)
    HANDLERS.handshake = ({ data: state }, isTrusted, error) => {
      if (isTrusted) open(state);
      else if (codeOf(error) === "ECONNRESET") broken(state, "");
      else over(state, `cannot connect: ${describeRefusal(error)}`);
    };

  /** RFC 9110, section 9.3.6. All that the tunnel carries comes here as well, before it is deciphered, and is passed by. */
  const tunnel = ({ username, password }: URL): Bun.SocketHandler<State> => ({
    ...HANDLERS,
    open(socket) {
      if (!take(socket.data, socket, "no answer of the proxy")) return;
      const authority = `${hostname}:${server.port}`;
      const login = [username, password].map(decodeURIComponent).join(":");
      const credentials =
        login === ":" ? "" : `proxy-authorization: Basic ${Buffer.from(login).toBase64()}\r\n`;
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`);
    },
    data(socket, bytes) {
      const state = socket.data;
      if (state.socket !== socket) return;
      state.head += bytes.toString("latin1");
      const [, status] = /^HTTP\/1\.[01] (\d{3})(?=[ \r]).*\r\n\r\n/s.exec(state.head) ?? [];
      if (status?.startsWith("2") === true)
        [, state.socket] = socket.upgradeTLS<State>({ data: state, tls, socket: HANDLERS });
      else if (status !== undefined) over(state, `cannot connect: the proxy refused with ${status}`);
      else if (state.head.length > MOST_HEAD_CHARS) over(state, "cannot connect: the proxy speaks no HTTP");
    },
    drain: () => undefined,
    end: (socket) => proxyClosed(socket),
    close: (socket) => proxyClosed(socket),
    error: (socket) => proxyClosed(socket),
  });
  const proxyClosed = (socket: Bun.Socket<State>): void => {
    if (socket.data.socket === socket) broken(socket.data, "");
  };

  const first =
    via === undefined
      ? { ...server, ...(isTls && { tls }), socket: HANDLERS }
      : { hostname: bareHost(via.hostname), port: portOf(via.port, 80), socket: tunnel(via) };

  return (events) => {
    const state: State = {
      events,
      socket: undefined,
      phase: "opening",
      awaited: "no answer",
      late: undefined,
      head: "",
    };
    state.late = setTimeout(
      () => over(state, `cannot connect: ${state.awaited} within ${connectMs / 1000} s`),
      connectMs,
    );
    Bun.connect<State>({ ...first, data: state }).catch((error: unknown) => {
      over(state, `cannot connect: ${describeConnectError(error, via === undefined ? "" : " at the proxy")}`);
    });
    return {
      write: (bytes) => Math.max(0, state.socket?.write(bytes) ?? 0),
      end: () => void state.socket?.end(),
      terminate: () => terminate(state),
    };
  };
}

function terminate(state: State): void {
  clearTimeout(state.late);
  state.phase = "over";
  state.socket?.terminate();
}

const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");
const portOf = (text: string, fallback: number): number => (text === "" ? fallback : Number(text));
