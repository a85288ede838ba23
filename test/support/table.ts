// Tables of expectations as text: one row a line, cells between bars, comments after #.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The rows of test/fixtures/NAME, each with so many cells. */
export function readTable(name: string, cells: number): readonly (readonly string[])[] {
  const lines = readFileSync(join(import.meta.dir, "../fixtures", name), "utf8").split("\n");
  const rows = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return rows.map((line) => {
    const row = line.split("|").map((cell) => cell.trim());
    if (row.length !== cells) throw new Error(`${name}: expected ${cells} cells, found "${line}"`);
    return row;
  });
}
