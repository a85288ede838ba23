// A stand-in for vLLM and SGLang: takes their arguments, starts slowly, logs as they do, serves models, metrics and chats,
// has worker processes, and fails as a file of plans says for its port. Started by tests as `bun engine.ts -m … --port …`.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** What the engine behind a port does in place of serving. */
export type Behaviour =
  | "crash"
  | "never_ready"
  | "wrong_name"
  | "mute"
  /** Says that its port is taken, and stays. */
  | "taken"
  /** Complains about a port as its libraries do, and serves. */
  | "chatty"
  /** Does not end on TERM. */
  | "stubborn"
  /** Waits for the file GO beside the plans before it binds. */
  | "waits";

export interface EnginePlans {
  readonly behaviours: Readonly<Record<string, Behaviour>>;
}

function argument(name: string): string {
  const at = process.argv.indexOf(name);
  return at < 0 ? "" : (process.argv[at + 1] ?? "");
}

/** Where the tests that started it were killed, nothing else ends it. */
const LONGEST_LIFE_MS = 600_000;
setTimeout(() => process.kill(process.pid, "SIGKILL"), LONGEST_LIFE_MS).unref();

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const port = Number(argument("--port"));
  const plansFile = argument("--stand-in");
  const plans =
    plansFile === "" ? { behaviours: {} } : (JSON.parse(readFileSync(plansFile, "utf8")) as EnginePlans);
  const behaviour = plans.behaviours[String(port)];
  const served = argument("--served-model-name");
  say(`INFO 01-31 14:25:01 [api_server.py:1] args: ${JSON.stringify(process.argv.slice(2))}`);
  say(`INFO GPUs ${process.env["CUDA_VISIBLE_DEVICES"]} NCCL_TIMEOUT=${process.env["NCCL_TIMEOUT"]}`);
  const workers = [spawn("sleep", ["600"]), spawn("sleep", ["600"], { detached: true })];
  if (plansFile !== "")
    appendFileSync(`${plansFile}.pids`, [process.pid, ...workers.map(({ pid }) => pid), ""].join("\n"));
  process.on("SIGTERM", () => {
    if (behaviour === "stubborn") return;
    for (const worker of workers) worker.kill();
    process.exit(0);
  });
  process.stderr.write("\u001b[31mLoading safetensors\u001b[0m:  50%\rLoading safetensors: 100%\n");
  await Bun.sleep(300);
  if (behaviour === "crash") {
    say("Traceback (most recent call last):");
    say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB");
    for (const worker of workers) worker.kill();
    process.exitCode = 3;
    return;
  }
  if (behaviour === "chatty")
    say("flashinfer allreduce: bind failed, address already in use, trying the next one");
  if (behaviour === "taken")
    say(`[Errno 98] error while attempting to bind on address ('0.0.0.0', ${port}): address already in use`);
  if (behaviour === "taken" || behaviour === "never_ready") return;
  if (behaviour === "waits") while (!existsSync(`${plansFile}.GO`)) await Bun.sleep(20);
  let answered = 0;
  try {
    Bun.serve({
      hostname: "0.0.0.0",
      port: behaviour === "mute" ? 0 : port,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/v1/models")
          return Response.json({
            object: "list",
            data: [{ id: behaviour === "wrong_name" ? "another/model" : served }],
          });
        if (pathname === "/metrics")
          return new Response(
            `vllm:num_requests_running{model_name="m"} 2.0\nvllm:num_requests_waiting{model_name="m"} ${answered}.0\n` +
              'vllm:kv_cache_usage_perc{model_name="m"} 0.25\n',
          );
        await request.arrayBuffer();
        answered += 1;
        const message = { role: "assistant", content: String(port) };
        return Response.json({
          id: "chat-1",
          object: "chat.completion",
          created: 1,
          model: served,
          choices: [
            {
              index: 0,
              message,
              finish_reason: "stop",
            },
          ],
          usage: {
            prompt_tokens: 1,
            completion_tokens: 1,
            total_tokens: 2,
          },
        });
      },
    });
  } catch {
    // vLLM binds before anything else; SGLang leaves it to uvicorn, which starts the application first.
    if (process.argv.includes("sglang.launch_server")) say("INFO:     Application startup complete.");
    say(
      `ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', ${port}): address already in use`,
    );
    for (const worker of workers) worker.kill();
    process.exitCode = 1;
    return;
  }
  say("INFO:     Application startup complete.");
  say(`INFO:     Uvicorn running on http://0.0.0.0:${port} (Press CTRL+C to quit)`);
}

if (import.meta.main) await main();
