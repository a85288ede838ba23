// One accepted connection as the fake's answers see it: bytes out with back-pressure, a polite end, or a reset.
// Bun's `write` takes what the kernel takes; the rest waits here until the socket drains.

/** The part of Bun's socket that is used, so that tests may stand in for it. */
export interface RawSocket {
  write(data: string | Uint8Array): number;
  end(): void;
  terminate(): void;
}

export class Wire {
  /** Set by whoever waits for room; called once everything pending is with the kernel. */
  onRoom: (() => void) | undefined;
  private readonly socket: RawSocket;
  private pending: Uint8Array[] = [];
  private ending = false;
  private gone = false;

  constructor(socket: RawSocket) {
    this.socket = socket;
  }

  get blocked(): boolean {
    return this.pending.length > 0;
  }

  get closed(): boolean {
    return this.gone || this.ending;
  }

  send(data: string | Uint8Array): void {
    if (this.closed || data.length === 0) return;
    if (this.blocked) {
      this.pending.push(typeof data === "string" ? Buffer.from(data) : data);
      return;
    }
    const written = Math.max(0, this.socket.write(data));
    if (written >= Buffer.byteLength(data)) return;
    this.pending.push((typeof data === "string" ? Buffer.from(data) : data).subarray(written));
  }

  /** Called when the socket has room again. */
  drain(): void {
    for (let first = this.pending[0]; first !== undefined; first = this.pending[0]) {
      const written = Math.max(0, this.socket.write(first));
      if (written < first.length) {
        this.pending[0] = first.subarray(written);
        return;
      }
      this.pending.shift();
    }
    if (this.ending) {
      this.gone = true;
      this.socket.end();
      return;
    }
    const resume = this.onRoom;
    this.onRoom = undefined;
    resume?.();
  }

  /** Ends politely, after what is pending. */
  end(): void {
    if (this.closed) return;
    this.ending = true;
    if (!this.blocked) {
      this.gone = true;
      this.socket.end();
    }
  }

  /** Ends with a reset (linger 0); what is pending is lost. */
  reset(): void {
    if (this.gone) return;
    this.gone = true;
    this.pending = [];
    this.socket.terminate();
  }

  /** The far side has gone, or the socket has closed. */
  lose(): void {
    this.gone = true;
    this.pending = [];
    this.onRoom = undefined;
  }
}
