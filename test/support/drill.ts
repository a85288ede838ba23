// A failure drill as a user runs it: the example that `weir fake --examples` prints, saved; the fake with that script; weir
// as the example's third line says; then calls by the real SDK, and what the ledger says of them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { APIError } from "openai";
import type { LedgerEntry } from "../../src/fake/ledger.ts";
import { runBinary, type RunningBinary, startBinary, weirBinary } from "./binary.ts";

/** What one call came to, as the SDK saw it. */
export interface Seen {
  /** Broken: it began well and failed. */
  readonly end: "ok" | "refused" | "broken";
  /** The HTTP status; 200 for what broke off. */
  readonly status: number;
  readonly attempts: number;
}

export interface Drill extends AsyncDisposable {
  readonly keys: readonly string[];
  /** Sends calls, so many at a time. */
  readonly send: (
    calls: number,
    options: { readonly stream: boolean; readonly atOnce: number },
  ) => Promise<readonly Seen[]>;
  /** The calls that reached the fake, once none is open; without weir's own question for models. */
  readonly ledger: () => Promise<readonly LedgerEntry[]>;
}

const MESSAGES = [{ role: "user" as const, content: "hi" }];

/** The script and the line that starts weir, from the text that a user reads. */
async function readExample(name: string): Promise<{ yaml: string; env: Record<string, string> }> {
  const { out } = await runBinary({ env: {}, args: ["fake", "--examples"] });
  const example = out.split(/^(?=# \S+\.yaml$)/m).find((each) => each.startsWith(`# ${name}.yaml\n`));
  const words = /^# ((?:\w+=\S+ )+)weir$/m
    .exec(example ?? "")?.[1]
    ?.trim()
    .split(" ");
  if (example === undefined || words === undefined)
    throw new Error(`no example "${name}" with a line to run`);
  return { yaml: example, env: Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2))) };
}

export async function startDrill(name: string): Promise<Drill> {
  const { yaml, env } = await readExample(name);
  const folder = mkdtempSync(join(tmpdir(), "weir-drill-"));
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, yaml);
  const fake = Bun.spawn([weirBinary(), "fake", "--port", "0", "--script", file], {
    env: {},
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const address = await firstMatch(fake.stdout, /weir fake listens on (\S+)/);
  const local = {
    ...env,
    OPENAI_BASE_URL: env["OPENAI_BASE_URL"]?.replace("http://127.0.0.1:9000", address) ?? "",
  };
  const weir = await startBinary({ env: local });
  return {
    keys: env["OPENAI_API_KEYS"]?.split(",") ?? [],
    send: (calls, options) => sendCalls(weir, calls, options),
    ledger: () => settledLedger(address),
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      fake.kill();
      await fake.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function firstMatch(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`ended before it said ${pattern.source}: ${text}`);
}

async function sendCalls(
  weir: RunningBinary,
  calls: number,
  { stream, atOnce }: { readonly stream: boolean; readonly atOnce: number },
): Promise<readonly Seen[]> {
  const client = new OpenAI({ apiKey: "x", baseURL: `${weir.url}/v1`, maxRetries: 0, logLevel: "off" });
  const seen: Seen[] = [];
  let left = calls;
  const sendInTurn = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      seen.push(await (stream ? sendStream(client) : sendOne(client)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendInTurn));
  return seen;
}

const attemptsOf = (headers: Headers): number => Number(headers.get("x-weir-attempts"));

function refusal(error: unknown): Seen {
  if (!(error instanceof APIError) || error.status === undefined) throw error;
  return { end: "refused", status: error.status, attempts: attemptsOf(error.headers) };
}

async function sendOne(client: OpenAI): Promise<Seen> {
  try {
    const { data, response } = await client.chat.completions
      .create({ model: "gpt-4o", messages: MESSAGES })
      .withResponse();
    if (data.choices[0]?.finish_reason !== "stop") throw new Error("an answer is not whole");
    return { end: "ok", status: response.status, attempts: attemptsOf(response.headers) };
  } catch (error) {
    return refusal(error);
  }
}

async function sendStream(client: OpenAI): Promise<Seen> {
  const opening = client.chat.completions
    .create({ model: "gpt-4o", messages: MESSAGES, stream: true })
    .withResponse();
  let opened: Awaited<typeof opening>;
  try {
    opened = await opening;
  } catch (error) {
    return refusal(error);
  }
  const { data, response } = opened;
  const attempts = attemptsOf(response.headers);
  let finish: string | null | undefined;
  try {
    for await (const event of data) finish = event.choices[0]?.finish_reason ?? finish;
  } catch {
    return { end: "broken", status: response.status, attempts };
  }
  // What the SDK takes for complete must be complete.
  if (finish !== "stop") throw new Error(`a stream ended politely with finish_reason ${finish}`);
  return { end: "ok", status: response.status, attempts };
}

async function settledLedger(address: string): Promise<readonly LedgerEntry[]> {
  for (;;) {
    const { counters, calls } = (await (await fetch(`${address}/__ledger`)).json()) as {
      counters: { open: number };
      calls: LedgerEntry[];
    };
    if (counters.open === 0) return calls.filter(({ method }) => method === "POST");
    await Bun.sleep(10);
  }
}
