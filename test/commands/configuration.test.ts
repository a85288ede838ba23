import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadFromWorld, withCustomStrategies } from "../../src/commands/configuration.ts";
import { parseFlags } from "../../src/config/flags.ts";
import { CONFIG_FLAGS, type Loaded } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-custom-"));
afterAll(() => rmSync(folder, { recursive: true }));
const strategy = join(folder, "first.ts");
writeFileSync(strategy, "export default () => 0;\n");

function load(env: Record<string, string>, text: string, ...argv: string[]): Promise<Loaded> {
  const file = join(folder, "weir.yaml");
  writeFileSync(file, text);
  const flags = parseFlags(["--config", file, ...argv], CONFIG_FLAGS);
  return withCustomStrategies(
    loadFromWorld(env, flags, () => []),
    { now: () => 0, report: () => undefined },
  );
}

const problemsOf = (loaded: Loaded) =>
  loaded.kind === "problems" ? loaded.problems.map(formatProblem) : [loaded.kind];

const ROUTE = `providers: { openai: { api_key: sk-custom-0001 } }
routes: { m: { targets: [openai], strategy: "custom:${strategy}" } }
`;

test("a route of a file may name a strategy of the user's own, whatever variables say of the general one", async () => {
  const loaded = await load({ WEIR_STRATEGY: "random" }, ROUTE);
  expect(problemsOf(loaded)).toEqual(["config"]);
  if (loaded.kind !== "config") return;
  expect([...(loaded.config.pool.customStrategies?.keys() ?? [])]).toEqual([`custom:${strategy}`]);
  expect(loaded.config.watched).toContain(strategy);
});

test("a strategy's file that cannot be loaded is told with the place that names it", async () => {
  const loaded = await load({}, ROUTE.replace("first.ts", "gone.ts"));
  // It may be mended.
  expect(loaded).toMatchObject({ watched: expect.arrayContaining([join(folder, "gone.ts")]) });
  const [problem, ...others] = problemsOf(loaded);
  expect(others).toEqual([]);
  expect(problem).toMatch(
    /weir\.yaml:2:\d+ routes\.m.*: expected a TypeScript or JavaScript file that loads/,
  );
});

test("a variable may not name code to run", async () => {
  const problems = problemsOf(
    await load({ WEIR_STRATEGY: `custom:${strategy}` }, "providers: { openai: { api_key: sk-custom-0001 } }"),
  );
  expect(problems).toHaveLength(1);
  expect(problems[0]).toStartWith("cannot read WEIR_STRATEGY: expected a strategy of weir's");
});

test("a file of any use is not larger than 16 MiB, and is not read to see that it is no use", () => {
  const huge = join(folder, "huge.yaml");
  writeFileSync(huge, "");
  truncateSync(huge, 17 * 1024 ** 2);
  const flags = parseFlags(["--config", huge], CONFIG_FLAGS);
  expect(problemsOf(loadFromWorld({}, flags, () => []))).toEqual([
    expect.stringContaining('huge.yaml" (larger than 16 MiB)'),
  ]);
});
