// The README's unit, as systemd reads it.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { weirBinary } from "../support/binary.ts";
import { readmeBlock } from "../support/readme.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-systemd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const UNIT = readmeBlock("### systemd", "ini");

function analyze(verb: readonly string[], text: string) {
  const file = join(folder, "weir.service");
  // systemd looks whether the program is there.
  writeFileSync(file, text.replace("/usr/local/bin/weir", weirBinary()));
  const run = Bun.spawnSync(["systemd-analyze", ...verb, file]);
  return { code: run.exitCode, said: run.stdout.toString() + run.stderr.toString() };
}

test("the unit of the README is one that systemd understands", () => {
  expect(analyze(["verify"], UNIT)).toEqual({ code: 0, said: "" });
  expect(analyze(["verify"], UNIT.replace("ProtectClock", "ProtectClok")).said).toContain("ProtectClok");
});

test("the unit of the README leaves little exposed", () => {
  // 10 is a plain service, 0 one that can do nothing; 2 is on the edge of what systemd calls safe. It takes ten times that.
  const { code, said } = analyze(["security", "--offline=yes", "--threshold=20"], UNIT);
  expect(said).toContain("Overall exposure level");
  expect(code).toBe(0);
});
