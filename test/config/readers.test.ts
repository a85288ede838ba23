import { describe, expect, test } from "bun:test";
import * as readers from "../../src/config/readers.ts";
import type { Reader } from "../../src/config/readers.ts";

/** The value, or what was expected. */
const read = (reader: Reader<unknown>, text: string) => {
  const reading = reader(text);
  return reading.kind === "value" ? reading.value : `expected ${reading.expected}`;
};

describe("a duration", () => {
  test.each([
    ["600s", 600_000],
    ["250ms", 250],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["1h30m", 5_400_000],
    ["0s", 0],
    ["1.5s", 1500],
  ])("%s is %d ms", (text, ms) => {
    expect(read(readers.duration("0s"), text)).toBe(ms);
  });

  test.each(["600", "0", "5 minutes", "-1s", "", "s"])("%p has no unit, or is none", (text) => {
    expect(read(readers.duration("0s"), text)).toStartWith("expected a duration with its unit");
  });

  test("is refused below its least value and above what timers can count", () => {
    expect(read(readers.duration("1ms"), "0s")).toBe("expected a duration from 1ms to 24d");
    expect(read(readers.duration("0s"), "25d")).toBe("expected a duration from 0s to 24d");
    expect(readers.duration("0s")("24d")).toMatchObject({ kind: "value" });
  });
});

describe("a size", () => {
  test.each([
    ["32MiB", 32 * 1024 * 1024],
    ["100MB", 100_000_000],
    ["1GiB", 1_073_741_824],
    ["512 kib", 524_288],
    ["0.5KB", 500],
    ["10B", 10],
  ])("%s is %d bytes", (text, bytes) => {
    expect(read(readers.size, text)).toBe(bytes);
  });

  test.each(["32", "32M", "0MiB", "-1MiB", "9999999999GiB", ""])("%p is none", (text) => {
    expect(read(readers.size, text)).toStartWith("expected a size with its unit");
  });
});

test("a percentage needs its sign and ends at 100", () => {
  expect(read(readers.percent, "20%")).toBe(0.2);
  expect(read(readers.percent, "0%")).toBe(0);
  expect(read(readers.percent, "12.5 %")).toBe(0.125);
  for (const text of ["20", "101%", "-1%", "", "%"])
    expect(read(readers.percent, text)).toBe("expected 0% to 100%, with the sign");
});

test("a port is 0 to 65535", () => {
  expect(["0", "80", "65535"].map((text) => read(readers.port, text))).toEqual([0, 80, 65_535]);
  for (const text of ["65536", "-1", "80a", "8e1", " 80", "1.5", ""])
    expect(read(readers.port, text)).toBe("expected 0 to 65535");
});

test("a boolean is written in three ways", () => {
  expect(["1", "true", "Yes"].map((text) => read(readers.boolean, text))).toEqual([true, true, true]);
  expect(["0", "FALSE", "no"].map((text) => read(readers.boolean, text))).toEqual([false, false, false]);
  expect(read(readers.boolean, "maybe")).toBe("expected 1, true or yes; 0, false or no");
});

test("one of several words may have any case, and a slip is answered with the nearest", () => {
  const reader = readers.oneOf(["debug", "info", "warn"]);
  expect(read(reader, "INFO")).toBe("info");
  expect(read(reader, "inof")).toBe("expected one of debug, info, warn (did you mean info?)");
  expect(read(reader, "xxxxxxxx")).toBe("expected one of debug, info, warn");
});

test("a strategy is known by any of its spellings", () => {
  expect(read(readers.strategy, "Least_Used")).toBe("least-used");
  expect(read(readers.strategy, "least-usd")).toContain("(did you mean least-used?)");
});

test("a list drops blanks and empty parts, and reads each part", () => {
  expect(read(readers.list(readers.hostHeader), " a.test,,B.test:80 ,")).toEqual(["a.test", "b.test:80"]);
  expect(read(readers.list(readers.hostHeader), "")).toEqual([]);
  expect(read(readers.list(readers.hostHeader), "a/b")).toBe(
    "expected a comma list, each part a host name, and a port if it matters",
  );
});

test("a browser's origin has no path, and may be a star", () => {
  const reader = readers.browserOrigin;
  expect(read(reader, "*")).toBe("*");
  expect(read(reader, "https://App.example.com/")).toBe("https://app.example.com");
  expect(read(reader, "http://localhost:3000")).toBe("http://localhost:3000");
  expect(read(reader, "chrome-extension://abcdef")).toBe("chrome-extension://abcdef");
  for (const text of ["app.example.com", "https://a.test/x", "https://u@a.test", "null", ""])
    expect(read(reader, text)).toStartWith("expected an origin");
});

test("a host to bind is an address or a name, IPv6 with or without brackets", () => {
  expect(
    ["0.0.0.0", "[::1]", "::", "my-host.test", "fe80::1%eth0"].map((t) => read(readers.host, t)),
  ).toEqual(["0.0.0.0", "::1", "::", "my-host.test", "fe80::1%eth0"]);
  for (const text of ["", "http://x", "a b", "127.0.0.1:80", "*"])
    expect(read(readers.host, text)).toStartWith("expected an IP address");
});

test("a token is visible ASCII", () => {
  expect(readers.token("team-1")).toMatchObject({ kind: "value" });
  for (const text of ["", "a b", "é", "a\tb"])
    expect(read(readers.token, text)).toStartWith("expected a token");
});

test("a proxy is env, none or an HTTP URL, with the scheme or without", () => {
  expect(read(readers.proxy, "ENV")).toBe("env");
  expect(read(readers.proxy, "none")).toBe("none");
  expect(String(read(readers.proxy, "http://u:p@proxy.test:3128"))).toBe("http://u:p@proxy.test:3128/");
  expect(String(read(readers.proxy, "proxy.test:3128"))).toBe("http://proxy.test:3128/");
  for (const text of ["socks5://proxy.test:1080", "http://", ""])
    expect(read(readers.proxy, text)).toStartWith("expected env, none");
});
