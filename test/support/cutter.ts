// A way to an upstream that the test cuts when it likes: bytes pass both ways until then.
import { connect, createServer, type Socket } from "node:net";

export interface Cutter extends AsyncDisposable {
  readonly url: string;
  /** Resets every connection that is open now. */
  readonly reset: () => void;
}

export async function startCutter(port: number): Promise<Cutter> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.add(near);
    near.on("error", () => undefined);
    far.on("error", () => undefined);
    near.on("close", () => {
      sockets.delete(near);
      far.destroy();
    });
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
