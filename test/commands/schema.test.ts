import { expect, test } from "bun:test";
import { runSchema } from "../../src/commands/schema.ts";
import { ownFormatSchema } from "../../src/config/own-format.ts";
import { runCommand } from "../support/run-command.ts";

const run = (...args: readonly string[]) => runCommand(runSchema, {}, args);

test("weir schema prints the schema of the configuration file as JSON of draft 2020-12", async () => {
  const { code, out } = await run();
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(ownFormatSchema())));
  expect(JSON.parse(out)).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema" });
});

test("weir schema --help says what it is for", async () => {
  expect((await run("--help")).out).toContain("weir schema > weir.schema.json");
});

test("weir schema refuses what it does not know", async () => {
  const { code, out, err } = await run("--jsonn");
  expect([code, out]).toEqual([64, ""]);
  expect(err).toContain("--jsonn");
});
