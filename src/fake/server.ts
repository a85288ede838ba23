// The fake provider: listens on raw TCP, reads requests, decides by its script what becomes of each, keeps a ledger.
// Raw, so that every wrong byte is possible and the far side of a test shares nothing with Bun.serve.
import { startCall } from "./call.ts";
import { answerControl, isControl } from "./control.ts";
import { createDecider } from "./decide.ts";
import { entryOf } from "./entry.ts";
import { FileShelf } from "./families/files.ts";
import { openGate } from "./gate.ts";
import { Ledger } from "./ledger.ts";
import { createPacer } from "./pacer.ts";
import { seedRandom } from "./random.ts";
import { readAsk } from "./read-ask.ts";
import { parseScript } from "./script-parse.ts";
import { RequestReader } from "./wire-request.ts";
import { Wire } from "./wire.ts";
import type { Call } from "./call.ts";
import type { Decider } from "./decide.ts";
import type { Gate } from "./gate.ts";
import type { EngineLoad } from "./metrics.ts";
import type { Pacer } from "./pacer.ts";
import type { Random } from "./random.ts";
import type { FakeScript } from "./script.ts";
import type { Script } from "./script-parse.ts";
import type { WireRequest } from "./wire-request.ts";

export interface FakeOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly hostname?: string;
  readonly script?: FakeScript;
  /** Makes all chance the same every time; default 1. */
  readonly seed?: number;
  /** The wall clock of the ledger and the limits, in milliseconds. */
  readonly now?: () => number;
}

export interface Fake {
  readonly port: number;
  readonly url: string;
  readonly ledger: Ledger;
  /** Takes a new script at once; counts, windows and chance start anew. Throws a ScriptError and keeps the old. */
  configure(script: FakeScript): void;
  readonly openConnections: number;
  readonly openCalls: number;
  stop(): Promise<void>;
}

interface Connection {
  readonly id: number;
  readonly wire: Wire;
  readonly reader: RequestReader;
  call: Call | undefined;
  turns: number;
  /** Accepted by a script that never reads. */
  deaf: boolean;
}

type Socket = Bun.Socket<Connection | undefined>;

/** Wall-clock milliseconds with the monotonic clock's fractions. */
const wallClock = (): number => performance.timeOrigin + performance.now();

export function startFake(options: FakeOptions = {}): Fake {
  return new FakeServer(options);
}

class FakeServer implements Fake {
  readonly ledger = new Ledger();
  readonly port: number;
  readonly url: string;
  private readonly hostname: string;
  private readonly seed: number;
  private readonly now: () => number;
  private readonly pacer: Pacer = createPacer(() => performance.now());
  private readonly shelf = new FileShelf();
  private readonly sockets = new Set<Socket>();
  private readonly gate: Gate;
  private script: Script;
  private decider: Decider;
  private random: Random;
  private calls = 0;
  private connections = 0;
  private openCallCount = 0;

  constructor(options: FakeOptions) {
    this.hostname = options.hostname ?? "127.0.0.1";
    this.seed = options.seed ?? 1;
    this.now = options.now ?? wallClock;
    this.script = parseScript(options.script ?? {});
    this.random = seedRandom(this.seed);
    this.decider = this.newDecider();
    this.gate = openGate<Connection | undefined>(
      { hostname: this.hostname, port: options.port ?? 0 },
      {
        open: (socket) => this.opened(socket),
        data: (socket, bytes) => this.arrived(socket, bytes),
        drain: (socket) => socket.data?.wire.drain(),
        close: (socket) => this.closed(socket),
        error: (socket) => this.closed(socket),
      },
    );
    this.port = this.gate.port;
    const host = this.hostname.includes(":") ? `[${this.hostname}]` : this.hostname;
    this.url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${this.port}`;
    this.gate.apply(this.script.accept, this.random);
  }

  get openConnections(): number {
    return this.sockets.size;
  }

  get openCalls(): number {
    return this.openCallCount;
  }

  configure(script: FakeScript): void {
    this.script = parseScript(script);
    this.random = seedRandom(this.seed);
    this.decider = this.newDecider();
    this.gate.apply(this.script.accept, this.random);
    // A provider that is down keeps no idle connections either; whoever told it to be still gets its answer.
    if (this.script.accept.mode === "refuse") queueMicrotask(() => this.closeIdle());
  }

  private closeIdle(): void {
    for (const { data: connection } of this.sockets)
      if (connection !== undefined && connection.call === undefined) connection.wire.end();
  }

  async stop(): Promise<void> {
    this.gate.stop();
    for (const socket of this.sockets) socket.terminate();
    this.pacer.stop();
    await this.ledger.settled();
  }

  private newDecider(): Decider {
    const load = (): EngineLoad => {
      const { finished, chunks } = this.ledger.counters();
      // The scrape itself is not a request to the engine; it is not yet counted as open.
      return { running: this.openCallCount, finished, chunks };
    };
    return createDecider(this.script, { random: this.random, now: this.now, shelf: this.shelf, load });
  }

  private opened(socket: Socket): void {
    this.sockets.add(socket);
    const fate = this.gate.fate();
    if (fate === "close") return void socket.end();
    if (fate === "reset") return socket.terminate();
    this.connections += 1;
    socket.data = {
      id: this.connections,
      wire: new Wire(socket),
      reader: new RequestReader(),
      call: undefined,
      turns: 0,
      deaf: fate === "hang",
    };
  }

  private arrived(socket: Socket, bytes: Buffer): void {
    const connection = socket.data;
    if (connection === undefined || connection.deaf) return;
    connection.reader.push(bytes);
    this.serveNext(connection);
  }

  private closed(socket: Socket): void {
    if (!this.sockets.delete(socket)) return;
    const connection = socket.data;
    if (connection === undefined) return;
    connection.wire.lose();
    const { call } = connection;
    if (call === undefined) return;
    connection.call = undefined;
    this.openCallCount -= 1;
    call.abandon(this.gate.stopped ? "cut" : "aborted");
  }

  /** Takes the next complete request, if no call is under way; loops for what a client sent ahead. */
  private serveNext(connection: Connection): void {
    const { reader, wire } = connection;
    while (connection.call === undefined && !wire.closed) {
      const result = reader.next();
      if (result.kind === "more") return;
      if (result.kind === "expects") wire.send("HTTP/1.1 100 Continue\r\n\r\n");
      else if (result.kind === "broken") {
        const status = result.status === 413 ? "413 Payload Too Large" : "400 Bad Request";
        wire.send(
          `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: ${result.reason.length}\r\n\r\n${result.reason}`,
        );
        wire.end();
      } else if (isControl(result.request)) {
        answerControl(result.request, wire, this);
      } else this.serve(connection, result.request);
    }
  }

  private serve(connection: Connection, request: WireRequest): void {
    connection.turns += 1;
    this.calls += 1;
    const ask = readAsk(this.calls, request);
    const plan = this.decider.decide(ask);
    const entry = entryOf(ask, plan, {
      connection: connection.id,
      turn: connection.turns,
      receivedAt: this.now(),
    });
    this.ledger.open(entry);
    this.openCallCount += 1;
    let over = false;
    const call = startCall(ask, plan, entry, {
      wire: connection.wire,
      pacer: this.pacer,
      ledger: this.ledger,
      now: this.now,
      done: () => {
        over = true;
        if (connection.call === undefined) return;
        connection.call = undefined;
        this.openCallCount -= 1;
        // Later, so that a connection which is to end has ended.
        if (!connection.reader.idle) queueMicrotask(() => this.serveNext(connection));
      },
    });
    if (over) this.openCallCount -= 1;
    else connection.call = call;
  }
}
