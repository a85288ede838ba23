// Every fault × family × whole or streamed, and every provider's limits, walked along two tables of what comes of them.
import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { FAULTS } from "../../src/fake/faults.ts";
import { ERROR_NAMES, FORM_NAMES } from "../../src/fake/forms/form.ts";
import { FAMILIES, type Fault, type Mode, MODES, playScene, type SdkFamily } from "../support/fault-scene.ts";
import { LIMITS, playLimit } from "../support/limit-scene.ts";
import { readTable } from "../support/table.ts";

const EMPTY_STREAM = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

interface Row {
  readonly fault: string;
  readonly families: readonly SdkFamily[];
  readonly modes: readonly Mode[];
  /** The remaining cells. */
  readonly expected: string;
}

const ROWS = readTable("fault-table.txt", 9).map(([fault = "", family, mode, ...rest]): Row => ({
  fault,
  families: family === "all" ? FAMILIES : FAMILIES.filter((each) => family?.split(" ").includes(each)),
  modes: mode === "both" ? MODES : MODES.filter((each) => each === mode),
  expected: rest.join(" | "),
}));
const NAMES = [...new Set(ROWS.map(({ fault }) => fault))];

/** A cell is YAML, as in a script; `*empty` stands for a stream without an event. */
function readFault(cell: string): Fault {
  const read: unknown = parse(cell.replace("*empty", JSON.stringify(EMPTY_STREAM)));
  const isOfConnection = typeof read === "object" && read !== null && "accept" in read;
  return isOfConnection ? (read as Fault) : { rule: read as NonNullable<Fault["rule"]> };
}

const cellsOf = (row: Row): readonly string[] =>
  row.families.flatMap((family) => row.modes.map((mode) => `${row.fault} ${family} ${mode}`));

test("the table has every fault of the fake for every family, whole and streamed, once", () => {
  const cells = ROWS.flatMap(cellsOf);
  expect(cells.length).toBe(new Set(cells).size);
  expect(cells.length).toBe(NAMES.length * FAMILIES.length * MODES.length);
  const kinds = NAMES.map((name) => {
    const { rule, accept } = readFault(name);
    return accept === undefined
      ? typeof rule === "object"
        ? rule.fault
        : rule
      : `accept ${typeof accept === "object" ? accept.mode : accept}`;
  });
  const accepts = ["refuse", "close", "reset", "hang"].map((mode) => `accept ${mode}`);
  expect(new Set(kinds)).toEqual(new Set([...Object.keys(FAULTS), ...ERROR_NAMES, ...accepts]));
});

const BY_THREE = "raises by 3";

describe("a call that meets a fault ends as the table says:", () => {
  test.each(NAMES)("%s", async (name) => {
    const fault = readFault(name);
    const rows = ROWS.filter((row) => row.fault === name);
    const scenes = rows.flatMap((row) =>
      row.families.flatMap((family) => row.modes.map((mode) => ({ family, mode, expected: row.expected }))),
    );
    const found = await Promise.all(
      scenes.map(async ({ family, mode, expected }) => {
        const [alone, beside] = await Promise.all([
          playScene({ fault, family, mode, beside: false }),
          playScene({ fault, family, mode, beside: true }),
        ]);
        const { sdk, tries, key, backend } = alone;
        const told = [sdk, tries, key, backend, beside.sdk, beside.tries].join(" | ");
        // What comes together with a broken connection may be lost with it.
        const isLate = expected.includes(BY_THREE);
        return `${family} ${mode}: ${isLate ? told.replaceAll(/raises after [1-3]\b/g, BY_THREE) : told}`;
      }),
    );
    expect(found).toEqual(scenes.map(({ family, mode, expected }) => `${family} ${mode}: ${expected}`));
  });
});

const LIMIT_ROWS = readTable("limit-table.txt", 6);

test("the table of limits has every provider's form and every limit once", () => {
  const cells = FORM_NAMES.flatMap((form) => LIMITS.map((limit) => `${form} ${limit}`));
  expect(LIMIT_ROWS.map(([form, limit]) => `${form} ${limit}`)).toEqual(cells);
});

describe("a provider's answer at a limit is recognised for what it is:", () => {
  test.each(FORM_NAMES)("%s", async (form) => {
    const rows = LIMIT_ROWS.filter(([name]) => name === form);
    const found = await Promise.all(
      LIMITS.map(async (limit) => {
        const { status, retryAfter, outcome, key } = await playLimit(form, limit);
        return [form, limit, String(status), retryAfter, outcome, key];
      }),
    );
    expect(found).toEqual(rows.map((row) => [...row]));
  });
});
