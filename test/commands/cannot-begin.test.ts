// What the small commands say when they cannot begin: a line and a code, never a stack.
import { describe, expect, test } from "bun:test";
import { runDemo } from "../../src/commands/demo.ts";
import { runExplain } from "../../src/commands/explain.ts";
import { runFakeCommand } from "../../src/commands/fake.ts";
import { runHealth } from "../../src/commands/health.ts";
import { runTopCommand } from "../../src/commands/top.ts";
import { runCommand } from "../support/run-command.ts";

describe.each([
  ["weir demo", runDemo],
  ["weir fake", runFakeCommand],
] as const)("%s", (_, command) => {
  test("tells a port that is none", async () => {
    expect(await runCommand(command, {}, ["--port", "80a"])).toMatchObject({
      code: 64,
      err: 'cannot read --port: expected 0 to 65535, found "80a"\n',
    });
  });

  test("tells a port that is taken", async () => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    expect(await runCommand(command, {}, ["-port", String(taken.port)])).toMatchObject({
      code: 69,
      err: `cannot listen on 127.0.0.1:${taken.port}: EADDRINUSE\n`,
    });
  });
});

test("weir health tells why it reached nobody", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const url = `http://127.0.0.1:${server.port}`;
  server.stop(true);
  expect(await runCommand(runHealth, {}, ["--url", url])).toMatchObject({
    code: 1,
    err: `cannot reach ${url}/health/ready: ECONNREFUSED\n`,
  });
});

test.each([
  ["weir health", runHealth, []],
  ["weir explain", runExplain, ["gpt-4o"]],
  ["weir top", runTopCommand, ["--once"]],
] as const)("%s tells an address that is none, or would show a password", async (_, command, args) => {
  for (const url of ["ftp://127.0.0.1", "http://me:secret@127.0.0.1", "http://"])
    expect(await runCommand(command, {}, [...args, "--url", url])).toMatchObject({
      code: 64,
      err: expect.stringMatching(/^cannot read --url: expected an address such as /),
    });
});
