// Deadlines: chunks are due at fixed times, lateness never adds up, and a slow reader holds nothing but itself.
import { expect, test } from "bun:test";
import { createPacer } from "../../src/fake/pacer.ts";
import { Performance } from "../../src/fake/perform.ts";
import { seedRandom } from "../../src/fake/random.ts";
import { startFake } from "../../src/fake/server.ts";
import { Wire } from "../../src/fake/wire.ts";
import { chatBody, dechunk, rawClient, requestText } from "./raw.ts";

test("a pacer runs tasks in the order of their deadlines, and never a cancelled one", async () => {
  const pacer = createPacer(() => performance.now());
  const random = seedRandom(3);
  const ran: number[] = [];
  const start = pacer.clock();
  const done = Promise.withResolvers<void>();
  const deadlines = Array.from({ length: 500 }, () => start + Math.floor(random() * 20));
  const cancelled = new Set<number>();
  deadlines.forEach((atMs, index) => {
    const deadline = pacer.at(atMs, () => ran.push(index));
    if (index % 3 === 0) {
      deadline.cancel();
      cancelled.add(index);
    }
  });
  pacer.at(start + 21, () => done.resolve());
  await done.promise;
  expect(ran).toHaveLength(500 - cancelled.size);
  expect(ran.some((index) => cancelled.has(index))).toBe(false);
  const times = ran.map((index) => deadlines[index]!);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("a pacer runs nothing before its clock says so", async () => {
  let nowMs = 0;
  const pacer = createPacer(() => nowMs);
  const ran: string[] = [];
  const early = Promise.withResolvers<void>();
  pacer.at(5, () => {
    ran.push("early");
    early.resolve();
  });
  pacer.at(1e6, () => ran.push("late"));
  nowMs = 4;
  // Real time passes, but the pacer has only its own clock.
  await Bun.sleep(8);
  expect(ran).toEqual([]);
  nowMs = 5;
  await early.promise;
  expect(ran).toEqual(["early"]);
  pacer.stop();
});

test("chunk i is due at start plus i gaps, however late each of them was", () => {
  let nowMs = 0;
  const due: number[] = [];
  const tasks: (() => void)[] = [];
  const pacer = {
    clock: () => nowMs,
    at(atMs: number, task: () => void) {
      due.push(atMs);
      tasks.push(task);
      return { cancel: () => {} };
    },
    stop: () => {},
  };
  const sent: string[] = [];
  const wire = new Wire({
    write(data) {
      sent.push(String(data));
      return data.length;
    },
    end() {},
    terminate() {},
  });
  const body = {
    kind: "stream" as const,
    type: "text/event-stream",
    opening: "",
    step: String,
    closing: () => "",
    errorEvent: () => "",
  };
  const course = {
    answer: { status: 200, body, steps: 6, tokensPerStep: 1 },
    headAtMs: 0,
    firstAtMs: 0,
    gapMs: 10,
    headers: [],
    framing: "chunked" as const,
    keepAlive: true,
    prelude: "",
    bodiless: false,
    gzip: false,
  };
  const progress: number[] = [];
  const watch = { headSent() {}, progress: (steps: number) => progress.push(steps), ended() {} };
  new Performance(course, wire, { pacer, watch }).start();
  for (const late of [7, 3, 15, 1]) {
    nowMs = due.at(-1)! + late;
    tasks.at(-1)!();
  }
  // The third turn was a gap and a half late: two chunks went out in it, and the next is due on time.
  expect(due).toEqual([10, 20, 30, 50]);
  expect(progress).toEqual([1, 2, 3, 5, 6]);
  expect(sent).toHaveLength(5);
});

test("a paced stream takes the time of its gaps", async () => {
  const fake = startFake({ script: { gap: "10ms", tokens: 30 } });
  const client = rawClient(fake.port);
  const sentMs = performance.now();
  client.socket.write(requestText({ body: chatBody({ stream: true }) }));
  await client.until((text) => text.endsWith("0\r\n\r\n"));
  // However late the machine is, nothing comes before its time.
  let chunks = 0;
  for (const { atMs, text } of client.arrivals) {
    chunks += text.split('"delta":{"content":"').length - 1;
    expect(atMs - sentMs).toBeGreaterThanOrEqual((chunks - 1) * 10 - 1);
  }
  expect(chunks).toBe(30);
  expect(client.arrivals.length).toBeGreaterThan(1);
  client.socket.destroy();
  await fake.stop();
});

test("an answer keeps its latency, its first token's time and its rate", async () => {
  const fake = startFake({ script: { latency: "30ms", ttft: "380ms", tokens_per_second: 100, tokens: 5 } });
  const streamed = await fetch(`${fake.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify(chatBody({ stream: true })),
  });
  await streamed.text();
  const whole = performance.now();
  await fetch(`${fake.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(chatBody()) }).then(
    (answer) => answer.text(),
  );
  const wholeMs = performance.now() - whole;
  const [first] = fake.ledger.calls();
  expect(first!.firstByteAt - first!.receivedAt).toBeGreaterThanOrEqual(29);
  expect(first!.endedAt - first!.firstByteAt).toBeGreaterThan(40);
  expect(first!.endedAt - first!.receivedAt).toBeGreaterThanOrEqual(419);
  expect(wholeMs).toBeGreaterThanOrEqual(419);
  await fake.stop();
});

test("a reader that stops reading bounds what the fake holds, and gets everything once it reads again", async () => {
  const fake = startFake({ script: { tokens: 100_000 } });
  const client = rawClient(fake.port);
  client.socket.pause();
  client.socket.write(requestText({ body: chatBody({ stream: true }) }));
  await fake.ledger.waitFor((entry) => entry.chunks > 0);
  const held = fake.ledger.calls()[0]!.chunks;
  expect(held).toBeLessThan(100_000);
  client.socket.resume();
  await fake.ledger.settled();
  expect(fake.ledger.calls()[0]).toMatchObject({ state: "finished", chunks: 100_000 });
  await client.until((text) => text.endsWith("0\r\n\r\n"));
  const events = dechunk(client.text()).split("\n\n");
  expect(events.length).toBe(100_000 + 4);
  client.socket.destroy();
  await fake.stop();
}, 60_000);

test("a wire loses no byte when the socket takes little at a time", () => {
  let taken = "";
  let room = 0;
  const log: string[] = [];
  const wire = new Wire({
    write(data) {
      const bytes = Buffer.from(data as string);
      const part = bytes.subarray(0, room);
      taken += part.toString("latin1");
      room -= part.length;
      return part.length;
    },
    end: () => log.push("end"),
    terminate: () => log.push("reset"),
  });
  room = 3;
  wire.send("water 水");
  wire.send(Uint8Array.of(1, 2));
  wire.end();
  expect(wire.blocked).toBe(true);
  expect(log).toEqual([]);
  for (let turn = 0; turn < 20 && log.length === 0; turn += 1) {
    room = 2;
    wire.drain();
  }
  expect(Buffer.from(taken, "latin1").toString()).toBe("water 水\u0001\u0002");
  expect(log).toEqual(["end"]);
});
