// The release as `build:all` makes it without any network: reproducible, whole, and running wherever this machine can.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readmeBlock } from "../support/readme.ts";
import { RELEASES } from "../support/release.ts";

const ROOT = join(import.meta.dir, "../..");
const DIST = join(ROOT, "dist");
const folder = mkdtempSync(join(tmpdir(), "weir-release-test-"));
let built = { code: -1, out: "" };

beforeAll(async () => {
  // An own network namespace without a single interface, and a home without a cache.
  const offline = ["unshare", "--net", "node_modules/.bin/bun", "run", "build:all", "--verify"];
  built = await run(offline, { HOME: folder, BUN_INSTALL_CACHE_DIR: join(folder, "cache") });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(command: readonly string[], env: Record<string, string> = {}, cwd = ROOT) {
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  return { out: await new Response(child.stdout).text(), code: await child.exited };
}

test("build:all makes every binary without network, and a second time the same bytes", () => {
  expect(built.out).toEndWith("a second build gave the same bytes\n");
  expect(built.code).toBe(0);
  const names = Object.values(RELEASES).map(
    (release) => `weir-${release.name}${"suffix" in release ? ".exe" : ""}`,
  );
  for (const name of [...names, "THIRD_PARTY_LICENSES", "SHA256SUMS"])
    expect(existsSync(join(DIST, name))).toBe(true);
  expect(names).toHaveLength(8);
});

test("the checksums are right for sha256sum", async () => {
  const check = await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], {}, DIST);
  expect(check.code).toBe(0);
  expect(check.out.trim().split("\n")).toHaveLength(9);
});

test("each file is a program of its system and processor", () => {
  const kinds: Record<string, string> = {
    "weir-linux-x64": "7f454c46 x64",
    "weir-linux-arm64": "7f454c46 arm64",
    "weir-linux-x64-musl": "7f454c46 x64",
    "weir-linux-arm64-musl": "7f454c46 arm64",
    "weir-darwin-x64": "cffaedfe x64",
    "weir-darwin-arm64": "cffaedfe arm64",
    "weir-windows-x64.exe": "4d5a7800 x64",
  };
  const found = Object.keys(kinds).map((name) => [name, kindOf(readFileSync(join(DIST, name)))]);
  expect(Object.fromEntries(found)).toEqual(kinds);
});

/** The first four bytes, and the processor where ELF, Mach-O or PE names it. */
function kindOf(file: Buffer): string {
  const magic = file.toString("hex", 0, 4);
  const code = magic.startsWith("4d5a")
    ? file.readUInt16LE(file.readUInt32LE(0x3c) + 4)
    : magic === "7f454c46"
      ? file.readUInt16LE(18)
      : file.readUInt32LE(4);
  const processors: Record<number, string> = {
    62: "x64",
    183: "arm64",
    0x8664: "x64",
    0x1000007: "x64",
    0x100000c: "arm64",
  };
  return `${magic} ${processors[code]}`;
}

describe("a released binary serves the demo's calls", () => {
  // Emulation cannot start a program anew, which weir does for this variable unless it is set.
  const emulated = { BUN_CONFIG_MAX_HTTP_REQUESTS: "65535" };
  test.each([
    ["on this machine", "linux-x64", [], {}],
    [
      "on an x64 processor of 2008, without AVX",
      "linux-x64-baseline",
      ["qemu-x86_64", "-cpu", "Nehalem"],
      emulated,
    ],
    ["on an emulated arm64", "linux-arm64", ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"], emulated],
  ] as const)(
    "%s: %s",
    async (_, name, emulator, env) => {
      const demo = await run([...emulator, join(DIST, `weir-${name}`), "demo", "--once"], env);
      expect(demo.code).toBe(0);
      expect(demo.out).toContain("The Anthropic SDK, on the same port:\n  A weir spreads the river");
    },
    120_000,
  );
});

describe("the README's line that installs the binary", () => {
  const line = readmeBlock("## Install", "sh")
    .split("\n")
    .find((each) => each.startsWith("curl -fsSLO"))!;

  /** Runs it against a folder served as if it were the release page. */
  async function install(files: string, at: string) {
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => new Response(Bun.file(join(files, new URL(request.url).pathname))),
    });
    const local = line
      .replaceAll(/https:\/\/\S+?\/download\//g, server.url.href)
      .replace("sudo install", "install")
      .replace("/usr/local/bin/weir", join(at, "weir"));
    expect(local).not.toContain("OWNER");
    return await run(["sh", "-c", local], {}, at);
  }

  test("leaves a weir that runs", async () => {
    const at = mkdtempSync(join(folder, "install-"));
    expect(await install(DIST, at)).toMatchObject({ code: 0, out: "weir-linux-x64: OK\n" });
    expect((await run([join(at, "weir"), "version"])).out).toStartWith("weir ");
  });

  test("installs nothing when a byte is wrong", async () => {
    const tampered = mkdtempSync(join(folder, "tampered-"));
    for (const file of ["weir-linux-x64", "SHA256SUMS"]) copyFileSync(join(DIST, file), join(tampered, file));
    appendFileSync(join(tampered, "weir-linux-x64"), "!");
    const at = mkdtempSync(join(folder, "install-"));
    expect(await install(tampered, at)).toMatchObject({ code: 1, out: "weir-linux-x64: FAILED\n" });
    expect(existsSync(join(at, "weir"))).toBe(false);
  });
});
