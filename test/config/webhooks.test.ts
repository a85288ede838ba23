import { describe, expect, test } from "bun:test";
import { configOf, K1, load, problemsOf } from "./load-env.ts";

const webhooksOf = (text: string) => configOf({ OPENAI_API_KEYS: K1, WEIR_WEBHOOKS: text }).webhooks;
const WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=canary-0123456789";

describe("WEIR_WEBHOOKS", () => {
  test("is none by default", () => {
    expect(webhooksOf("")).toEqual([]);
  });

  test("is a list of URLs, whose form their host or a prefix tells", () => {
    const given = [
      WECOM,
      "https://hooks.slack.com/services/T/B/x",
      "https://a.test/x",
      "wecom+http://b.test/y?z=1",
    ];
    const webhooks = webhooksOf(given.join(", "));
    expect(webhooks.map(({ format }) => format)).toEqual(["wecom", "slack", "json", "wecom"]);
    expect(webhooks.map(({ url }) => url.reveal())).toEqual([...given.slice(0, 3), "http://b.test/y?z=1"]);
  });

  test("tells of everything, after a minute, with a cooldown of five, unless a file says otherwise", () => {
    expect(webhooksOf("https://a.test/x")).toMatchObject([
      {
        events: ["startup", "failure", "recovery", "key", "reload", "report"],
        batchMs: 60_000,
        cooldownMs: 300_000,
        reportMs: 3_600_000,
        reportIdleMs: 10_800_000,
      },
    ]);
  });

  test.each([
    "ftp://a.test/canary",
    "a.test/canary",
    "https://",
    "discord+https://a.test/canary",
    "https://user:canary@a.test/x",
  ])("refuses %s, without showing its token", (text) => {
    const [problem = ""] = problemsOf({ OPENAI_API_KEYS: K1, WEIR_WEBHOOKS: text });
    expect(problem).toContain(
      "cannot read WEIR_WEBHOOKS: expected a comma list, each part an http:// or https:// URL",
    );
    expect(problem).not.toContain("canary");
  });

  test("goes through the proxy of the environment, but not to addresses within", () => {
    const proxied = (text: string, more = {}) =>
      configOf({
        OPENAI_API_KEYS: K1,
        HTTPS_PROXY: "http://proxy.test:3128",
        WEIR_WEBHOOKS: text,
        ...more,
      }).webhooks.map(({ proxyUrl }) => proxyUrl);
    expect(proxied("https://a.test/x, https://10.0.0.8/x, https://alerts/x")).toEqual([
      "http://proxy.test:3128/",
      undefined,
      undefined,
    ]);
    expect(proxied("https://a.test/x", { NO_PROXY: "a.test" })).toEqual([undefined]);
    expect(proxied("https://a.test/x", { WEIR_UPSTREAM_PROXY: "none" })).toEqual([undefined]);
  });

  test("is never shown, as it carries the receiver's token", () => {
    expect(JSON.stringify(configOf({ OPENAI_API_KEYS: K1, WEIR_WEBHOOKS: WECOM }))).not.toContain("canary");
  });
});

test("a resolved configuration shows of a webhook where it leads, and nothing of its token", () => {
  const loaded = load({ OPENAI_API_KEYS: K1, WEIR_WEBHOOKS: `${WECOM}, json+https://a.test/token-canary` });
  const { options } = loaded.kind === "config" ? loaded.resolved : { options: [] };
  expect(options.find(({ key }) => key === "webhooks")?.shown).toBe("qyapi.weixin.qq.com/***, a.test/***");
});
