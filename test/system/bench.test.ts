// The load test as it is released: the compiled binary, several processes, many streams through weir.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { createSocketTransport } from "../../src/bench/socket-transport.ts";
import { startFake } from "../../src/fake/server.ts";
import { startBench } from "../support/bench.ts";
import { startBinary, weirBinary } from "../support/binary.ts";
import { until } from "../support/until.ts";

const STREAMS = 2000;
const TOKENS = 40;
const fake = startFake({ script: { ttft: "500ms", gap: "250ms", tokens: TOKENS } });
afterAll(() => fake.stop());

/** CPU of all threads of a process. */
function cpuMsOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const usedNs = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return usedNs.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

test("two processes of the binary hold two thousand streams through weir, count each chunk, and cost less than weir", async () => {
  await using weir = await startBinary({
    env: { OPENAI_API_KEYS: "sk-bench-system-1,sk-bench-system-2", OPENAI_BASE_URL: fake.url },
  });
  fake.ledger.clear();
  const beforeMs = cpuMsOf(weir.pid);
  const args = [
    "-u",
    weir.url,
    "-m",
    "gpt-4o",
    "-c",
    String(STREAMS),
    "-w",
    "2",
    "-n",
    String(2 * STREAMS),
    "--stream",
  ];
  const { code, report } = await startBench([...args, "--json", "-"], {}, [weirBinary()]).ended;
  const weirMs = cpuMsOf(weir.pid) - beforeMs;
  const { requests, errors, tokens, firstTokenMs, gapMs, latencyMs, client, problems, seconds } = report();
  expect([code, errors, problems]).toEqual([0, [], []]);
  expect(requests).toMatchObject({ started: 2 * STREAMS, ok: 2 * STREAMS, failed: 0 });
  expect(Math.max(...seconds.map(({ inFlight }) => inFlight))).toBe(STREAMS);
  const calls = fake.ledger.calls().filter(({ method }) => method === "POST");
  expect(calls).toHaveLength(2 * STREAMS);
  expect(tokens.chunks).toBe(2 * STREAMS * TOKENS);
  expect(tokens.chunks).toBe(fake.ledger.counters().chunks);
  // Each chunk has its time from the start of its stream: it can be late, and the gap after a late one is short.
  const lastMs = firstTokenMs!.mean + (TOKENS - 1) * gapMs!.mean;
  expect(firstTokenMs!.min).toBeGreaterThanOrEqual(499);
  expect(lastMs).toBeGreaterThan(0.99 * (500 + (TOKENS - 1) * 250));
  expect(lastMs).toBeLessThan(1.01 * latencyMs!.mean);
  expect(client.cpuPerChunkUs).toBeLessThan((weirMs * 1000) / tokens.chunks);
}, 180_000);

/** Prints its port and takes no connection: with the one that its queue holds, all others stay without an answer. */
const DEAF = `use Socket; $| = 1; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK));
listen(S, 0); print((sockaddr_in(getsockname(S)))[0], "\\n"); sleep 60;`;

test("a host that does not answer is told after the time to connect, not after the call's", async () => {
  const deaf = Bun.spawn(["perl", "-e", DEAF], { stdout: "pipe", stdin: "ignore" });
  const { value } = await deaf.stdout.getReader().read();
  const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/`;
  const transport = createSocketTransport({ url, connectMs: 200 }, [[]]);
  const failures: string[] = [];
  const nothing = (): void => undefined;
  for (let count = 0; count < 3; count += 1)
    transport.send(
      { headers: 0, body: "{}" },
      {
        onHead: nothing,
        onBody: nothing,
        onEnd: nothing,
        onFailure: (reason) => void failures.push(reason),
      },
    );
  await until(() => failures.length === 2, "all but the one in the queue fail");
  expect(new Set(failures)).toEqual(new Set(["cannot connect: no answer within 0.2 s"]));
  transport.close();
  deaf.kill();
  await deaf.exited;
});
