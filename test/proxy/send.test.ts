// One attempt's sending: what the connect check may still decide, and what a failure is called.
import { describe, expect, test } from "bun:test";
import type { DialCheck } from "../../src/proxy/dial.ts";
import { createPhaseTimer } from "../../src/proxy/phase-timer.ts";
import { classifyFailure, send, type Sent } from "../../src/proxy/send.ts";
import { chunk, startRawUpstream, STREAM_HEAD } from "../support/raw.ts";
import { createLatch } from "../support/until.ts";

const now = (): number => performance.now();

describe("the connect check", () => {
  test("that comes to its verdict after the answer has begun does not end the answer", async () => {
    const asked = createLatch();
    const verdict = createLatch();
    const finish = createLatch();
    const dialCheck: DialCheck = {
      noteAnswer: () => undefined,
      canConnect: async () => {
        asked.open();
        await verdict.opened;
        return false;
      },
    };
    await using upstream = await startRawUpstream(async ({ socket }) => {
      await asked.opened;
      socket.write(STREAM_HEAD);
      socket.write(chunk("first"));
      await finish.opened;
      socket.write(chunk("last"));
      socket.write("0\r\n\r\n");
    });
    const timer = createPhaseTimer(now);
    const abort = new AbortController();
    const sent: Sent = await send(
      {
        url: `${upstream.url}/x`,
        dialOrigin: upstream.url,
        method: "POST",
        headers: new Headers(),
        body: new Uint8Array([1]),
        proxyUrl: undefined,
        session: undefined,
        timeouts: { connectMs: 10, idleMs: 60_000 },
        firstByte: { limitMs: 60_000, isHurried: false },
        abort,
      },
      dialCheck,
      timer,
    );
    timer.stop();
    verdict.open();
    await Bun.sleep(1);
    finish.open();
    expect(sent.kind === "answer" && (await sent.response.text())).toBe("firstlast");
    expect(abort.signal.aborted).toBe(false);
  });
});

describe("a failure", () => {
  const { signal } = new AbortController();

  test.each([
    ["ECONNREFUSED", "unreachable"],
    ["ConnectionRefused", "unreachable"],
    ["ENOTFOUND", "unreachable"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unreachable"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "unreachable"],
    ["ERR_PROXY_TUNNEL", "unreachable"],
    ["ECONNRESET", "failed"],
    ["Malformed_HTTP_Response", "failed"],
    ["ResponseHeadersTooLarge", "failed"],
    ["UnrequestedUpgrade", "failed"],
  ])("with the code %s counts as %s", (code, kind) => {
    const error = Object.assign(new TypeError("https://host/?key=sk-secret"), { code });
    const outcome = classifyFailure(error, signal);
    expect(outcome.kind).toBe(kind as typeof outcome.kind);
    expect(outcome.detail).not.toContain("sk-secret");
  });

  test("of an unknown kind counts as ambiguous", () => {
    for (const error of [undefined, null, "text", new Error("sk-secret"), { code: 7 }])
      expect(classifyFailure(error, signal).kind).toBe("failed");
  });
});
