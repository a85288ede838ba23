// A proxy that opens tunnels, and keeps what it was asked.
import { connect, createServer } from "node:net";

/** A proxy that joins every tunnel to a port of loopback, or refuses with the text that it is given. */
export async function startTunnels(lead: () => number | string) {
  const heads: string[] = [];
  const sockets = new Set<{ destroy: () => unknown }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    let head = "";
    socket.on("data", function read(bytes: Buffer) {
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", read);
      heads.push(head);
      const way = lead();
      if (typeof way === "string") return void socket.end(way);
      const onward = connect(way, "localhost", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      sockets.add(onward);
      onward.on("error", () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    heads: (): readonly string[] => heads,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
