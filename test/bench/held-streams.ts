// Holds many streams open through the built binary and prints its memory and CPU. On request: `bun run bench:streams 9500`.
// Each process needs one descriptor a stream, weir two.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const COUNT = Number(Bun.argv[2] ?? 1000);
const SECONDS = Number(Bun.argv[3] ?? 10);
const BINARY = join(import.meta.dir, "../../dist/weir");
const env = { PATH: process.env["PATH"] ?? "", HOME: "/tmp" };
const body = JSON.stringify({ model: "gpt-4o", stream: true, messages: [{ role: "user", content: "hi" }] });

async function startWith(args: readonly string[], extra: Record<string, string> = {}) {
  const child = Bun.spawn([BINARY, ...args], {
    env: { ...env, ...extra },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const url = /listens on (\S+)/.exec(new TextDecoder().decode(value))?.[1];
  if (url === undefined) throw new Error(`cannot start ${args.join(" ")}`);
  return { child, url };
}

function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return (
    tasks.reduce(
      (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
      0,
    ) / 1e6
  );
}
const rssMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

const script = join("/tmp", `weir-held-${process.pid}.yaml`);
await Bun.write(script, `tokens: ${SECONDS + 30}\ngap: 1s\n`);
const fake = await startWith(["fake", "--port", "0", "--script", script]);
const weir = await startWith(["--port", "0", "--log-level", "error"], {
  OPENAI_API_KEYS: "held-key-one-0001",
  OPENAI_BASE_URL: fake.url,
});
try {
  console.log(`weir idle: ${rssMb(weir.child.pid).toFixed(0)} MB`);
  const { hostname, port } = new URL(weir.url);
  let firstBytes = 0;
  let chunks = 0;
  let closed = 0;
  const started = performance.now();
  let allFirst = 0;
  const everyone = Promise.withResolvers<void>();
  const open = () =>
    Bun.connect<{ seen: boolean }>({
      hostname,
      port: Number(port),
      data: { seen: false },
      socket: {
        open: (socket) =>
          void socket.write(
            `POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          ),
        data(socket) {
          chunks += 1;
          if (socket.data.seen) return;
          socket.data.seen = true;
          firstBytes += 1;
          if (firstBytes < COUNT) return;
          allFirst = performance.now() - started;
          everyone.resolve();
        },
        close: () => void (closed += 1),
      },
    });
  const sockets = [];
  for (let at = 0; at < COUNT; at += 1) {
    sockets.push(await open());
    if (at % 200 === 199) await Bun.sleep(5);
  }
  await Promise.race([everyone.promise, Bun.sleep(30_000)]);
  console.log(
    `${firstBytes} of ${COUNT} streams had their first byte after ${(allFirst / 1000).toFixed(1)} s`,
  );
  const [cpuFrom, chunksFrom] = [cpuMs(weir.child.pid), chunks];
  await Bun.sleep(SECONDS * 1000);
  const used = cpuMs(weir.child.pid) - cpuFrom;
  console.log(
    `held for ${SECONDS} s: ${closed} closed, ${((chunks - chunksFrom) / SECONDS).toFixed(0)} reads/s, ${((used * 1000) / (chunks - chunksFrom)).toFixed(1)} CPU-µs per read`,
  );
  console.log(`weir: ${rssMb(weir.child.pid).toFixed(0)} MB`);
  for (const socket of sockets) socket.end();
  await Bun.sleep(5000);
  console.log(`weir 5 s after they left: ${rssMb(weir.child.pid).toFixed(0)} MB`);
} finally {
  weir.child.kill("SIGKILL");
  fake.child.kill("SIGKILL");
  await Promise.all([weir.child.exited, fake.child.exited]);
}
