import { describe, expect, test } from "bun:test";
import {
  describeRecovery,
  describeRejection,
  describeReport,
  describeStartup,
  describeTroubles,
  type Figures,
  type Message,
} from "../../src/notify/message.ts";
import type { Trouble } from "../../src/notify/trouble.ts";
import { WEBHOOK_FORMS } from "../../src/notify/webhook-forms.ts";

const ORIGIN = { host: "gw-1", atMs: Date.UTC(2026, 10, 21, 12, 10, 0), nowMs: 700_000 };
const TROUBLES: readonly Trouble[] = [
  {
    id: "provider openai",
    event: "failure",
    name: "provider openai, all of it (2 backends)",
    cause: "2 × 429 rate limit",
    sinceMs: 100_000,
    untilMs: 730_000,
  },
  {
    id: "engine http://gpu:1",
    event: "failure",
    name: "engine http://gpu:1",
    cause: "connection refused",
    sinceMs: 640_000,
    untilMs: 0,
  },
];
const FAILURE = describeTroubles("failure", TROUBLES, ORIGIN);

const FIGURES: Figures = {
  instance: { version: "1.2.3", uptimeMs: 93_600_000 + 120_000 },
  totals: {
    requests: 12_345,
    succeeded: 12_000,
    refused: 100,
    failed: 50,
    successShare: 0.9999,
    finishedPerMinute: 61.5,
    tokensPerMinute: 54_321,
    inputTokens: 1_000_000,
    outputTokens: 2_000_000,
    inFlight: 3,
    keysResting: 1,
  },
  providers: [
    { name: "openai", backendsTotal: 2, backendsUsable: 1, keysTotal: 2, keysUsable: 1 },
    { name: "gpu", backendsTotal: 1, backendsUsable: 1, keysTotal: 0, keysUsable: 0 },
  ],
};

const contentOf = (message: Message): string =>
  JSON.parse(WEBHOOK_FORMS.wecom.write(message)).markdown.content;
const slackOf = (message: Message): string => JSON.parse(WEBHOOK_FORMS.slack.write(message)).text;
const jsonOf = (message: Message) => JSON.parse(WEBHOOK_FORMS.json.write(message));

describe("WeCom", () => {
  test("gets a failure as markdown", () => {
    expect(JSON.parse(WEBHOOK_FORMS.wecom.write(FAILURE))).toEqual({
      msgtype: "markdown",
      markdown: {
        content: [
          "### weir on gw-1",
          '<font color="warning">2 failures</font>',
          "2026-11-21 12:10:00 UTC",
          "> **provider openai, all of it (2 backends)** 2 × 429 rate limit, since 2026-11-21 12:00:00 UTC, until 2026-11-21 12:10:30 UTC at least",
          "> **engine http://gpu:1** connection refused, since 2026-11-21 12:09:00 UTC",
        ].join("\n"),
      },
    });
  });

  test("gets at most 4,096 bytes, in whole lines, and how many are left out", () => {
    const items = Array.from({ length: 200 }, (_, at) => ({ name: `模型-${at}`, detail: "連接被拒絕" }));
    const content = contentOf({ ...FAILURE, items });
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4096);
    const lines = content.split("\n");
    const shown = lines.filter((line) => line.startsWith("> "));
    expect(lines.at(-1)).toBe(`… and ${200 - shown.length} more`);
    expect(Buffer.byteLength(`${content}\n${shown[99]}`)).toBeGreaterThan(4096);
    expect(shown.at(-1)).toMatch(/^> \*\*模型-\d+\*\* 連接被拒絕$/);
  });

  test("gets a title that is too long cut between characters", () => {
    const content = contentOf({ ...FAILURE, title: "長".repeat(5000), items: [] });
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4096);
    expect(content).toMatch(/長…$/);
  });

  test("gets no markup that a name brought along", () => {
    const name = "a** <@all> [x](http://evil) `c`\n# d\u202e";
    const content = contentOf({ ...FAILURE, items: [{ name, detail: '<font color="info">ok</font>' }] });
    const line = content.split("\n").at(-1);
    expect(line).toBe('> **a＊＊ ＜@all＞ ［x］(http://evil) ˋcˋ # d** ＜font color="info"＞ok＜/font＞');
  });

  test("has taken a message only when it says so", () => {
    const { findFault } = WEBHOOK_FORMS.wecom;
    expect(findFault?.('{"errcode":0,"errmsg":"ok"}')).toBeUndefined();
    expect(findFault?.('{"errcode": 45009, "errmsg":"api freq out of limit"}')).toBe("errcode 45009");
    expect(findFault?.('{"errcode":-1}')).toBe("errcode -1");
    expect(findFault?.("")).toBeUndefined();
  });
});

describe("Slack", () => {
  test("gets a failure as text", () => {
    expect(JSON.parse(WEBHOOK_FORMS.slack.write(FAILURE))).toEqual({
      text: [
        "*weir on gw-1: 2 failures*",
        "2026-11-21 12:10:00 UTC",
        "• *provider openai, all of it (2 backends)* 2 × 429 rate limit, since 2026-11-21 12:00:00 UTC, until 2026-11-21 12:10:30 UTC at least",
        "• *engine http://gpu:1* connection refused, since 2026-11-21 12:09:00 UTC",
      ].join("\n"),
      mrkdwn: true,
    });
  });

  test("gets no markup that a name brought along", () => {
    const text = slackOf({
      ...FAILURE,
      items: [{ name: "a*b", detail: "<!channel> & <http://evil|x>\n>q" }],
    });
    expect(text.split("\n").slice(2)).toEqual(["• *a∗b* &lt;!channel&gt; &amp; &lt;http://evil|x&gt; &gt;q"]);
  });

  test("gets less than it would split", () => {
    const items = Array.from({ length: 500 }, (_, at) => ({ name: `b-${at}`, detail: "&".repeat(20) }));
    const text = slackOf({ ...FAILURE, items });
    expect(text.length).toBeLessThan(4000);
    expect(text).toMatch(/… and \d+ more$/);
  });
});

describe("plain JSON", () => {
  test("has times as ISO 8601", () => {
    expect(jsonOf(FAILURE)).toEqual({
      source: "weir",
      event: "failure",
      host: "gw-1",
      at: "2026-11-21T12:10:00.000Z",
      title: "2 failures",
      items: [
        {
          name: "provider openai, all of it (2 backends)",
          detail: "2 × 429 rate limit",
          since: "2026-11-21T12:00:00.000Z",
          until: "2026-11-21T12:10:30.000Z",
        },
        { name: "engine http://gpu:1", detail: "connection refused", since: "2026-11-21T12:09:00.000Z" },
      ],
      more: 0,
    });
  });

  test("has a bound, and says what it left out", () => {
    const items = Array.from({ length: 250 }, () => ({ name: "n", detail: "d" }));
    expect(jsonOf({ ...FAILURE, items })).toMatchObject({ items: { length: 200 }, more: 50 });
  });
});

describe("messages", () => {
  test("tell of keys that cannot be used", () => {
    const key: Trouble = {
      id: "key k",
      event: "key",
      name: "key ***1234 of openai",
      cause: "401 key refused",
      sinceMs: 700_000,
      untilMs: 1_000_000,
    };
    expect(slackOf(describeTroubles("key", [key], ORIGIN))).toBe(
      "*weir on gw-1: 1 key cannot be used*\n2026-11-21 12:10:00 UTC\n" +
        "• *key ***1234 of openai* 401 key refused, since 2026-11-21 12:10:00 UTC, until 2026-11-21 12:15:00 UTC at least".replace(
          "***1234",
          "∗∗∗1234",
        ),
    );
  });

  test("tell of a recovery with what it was and how long it lasted", () => {
    expect(slackOf(describeRecovery(TROUBLES, ORIGIN)).split("\n")).toEqual([
      "*weir on gw-1: 2 back in use*",
      "2026-11-21 12:10:00 UTC",
      "• *provider openai, all of it (2 backends)* was: 2 × 429 rate limit, for 10 min",
      "• *engine http://gpu:1* was: connection refused, for 1 min",
    ]);
  });

  test("tell of a start with the version and the pool", () => {
    expect(slackOf(describeStartup(FIGURES, ORIGIN)).split("\n")).toEqual([
      "*weir on gw-1: weir 1.2.3 has started*",
      "2026-11-21 12:10:00 UTC",
      "• *openai* 2 keys, 2 backends",
      "• *gpu* 1 backend",
    ]);
  });

  test("tell of a rejected reload with each problem", () => {
    expect(slackOf(describeRejection(["a is wrong", "b too"], ORIGIN)).split("\n")).toEqual([
      "*weir on gw-1: configuration rejected, the one before stays in force*",
      "2026-11-21 12:10:00 UTC",
      "• *problem 1* a is wrong",
      "• *problem 2* b too",
    ]);
  });

  test("report what has happened", () => {
    expect(slackOf(describeReport(FIGURES, undefined, ORIGIN)).split("\n")).toEqual([
      "*weir on gw-1: report after 1 d 2 h*",
      "2026-11-21 12:10:00 UTC",
      "• *requests* 12,345 since the start, success 99.9 %",
      "• *now* 62 requests a minute, 54,321 tokens a minute, 3 in flight",
      "• *tokens* 1,000,000 in, 2,000,000 out",
      "• *openai* 1 of 2 backends usable, 1 of 2 keys",
      "• *gpu* 1 of 1 backend usable",
      "• *resting* 1 key",
    ]);
  });

  test("report what has happened since the report before, of what can be judged", () => {
    const { totals } = FIGURES;
    const before = { ...totals, requests: 11_345, succeeded: 11_100, failed: 0, refused: 50, inputTokens: 0 };
    const [first] = describeReport(FIGURES, before, ORIGIN).items;
    expect(first).toEqual({
      name: "since the last report",
      detail: "1,000 requests, success 90.0 %, tokens 1,000,000 in and 0 out",
    });
  });
});
