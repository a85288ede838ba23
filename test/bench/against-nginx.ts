// Measures weir beside nginx as a plain proxy in the same run and prints ratios. On request only: `bun run bench:proxy`.
// Needs nginx, wrk and taskset. The proxies share core 0, upstream and load have core 1; see the README.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECONDS = Number(Bun.argv[2] ?? 4);
const BINARY = join(import.meta.dir, "../../dist/weir");
const BODY = JSON.stringify({
  model: "gpt-4o",
  messages: [{ role: "user", content: "y".repeat(950) }],
});
const started: Bun.Subprocess[] = [];
const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));

interface Arm {
  readonly name: string;
  readonly url: string;
  readonly pids: () => readonly number[];
}

function start(
  core: string,
  command: readonly string[],
  env: Record<string, string> = {},
): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const child = Bun.spawn(["taskset", "-c", core, ...command], {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
    stdout: "pipe",
    stderr: "inherit",
    stdin: "ignore",
  });
  started.push(child);
  return child;
}

async function firstLine(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<string> {
  const { value } = await child.stdout.getReader().read();
  return new TextDecoder().decode(value).trim();
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const up = await fetch(url).then(
      (response) => response.body?.cancel().then(() => true),
      () => false,
    );
    if (up === true) return;
    await Bun.sleep(25);
  }
  throw new Error(`cannot reach ${url}`);
}

/** Nanoseconds of CPU over all threads of the processes. */
function cpuNs(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids)
    for (const task of readdirSync(`/proc/${pid}/task`))
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
  return total;
}

const rssMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

async function wrk(
  arm: Arm,
  connections: number,
): Promise<{ requests: number; errors: string; cpuUs: number }> {
  const script = join(folder, "post.lua");
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = '${BODY}'\nwrk.headers["content-type"] = "application/json"\n`,
  );
  const before = cpuNs(arm.pids());
  const run = start("1", [
    "wrk",
    "-t1",
    `-c${connections}`,
    `-d${SECONDS}s`,
    "-s",
    script,
    `${arm.url}/v1/chat/completions`,
  ]);
  const text = await new Response(run.stdout).text();
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  const errors = [/Non-2xx.*/.exec(text)?.[0], /Socket errors.*/.exec(text)?.[0]].filter(Boolean).join("; ");
  return { requests, errors, cpuUs: (cpuNs(arm.pids()) - before) / 1000 / requests };
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** One request to every arm in random order a round, each on its own warm connection; differences to direct, in µs. */
async function pairedLatency(arms: readonly Arm[], rounds: number): Promise<void> {
  const added = new Map(arms.map((arm) => [arm.name, [] as number[]]));
  const init = { method: "POST", body: BODY, headers: { "content-type": "application/json" } };
  for (let round = 0; round < rounds; round += 1) {
    const took = new Map<string, number>();
    for (const arm of [...arms].sort(() => Math.random() - 0.5)) {
      const from = Bun.nanoseconds();
      await (await fetch(`${arm.url}/v1/chat/completions`, init)).arrayBuffer();
      took.set(arm.name, (Bun.nanoseconds() - from) / 1000);
    }
    if (round < 200) continue; // warm-up
    for (const arm of arms) added.get(arm.name)?.push((took.get(arm.name) ?? 0) - (took.get("direct") ?? 0));
  }
  for (const [name, values] of added) {
    const sorted = values.toSorted((a, b) => a - b);
    console.log(
      `latency added, 1 connection  ${name.padEnd(8)} p50 ${percentile(sorted, 0.5).toFixed(0)} µs  p99 ${percentile(sorted, 0.99).toFixed(0)} µs  (n=${sorted.length})`,
    );
  }
}

/** Opens many paced streams at once and reads them to the end; CPU of the proxy by chunk, and the first byte's time. */
async function streams(
  arm: Arm,
  count: number,
  chunks: number,
  gapMs: number,
): Promise<{ cpuUs: number; firstMs: number }> {
  const before = cpuNs(arm.pids());
  const first: number[] = [];
  const init = { method: "POST", body: BODY, headers: { "content-type": "application/json" } };
  await Promise.all(
    Array.from({ length: count }, async () => {
      const from = performance.now();
      const response = await fetch(`${arm.url}/v1/chat/completions?chunks=${chunks}&gap=${gapMs}`, init);
      let seen = 0;
      for await (const _ of response.body ?? []) if (seen++ === 0) first.push(performance.now() - from);
    }),
  );
  return {
    cpuUs: (cpuNs(arm.pids()) - before) / 1000 / (count * chunks),
    firstMs: percentile(
      first.toSorted((a, b) => a - b),
      0.5,
    ),
  };
}

try {
  const upstream = start("1", [process.execPath, join(import.meta.dir, "upstream.ts")]);
  const upstreamUrl = `http://127.0.0.1:${await firstLine(upstream)}`;
  const nginxPort = 18_080;
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 1; daemon off; pid ${folder}/pid; error_log stderr error; worker_rlimit_nofile 20000;
events { worker_connections 10000; }
http { access_log off; client_body_buffer_size 1m; client_max_body_size 64m; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
 fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; keepalive_requests 1000000;
 upstream up { server ${upstreamUrl.slice(7)}; keepalive 512; keepalive_requests 1000000; }
 server { listen 127.0.0.1:${nginxPort}; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600s; } } }`,
  );
  const nginx = start("0", ["nginx", "-p", folder, "-c", join(folder, "nginx.conf")]);
  const weirPort = 18_081;
  const weir = start("0", [BINARY, "--port", String(weirPort), "--log-level", "error"], {
    OPENAI_API_KEYS: "bench-key-one-0001,bench-key-two-0002",
    OPENAI_BASE_URL: upstreamUrl,
  });
  const arms: Arm[] = [
    { name: "direct", url: upstreamUrl, pids: () => [upstream.pid] },
    {
      name: "nginx",
      url: `http://127.0.0.1:${nginxPort}`,
      pids: () => [nginx.pid, ...childrenOf(nginx.pid)],
    },
    { name: "weir", url: `http://127.0.0.1:${weirPort}`, pids: () => [weir.pid] },
  ];
  await untilUp(`http://127.0.0.1:${nginxPort}/v1/models`);
  await untilUp(`http://127.0.0.1:${weirPort}/health`);
  console.log(`idle RSS of weir: ${rssMb(weir.pid).toFixed(0)} MB`);

  await pairedLatency(arms, 3200);
  // Bun compiles on further threads for some 20,000 requests: a figure of its own, no part of the ratios.
  for (const arm of arms.slice(1)) {
    const { requests, cpuUs } = await wrk(arm, 16);
    console.log(`cold c=16  ${arm.name.padEnd(6)} ${cpuUs.toFixed(1)} CPU-µs/req over ${requests} requests`);
  }
  for (const connections of [16, 64, 256]) {
    const ratios: number[] = [];
    for (let block = 0; block < 3; block += 1) {
      const figures = new Map<string, number>();
      for (const arm of arms.slice(1).sort(() => Math.random() - 0.5)) {
        const { requests, errors, cpuUs } = await wrk(arm, connections);
        figures.set(arm.name, cpuUs);
        console.log(
          `unary c=${connections}  ${arm.name.padEnd(6)} ${(requests / SECONDS).toFixed(0)} req/s  ${cpuUs.toFixed(1)} CPU-µs/req  ${errors}`,
        );
      }
      ratios.push((figures.get("weir") ?? 0) / (figures.get("nginx") ?? 1));
    }
    console.log(
      `unary c=${connections}  weir/nginx CPU per request: ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}`,
    );
  }
  for (const [count, chunks, gapMs] of [
    [100, 200, 20],
    [1000, 40, 100],
  ] as const) {
    const figures = new Map<string, number>();
    for (const arm of arms.slice(1)) {
      const { cpuUs, firstMs } = await streams(arm, count, chunks, gapMs);
      figures.set(arm.name, cpuUs);
      console.log(
        `streams n=${count} every ${gapMs} ms  ${arm.name.padEnd(6)} ${cpuUs.toFixed(1)} CPU-µs/chunk  first byte p50 ${firstMs.toFixed(0)} ms`,
      );
    }
    console.log(
      `streams n=${count}  weir/nginx CPU per chunk: ${((figures.get("weir") ?? 0) / (figures.get("nginx") ?? 1)).toFixed(2)}`,
    );
  }
  console.log(`RSS of weir after the load: ${rssMb(weir.pid).toFixed(0)} MB`);
} finally {
  for (const child of started) child.kill();
  await Promise.all(started.map((child) => child.exited));
  rmSync(folder, { recursive: true, force: true });
}
