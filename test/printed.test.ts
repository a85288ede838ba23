// What is printed from tables stays equal to them.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { EXAMPLE_FILE, printExample, printReadme, README_FILE } from "./support/example.ts";

test("config.example.yaml is what the table of options prints (bun run print)", () => {
  expect(readFileSync(EXAMPLE_FILE, "utf8")).toBe(printExample());
});

test("the README's table of options is what the table prints (bun run print)", () => {
  const readme = readFileSync(README_FILE, "utf8");
  expect(readme).toContain("WEIR_PORT");
  expect(readme).toBe(printReadme(readme));
});
