// Notifications through the whole app: what an operator is told, and that no receiver can slow a request.
import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/credential.ts";
import { WEBHOOK_DEFAULTS, type WebhookConfig } from "../../src/core/webhook.ts";
import { openFake } from "../support/configured.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { createLatch, until } from "../support/until.ts";
import { buildConfig, startWeir, type WeirSetup } from "../support/weir.ts";

const KEYS = ["sk-canary-key-one-0000001", "sk-canary-key-two-0000002"];
const [K1 = "", K2 = ""] = KEYS;
const PATH = "/v1/chat/completions";
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "canary prompt" }] };

const hook = (url: string, fields: Partial<WebhookConfig> = {}): WebhookConfig => ({
  ...WEBHOOK_DEFAULTS,
  url: new Secret(url),
  format: "json",
  batchMs: 40,
  cooldownMs: 100,
  allowPrivate: true,
  ...fields,
});

const setupOf = (url: string, ...webhooks: WebhookConfig[]): WeirSetup => ({
  providers: [{ name: "openai", urls: [url], keys: KEYS }],
  cooldown: { threshold: 1 },
  webhooks,
});

interface Told {
  readonly event: string;
  readonly title: string;
  readonly items: readonly { readonly name: string; readonly detail: string }[];
}

const toldTo = ({ received }: Receiver): Told[] => received.map(({ body }: Received) => JSON.parse(body));
const eventsAt = (receiver: Receiver) => toldTo(receiver).map(({ event }) => event);

async function told(receiver: Receiver, event: string, count = 1): Promise<Told> {
  const own = () => toldTo(receiver).filter((each) => each.event === event);
  await until(() => own().length >= count, `${count} times told of ${event}`);
  const last = own().at(-1);
  if (last === undefined) throw new Error("nothing was told");
  return last;
}

describe("an operator", () => {
  test("is told of the start with the pool", async () => {
    await using fake = openFake();
    await using receiver = startReceiver();
    await using _weir = startWeir(setupOf(fake.url, hook(receiver.url)));
    expect(await told(receiver, "startup")).toMatchObject({
      title: expect.stringMatching(/^weir \d+\.\d+\.\d+ has started$/),
      items: [{ name: "openai", detail: "2 keys, 2 backends" }],
    });
  });

  test("is told of a key that is refused, and when it works again", async () => {
    await using fake = openFake({
      rules: [{ match: { key: K1 }, times: 1, do: 401 }],
    });
    await using receiver = startReceiver();
    await using weir = startWeir(setupOf(fake.url, hook(receiver.url)));
    expect((await weir.post(PATH, CHAT)).status).toBe(200);
    const { title, items } = await told(receiver, "key");
    expect(title).toBe("1 key cannot be used");
    expect(items).toMatchObject([{ name: "key ***0001 of openai", detail: "401 key refused" }]);
    weir.advance(700_000);
    while (weir.slot(K1).keyState.rest !== undefined) await (await weir.post(PATH, CHAT)).arrayBuffer();
    expect(await told(receiver, "recovery")).toMatchObject({
      title: "1 back in use",
      items: [{ name: "key ***0001 of openai" }],
    });
    expect(eventsAt(receiver)).toEqual(["startup", "key", "recovery"]);
  });

  test("is told once when a whole provider fails, not of each backend", async () => {
    await using fake = openFake({ rules: [{ match: {}, do: 500 }] });
    await using receiver = startReceiver();
    await using weir = startWeir(setupOf(fake.url, hook(receiver.url, { batchMs: 1000 })));
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    const { title, items } = await told(receiver, "failure");
    expect(title).toBe("1 failure");
    expect(items[0]?.name).toBe("provider openai, all of it (2 backends)");
    expect(items[0]?.detail).toContain("500");
  });

  test("hears nothing of a flap within the window", async () => {
    await using fake = openFake({ rules: [{ match: { key: K1 }, times: 1, do: 500 }] });
    await using receiver = startReceiver();
    const webhook = hook(receiver.url, { batchMs: 1_000_000, reportMs: 100_000, reportIdleMs: 100_000 });
    await using weir = startWeir(setupOf(fake.url, webhook));
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    expect(weir.slot(K1).state.rest?.cause).toBe("failures");
    // A report shows that the pool was looked at.
    weir.advance(100_001);
    await told(receiver, "report");
    while (weir.slot(K1).state.rest !== undefined) await (await weir.post(PATH, CHAT)).arrayBuffer();
    weir.advance(2_000_000);
    await told(receiver, "report", 2);
    expect(eventsAt(receiver)).toEqual(["startup", "report", "report"]);
  });

  test("is told of a rejected reload with its problems, without the key in one", async () => {
    await using fake = openFake();
    await using receiver = startReceiver();
    await using weir = startWeir(setupOf(fake.url, hook(receiver.url, { events: ["reload"] })));
    weir.app.rejectReload(["cannot read weir.yaml:3:1", `found ${K2}`]);
    expect((await told(receiver, "reload")).items).toEqual([
      { name: "problem 1", detail: "cannot read weir.yaml:3:1" },
      { name: "problem 2", detail: "found ***" },
    ]);
    expect(eventsAt(receiver)).toEqual(["reload"]);
  });

  test("gets reports with the numbers there are: often with traffic, seldom without", async () => {
    await using fake = openFake();
    await using receiver = startReceiver();
    const rates = { reportMs: 3_600_000, reportIdleMs: 10_800_000 };
    await using weir = startWeir(setupOf(fake.url, hook(receiver.url, rates)));
    for (let count = 0; count < 3; count += 1) await (await weir.post(PATH, CHAT)).arrayBuffer();
    await weir.finished(3);
    weir.advance(3_600_001);
    const first = await told(receiver, "report");
    expect(first.items[0]).toEqual({ name: "requests", detail: "3 since the start, success 100.0 %" });
    expect(first.items).toContainEqual({ name: "openai", detail: "2 of 2 backends usable, 2 of 2 keys" });
    weir.advance(3_600_001);
    weir.app.rejectReload(["x"]);
    await told(receiver, "reload");
    weir.advance(7_200_000);
    const second = await told(receiver, "report", 2);
    expect(second.items.slice(0, 2)).toEqual([
      { name: "since the last report", detail: "0 requests, tokens 0 in and 0 out" },
      { name: "requests", detail: "3 since the start, success 100.0 %" },
    ]);
    expect(eventsAt(receiver)).toEqual(["startup", "report", "reload", "report"]);
  });

  test("is told at a new address after a reload, and at the old one no more", async () => {
    await using fake = openFake();
    await using before = startReceiver();
    await using after = startReceiver();
    await using weir = startWeir(setupOf(fake.url, hook(before.url)));
    await told(before, "startup");
    weir.app.reload(buildConfig(setupOf(fake.url, hook(after.url, { format: "slack" }))));
    weir.app.rejectReload(["x"]);
    await until(() => after.received.length === 1, "the new one is told");
    expect(JSON.parse(after.received[0]?.body ?? "").text).toContain("configuration rejected");
    expect(eventsAt(before)).toEqual(["startup"]);
  });

  test("is not told again after a reload, also where two rows lead to one place", async () => {
    await using fake = openFake({ rules: [{ match: { key: K1 }, do: 401 }] });
    await using receiver = startReceiver();
    const rows = [
      hook(receiver.url, { events: ["key", "report"], reportMs: 100_000, reportIdleMs: 100_000 }),
      hook(receiver.url, { events: ["reload"] }),
    ];
    const setup = setupOf(fake.url, ...rows);
    await using weir = startWeir(setup);
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    await told(receiver, "key");
    weir.app.reload(buildConfig(setup));
    // What a look begins to wait for, the next one tells; a report shows that there was one.
    for (const count of [1, 2]) {
      weir.advance(100_001);
      await told(receiver, "report", count);
    }
    expect(eventsAt(receiver)).toEqual(["key", "report", "report"]);
  });

  test("hears no false recovery of what a reload took away", async () => {
    await using fake = openFake({ rules: [{ match: { key: K1 }, do: 401 }] });
    await using receiver = startReceiver();
    const webhook = hook(receiver.url);
    await using weir = startWeir(setupOf(fake.url, webhook));
    await (await weir.post(PATH, CHAT)).arrayBuffer();
    await told(receiver, "key");
    weir.app.reload(
      buildConfig({
        ...setupOf(fake.url, webhook),
        providers: [{ name: "groq", urls: [fake.url], keys: [K2] }],
      }),
    );
    weir.app.rejectReload(["x"]);
    await told(receiver, "reload");
    expect(eventsAt(receiver)).toEqual(["startup", "key", "reload"]);
  });
});

describe("a receiver", () => {
  test("that hangs, redirects, refuses or is not there delays no request and loses nothing", async () => {
    await using fake = openFake();
    await using elsewhere = startReceiver();
    const latch = createLatch();
    await using slow = startReceiver(async () => {
      await latch.opened;
      return new Response("ok");
    });
    await using redirecting = startReceiver((count) =>
      count === 1 ? Response.redirect(elsewhere.url, 302) : new Response("ok"),
    );
    await using limiting = startReceiver((count) =>
      count === 1 ? new Response("", { status: 429, headers: { "retry-after": "1" } }) : new Response("ok"),
    );
    const dead = "http://127.0.0.1:1/hook?key=canary-token-dead-0123";
    await using weir = startWeir(
      setupOf(fake.url, ...[slow.url, redirecting.url, limiting.url, dead].map((url) => hook(url))),
    );
    await until(() => slow.received.length === 1, "the slow one is being told");
    // The requests end while the slow receiver still holds its first message.
    for (let count = 0; count < 20; count += 1) {
      const answer = await weir.post(PATH, CHAT);
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
    expect(slow.received).toHaveLength(1);
    weir.app.rejectReload(["x"]);
    latch.open();
    await Promise.all([told(slow, "reload"), told(redirecting, "reload"), told(limiting, "reload")]);
    expect(eventsAt(slow)).toEqual(["startup", "reload"]);
    for (const receiver of [redirecting, limiting])
      expect(eventsAt(receiver)).toEqual(["startup", "startup", "reload"]);
    expect(elsewhere.received).toEqual([]);
    const [second, first] = [limiting.received[1]?.atMs ?? 0, limiting.received[0]?.atMs ?? 0];
    expect(second - first).toBeGreaterThanOrEqual(950);
    expect(weir.lines.join("")).toContain('"reason":"ECONNREFUSED"');
    expect(weir.lines.join("")).not.toContain("canary");
  });

  test("on this machine is told nothing unless that is allowed", async () => {
    await using fake = openFake();
    await using receiver = startReceiver();
    await using weir = startWeir(setupOf(fake.url, hook(receiver.url, { allowPrivate: false })));
    await until(() => weir.lines.join("").includes("allow_private is not set"), "the reason is logged");
    expect(receiver.received).toEqual([]);
  });

  test.each(["wecom", "slack", "json"] as const)(
    "of the form %s never sees a key or a prompt",
    async (format) => {
      await using fake = openFake({
        rules: [
          { match: { key: K1 }, do: 401 },
          { match: { key: K2 }, do: 402 },
        ],
      });
      await using receiver = startReceiver(() => Response.json({ errcode: 0 }));
      await using weir = startWeir(
        setupOf(fake.url, hook(receiver.url, { format, reportMs: 1000, reportIdleMs: 1000 })),
      );
      await (await weir.post(PATH, CHAT)).arrayBuffer();
      await weir.finished();
      weir.app.rejectReload([`found ${K1}`]);
      weir.advance(5000);
      const kinds = ["has started", "of openai", "report after", "rejected", "provider openai"];
      const text = () => receiver.received.map(({ body }) => body).join("\n");
      await until(() => kinds.every((kind) => text().includes(kind)), "every kind was told");
      expect(text()).not.toContain("canary");
    },
  );

  test("gets what is under way when weir stops", async () => {
    await using fake = openFake();
    await using receiver = startReceiver();
    const weir = startWeir({ ...setupOf(fake.url, hook(receiver.url)), unchecked: true });
    weir.app.rejectReload(["last words"]);
    await weir.app.stop({ skipDelay: true });
    expect(eventsAt(receiver)).toEqual(["startup", "reload"]);
  });
});
