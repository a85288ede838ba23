import { expect, test } from "bun:test";
import { logPage } from "../../../src/views/api/log.ts";
import type { LogLine } from "../../../src/core/status.ts";

const LINES = (["debug", "info", "warn", "error"] as const).map((level, at): LogLine => ({
  seq: at + 1,
  atMs: at,
  level,
  message: level,
  fields: {},
}));
const page = logPage(() => LINES);

async function ask(query: string): Promise<{ status: number; text: string; levels: readonly string[] }> {
  const response = await page.respond(new Request(`http://x/api/log${query}`), undefined);
  const text = await response.text();
  const lines: readonly LogLine[] = JSON.parse(text).lines ?? [];
  return { status: response.status, text, levels: lines.map(({ level }) => level) };
}

test("the log is given whole, from a level on, or after a line", async () => {
  expect((await ask("")).levels).toEqual(["debug", "info", "warn", "error"]);
  expect((await ask("?level=warn")).levels).toEqual(["warn", "error"]);
  expect((await ask("?after=3")).levels).toEqual(["error"]);
});

test("a level or number that is none is refused", async () => {
  for (const query of ["?level=loud", "?after=-1", "?after=x"]) expect((await ask(query)).status).toBe(400);
});
