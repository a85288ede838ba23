// What providers say in headers: a matrix of Retry-After values, and one of limit headers with the source of each form.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readDuration } from "../../src/core/duration.ts";
import { readHttpDate, readRfc3339 } from "../../src/core/http-date.ts";
import {
  capRest,
  type HeaderLookup,
  type LearnedLimits,
  readLimitHeaders,
  readRetryAfter,
} from "../../src/core/limit-headers.ts";

/** Tue, 21 Apr 2026 14:38:00 GMT. */
const NOW = Date.UTC(2026, 3, 21, 14, 38, 0);

const headers =
  (values: Readonly<Record<string, string>>): HeaderLookup =>
  (name) =>
    values[name] ?? null;

describe("Retry-After", () => {
  const rows: readonly (readonly [text: string, expected: number | undefined])[] = [
    // RFC 9110 section 10.2.3: delay-seconds.
    ["0", 0],
    ["1", 1000],
    ["7", 7000],
    ["60", 60_000],
    ["120", 120_000],
    ["007", 7000],
    [" 5 ", 5000],
    ["\t5", 5000],
    ["86400", 86_400_000], // Azure: "Please retry after 86400 seconds" (jasonacox/TinyLLM#17)
    ["99999999999", 99_999_999_999_000], // huge: the cap is the caller's
    // Fractions: not in the RFC, read by openai/openai-python src/openai/_base_client.py ("allowing nonstandard floats").
    ["0.5", 500],
    ["1.5", 1500],
    ["2.", 2000],
    [".25", 250],
    ["0.0", 0],
    ["59.999", 59_999],
    // RFC 9110 section 5.6.7: IMF-fixdate.
    ["Tue, 21 Apr 2026 14:38:25 GMT", 25_000],
    ["Tue, 21 Apr 2026 14:38:00 GMT", 0],
    ["Tue, 21 Apr 2026 14:39:00 UTC", 60_000], // Go's time.RFC1123
    ["Wed, 22 Apr 2026 00:00:00 GMT", 33_720_000],
    ["tue, 21 apr 2026 14:38:25 gmt", 25_000],
    ["Fri, 01 May 2026 14:38:00 GMT", 864_000_000],
    ["Thu, 31 Dec 2026 23:59:60 GMT", 21_979_320_000], // leap second
    // Past dates count as now.
    ["Tue, 21 Apr 2026 14:37:59 GMT", 0],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 0],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
    // The same section's obsolete forms.
    ["Tuesday, 21-Apr-26 14:38:25 GMT", 25_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 0],
    ["Tue Apr 21 14:38:25 2026", 25_000],
    ["Fri May  1 14:38:00 2026", 864_000_000],
    // Junk, negative, NaN count as absent.
    ["", undefined],
    [" ", undefined],
    [".", undefined],
    ["-1", undefined],
    ["-0.5", undefined],
    ["+5", undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["-Infinity", undefined],
    ["1e3", undefined],
    ["0x10", undefined],
    ["1,5", undefined],
    ["5, 5", undefined],
    ["5 5", undefined],
    ["soon", undefined],
    ["null", undefined],
    ["undefined", undefined],
    ["9".repeat(400), undefined],
    ["Tue, 32 Apr 2026 14:38:25 GMT", undefined],
    ["Tue, 31 Apr 2026 14:38:25 GMT", undefined],
    ["Sun, 29 Feb 2026 14:38:25 GMT", undefined],
    ["Tue, 21 Foo 2026 14:38:25 GMT", undefined],
    ["Tue, 21 Apr 2026 24:00:00 GMT", undefined],
    ["Tue, 21 Apr 2026 14:60:00 GMT", undefined],
    ["Tue, 21 Apr 2026 14:38:25 CEST", undefined],
    ["Tue, 21 Apr 2026 14:38:25", undefined],
    ["21 Apr 2026", undefined],
    ["2026-04-21T14:38:25Z", undefined],
  ];

  test.each(rows)("a Retry-After of %j reads as %j ms", (text, expected) => {
    expect(readRetryAfter(headers({ "retry-after": text }), NOW)).toBe(expected as number);
  });

  test("retry-after-ms wins over x-ms-retry-after-ms, that over Retry-After", () => {
    const all = { "retry-after-ms": "1500", "x-ms-retry-after-ms": "2500", "retry-after": "30" };
    expect(readRetryAfter(headers(all), NOW)).toBe(1500);
    expect(readRetryAfter(headers({ ...all, "retry-after-ms": "0" }), NOW)).toBe(0);
    expect(readRetryAfter(headers({ ...all, "retry-after-ms": "-1" }), NOW)).toBe(2500);
    expect(
      readRetryAfter(headers({ ...all, "retry-after-ms": "junk", "x-ms-retry-after-ms": "NaN" }), NOW),
    ).toBe(30_000);
  });

  test("an answer without any of the three asks for nothing", () => {
    expect(readRetryAfter(headers({}), NOW)).toBeUndefined();
  });

  test("every text reads as absent or as a finite, non-negative time", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String)), (text) => {
        const ms = readRetryAfter(headers({ "retry-after": text, "retry-after-ms": text }), NOW);
        expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("limit headers", () => {
  interface Row {
    readonly name: string;
    readonly sent: Readonly<Record<string, string>>;
    readonly learned: LearnedLimits;
  }
  const rows: readonly Row[] = [
    {
      // developers.openai.com/api/docs/guides/rate-limits, the table's sample values
      name: "OpenAI's documented sample",
      sent: {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6m0s",
      },
      learned: {
        requests: { limit: 60, remaining: 59, resetMs: 1000 },
        tokens: { limit: 150_000, remaining: 149_984, resetMs: 360_000 },
      },
    },
    {
      // community.openai.com/t/how-to-get-rate-limit-reset-time-for-response-api/1268905, recorded
      name: "OpenAI with a reset of milliseconds",
      sent: {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-limit-tokens": "160000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-remaining-tokens": "159976",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-reset-tokens": "9ms",
      },
      learned: {
        requests: { limit: 5000, remaining: 4999, resetMs: 12 },
        tokens: { limit: 160_000, remaining: 159_976, resetMs: 9 },
      },
    },
    {
      // 200 requests a day refill one in 86,400 s / 200 = 7m12s, the value in OpenAI's own 429 texts
      name: "OpenAI's daily requests on a small tier",
      sent: {
        "x-ratelimit-limit-requests": "200",
        "x-ratelimit-remaining-requests": "199",
        "x-ratelimit-reset-requests": "7m12s",
      },
      learned: { requestsPerDay: { limit: 200, remaining: 199, resetMs: 432_000 } },
    },
    {
      // openai/openai-dotnet#838, recorded
      name: "Azure without knowledge",
      sent: {
        "x-ratelimit-limit-tokens": "-1",
        "x-ratelimit-remaining-tokens": "-1",
        "x-ratelimit-reset-tokens": "0",
      },
      learned: {},
    },
    {
      // EvolvingPrograms/oaib#11, recorded
      name: "Azure with remainders alone",
      sent: { "x-ratelimit-remaining-requests": "79", "x-ratelimit-remaining-tokens": "61353" },
      learned: { requests: { remaining: 79 }, tokens: { remaining: 61_353 } },
    },
    {
      // recorded on Azure with a limit of 1 a minute (public code index, file 68885008818): overdrawn, so unknown
      name: "Azure overdrawn",
      sent: {
        "x-ratelimit-limit-requests": "1",
        "x-ratelimit-remaining-requests": "-1",
        "x-ratelimit-reset-requests": "105",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "995",
      },
      learned: { requests: { limit: 1, resetMs: 105_000 }, tokens: { limit: 1000, remaining: 995 } },
    },
    {
      // console.groq.com/docs/rate-limits, the table's sample: "requests" always means per day, "tokens" per minute
      name: "Groq",
      sent: {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "7.66s",
      },
      learned: {
        requestsPerDay: { limit: 14_400, remaining: 14_370, resetMs: 179_560 },
        tokens: { limit: 18_000, remaining: 17_997, resetMs: 7660 },
      },
    },
    {
      // the same, one request into the day: 86,400 s / 14,400
      name: "Groq's first request of a day",
      sent: {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-remaining-requests": "14399",
        "x-ratelimit-reset-requests": "6s",
      },
      learned: { requestsPerDay: { limit: 14_400, remaining: 14_399, resetMs: 6000 } },
    },
    {
      // inference-docs.cerebras.ai/support/rate-limits, the page's sample
      name: "Cerebras",
      sent: {
        "x-ratelimit-limit-requests-day": "1000000000",
        "x-ratelimit-limit-tokens-minute": "1000000000",
        "x-ratelimit-remaining-requests-day": "999997455",
        "x-ratelimit-remaining-tokens-minute": "999998298",
        "x-ratelimit-reset-requests-day": "33011.382867",
        "x-ratelimit-reset-tokens-minute": "11.382867",
      },
      learned: {
        requestsPerDay: { limit: 1e9, remaining: 999_997_455, resetMs: 33_011_382.867 },
        tokens: { limit: 1e9, remaining: 999_998_298, resetMs: 11.382867 * 1000 },
      },
    },
    {
      // public code index, file 56730281084 (a provider's test of recorded Mistral headers); no resets
      name: "Mistral",
      sent: {
        "x-ratelimit-limit-req-minute": "50",
        "x-ratelimit-remaining-req-minute": "49",
        "x-ratelimit-limit-tokens-minute": "50000",
        "x-ratelimit-remaining-tokens-minute": "47300",
        "x-ratelimit-tokens-query-cost": "1300",
      },
      learned: { requests: { limit: 50, remaining: 49 }, tokens: { limit: 50_000, remaining: 47_300 } },
    },
    {
      // public code index, files 45566266225 and 7178296766: Mistral's older form, numbers of seconds
      name: "Mistral's older form",
      sent: {
        "ratelimitbysize-limit": "500000",
        "ratelimitbysize-remaining": "0",
        "ratelimitbysize-reset": "42",
        "ratelimitbysize-query-cost": "31",
      },
      learned: { tokens: { limit: 500_000, remaining: 0, resetMs: 42_000 } },
    },
    {
      // support.together.ai/en/articles/8988956-rate-limits; x-tokenlimit: public code index, file 54035837656
      name: "Together",
      sent: {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "9",
        "x-ratelimit-reset": "1",
        "x-tokenlimit-limit": "3000",
        "x-tokenlimit-remaining": "2900",
      },
      learned: {
        requests: { limit: 10, remaining: 9, resetMs: 1000 },
        tokens: { limit: 3000, remaining: 2900 },
      },
    },
    {
      // docs.fireworks.ai/serverless/rate-limits: limits alone
      name: "Fireworks",
      sent: {
        "x-ratelimit-limit-tokens-prompt": "60000",
        "x-ratelimit-limit-tokens-cache-adjusted-prompt": "15000",
        "x-ratelimit-limit-tokens-generated": "600",
      },
      learned: { tokens: { limit: 60_000 } },
    },
    {
      // public code index, file 69458083062, recorded: epoch milliseconds of the next midnight UTC
      name: "OpenRouter's free models per day",
      sent: {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Date.UTC(2026, 3, 22)),
      },
      learned: { requestsPerDay: { limit: 50, remaining: 0, resetMs: 33_720_000 } },
    },
    {
      name: "OpenRouter's free models per minute",
      sent: {
        "x-ratelimit-limit": "20",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(NOW + 41_000),
      },
      learned: { requests: { limit: 20, remaining: 0, resetMs: 41_000 } },
    },
    {
      // public code index, file 55351020609: xAI's resets are epoch seconds
      name: "xAI",
      sent: {
        "x-ratelimit-limit-tokens": "16000000",
        "x-ratelimit-remaining-tokens": "15999980",
        "x-ratelimit-reset-tokens": String(NOW / 1000 + 30),
      },
      learned: { tokens: { limit: 16_000_000, remaining: 15_999_980, resetMs: 30_000 } },
    },
    {
      // names: docs.sambanova.ai/docs/en/models/rate-limits; values: public code index, file 70847909225
      name: "SambaNova",
      sent: {
        "x-ratelimit-limit-requests-day": "1500",
        "x-ratelimit-remaining-requests-day": "1497",
        "x-ratelimit-reset-requests-day": "4h17m",
      },
      learned: { requestsPerDay: { limit: 1500, remaining: 1497, resetMs: 15_420_000 } },
    },
    {
      // platform.claude.com/docs/en/api/rate-limits#response-headers; the 429 sample of platform.claude.com's errors page
      name: "Anthropic's requests",
      sent: {
        "anthropic-ratelimit-requests-limit": "600",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-04-21T14:38:25Z",
      },
      learned: { requests: { limit: 600, remaining: 0, resetMs: 25_000 } },
    },
    {
      // the same page: input, output and the tightest of both; the output is what stands lowest
      name: "Anthropic's tokens, input and output",
      sent: {
        "anthropic-ratelimit-tokens-limit": "96000",
        "anthropic-ratelimit-tokens-remaining": "80000",
        "anthropic-ratelimit-tokens-reset": "2026-04-21T14:38:10Z",
        "anthropic-ratelimit-input-tokens-limit": "80000",
        "anthropic-ratelimit-input-tokens-remaining": "79000",
        "anthropic-ratelimit-input-tokens-reset": "2026-04-21T14:38:01Z",
        "anthropic-ratelimit-output-tokens-limit": "16000",
        "anthropic-ratelimit-output-tokens-remaining": "1000",
        "anthropic-ratelimit-output-tokens-reset": "2026-04-21T16:38:55+02:00",
      },
      learned: { tokens: { limit: 16_000, remaining: 1000, resetMs: 55_000 } },
    },
    {
      name: "a reset that has passed",
      sent: {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-04-21T14:37:00Z",
      },
      learned: { tokens: { remaining: 0, resetMs: 0 } },
    },
    {
      name: "junk",
      sent: {
        "x-ratelimit-limit-requests": "many",
        "x-ratelimit-remaining-requests": "NaN",
        "x-ratelimit-reset-requests": "later",
        "x-ratelimit-remaining-tokens": "5",
        "x-ratelimit-reset-tokens": "-3s",
      },
      learned: { tokens: { remaining: 5 } },
    },
    { name: "an answer without any", sent: { "content-type": "application/json" }, learned: {} },
  ];

  test.each(rows.map((row) => [row.name, row] as const))("%s is learned", (_, { sent, learned }) => {
    expect(readLimitHeaders(headers(sent), NOW)).toEqual(learned);
  });

  test("of two exhausted limits the later reset is learned", () => {
    const learned = readLimitHeaders(
      headers({
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-04-21T14:38:50Z",
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2026-04-21T14:38:10Z",
      }),
      NOW,
    );
    expect(learned.tokens?.resetMs).toBe(50_000);
  });
});

test("a rest is capped at 300 s for a minute's limit and at a day for a long one", () => {
  expect(capRest(1000, "minute")).toBe(1000);
  expect(capRest(3_600_000, "minute")).toBe(300_000);
  expect(capRest(3_600_000, "long")).toBe(3_600_000);
  expect(capRest(9e15, "long")).toBe(86_400_000);
});

describe("durations", () => {
  const rows: readonly (readonly [text: string, expected: number | undefined])[] = [
    ["6m0s", 360_000],
    ["12ms", 12],
    ["1s", 1000],
    ["1h2m3.5s", 3_723_500],
    ["1d", 86_400_000],
    ["4h17m", 15_420_000],
    ["0s", 0],
    ["37s", 37_000],
    ["0.5s", 500],
    ["250µs", 0.25],
    ["5", undefined],
    ["5x", undefined],
    ["s", undefined],
    ["-3s", undefined],
    ["1m 2s", undefined],
    ["1s".repeat(100), undefined],
  ];
  test.each(rows)("a duration of %j reads as %j ms", (text, expected) => {
    expect(readDuration(text)).toBe(expected as number);
  });
});

describe("dates", () => {
  const instants = fc.integer({ min: Date.UTC(1970, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });

  test("every IMF-fixdate reads as Date reads it", () => {
    fc.assert(
      fc.property(instants, (seconds) => {
        expect(readHttpDate(new Date(seconds * 1000).toUTCString(), NOW)).toBe(seconds * 1000);
      }),
      { numRuns: 200 },
    );
  });

  test("every RFC 3339 date reads as Date reads it", () => {
    fc.assert(
      fc.property(instants, fc.nat(999), (seconds, ms) => {
        expect(readRfc3339(new Date(seconds * 1000 + ms).toISOString())).toBe(seconds * 1000 + ms);
      }),
      { numRuns: 200 },
    );
  });

  test("a two-digit year lies at most 50 years ahead", () => {
    expect(readHttpDate("Tuesday, 21-Apr-76 00:00:00 GMT", NOW)).toBe(Date.UTC(2076, 3, 21));
    expect(readHttpDate("Thursday, 21-Apr-77 00:00:00 GMT", NOW)).toBe(Date.UTC(1977, 3, 21));
    expect(readHttpDate("Saturday, 01-Jan-00 00:00:00 GMT", Date.UTC(2000, 0, 1))).toBe(Date.UTC(2000, 0, 1));
  });

  test("an RFC 3339 zone is subtracted, and must exist", () => {
    expect(readRfc3339("2026-04-21T07:08:00-05:00")).toBe(Date.UTC(2026, 3, 21, 12, 8));
    expect(readRfc3339("2026-04-21T14:00:00+99:00")).toBeUndefined();
    expect(readRfc3339("2026-04-21")).toBeUndefined();
  });
});
