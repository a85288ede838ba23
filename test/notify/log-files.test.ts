import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogFiles, type LogFileTerms } from "../../src/notify/log-files.ts";

const DAY_MS = 86_400_000;
/** Files get their times from the system's clock, so the test's clock starts there. */
const START = Date.now();
const nameAt = (ms: number) => `weir-${new Date(ms).toISOString().replaceAll(/[-:.]/g, "")}.log`;
const FIRST = nameAt(START);
const line = (text: string) => `${text.padEnd(99, ".")}\n`;

let root: string;
let dir: string;
let wallMs: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weir-logs-"));
  dir = join(root, "logs");
  wallMs = START;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const start = (terms: Partial<LogFileTerms> = {}) =>
  createLogFiles({ dir, maxBytes: 1000, maxFiles: 3, maxAgeMs: 7 * DAY_MS, wall: () => wallMs, ...terms });
const names = () => readdirSync(dir).sort();
const read = (name: string) => readFileSync(join(dir, name), "utf8");
const age = (name: string, ms: number) => utimesSync(join(dir, name), ms / 1000, ms / 1000);

/** Both have a reading of the clock in between, so that a look at the file is due. */
async function writeAll(files: ReturnType<typeof start>, ...texts: string[]) {
  for (const text of texts) {
    await files.write(text);
    wallMs += 2000;
  }
}

describe("log files", () => {
  test("are made with their folder, for the owner to write and the group to read", async () => {
    const files = start();
    await writeAll(files, line("a"), line("b"));
    await files.close();
    expect(names()).toEqual([FIRST]);
    expect(read(FIRST)).toBe(line("a") + line("b"));
    expect((statSync(join(dir, FIRST)).mode & 0o777).toString(8)).toBe("640");
    expect((statSync(dir).mode & 0o777).toString(8)).toBe("750");
  });

  test("are begun anew before one grows beyond the size, and only the newest are kept", async () => {
    const files = start({ maxBytes: 250 });
    await writeAll(files, ...["a", "b", "c", "d", "e", "f", "g"].map(line));
    await files.close();
    expect(names().map(read)).toEqual([line("c") + line("d"), line("e") + line("f"), line("g")]);
  });

  test("take a text that is larger than a whole file", async () => {
    const files = start({ maxBytes: 50 });
    await writeAll(files, line("a"), line("b"));
    await files.close();
    expect(names().map(read)).toEqual([line("a"), line("b")]);
  });

  test("two that begin in one millisecond have two names", async () => {
    const files = start({ maxBytes: 100, maxFiles: 10 });
    for (const text of ["a", "b", "c"]) await files.write(line(text));
    await files.close();
    expect(names()).toHaveLength(3);
  });

  test("are deleted when they are too old, by the time of the last line", async () => {
    mkdirSync(dir);
    const [old, alive] = [nameAt(START - 20 * DAY_MS), nameAt(START - 19 * DAY_MS)];
    writeFileSync(join(dir, old), "begun and written long ago\n");
    writeFileSync(join(dir, alive), "begun long ago, written yesterday\n");
    age(old, START - 8 * DAY_MS);
    age(alive, START - DAY_MS);
    const files = start();
    await writeAll(files, line("a"));
    await files.close();
    expect(names()).toEqual([alive, FIRST]);
  });

  test("that are too old are deleted also when the clock has been set back since the last look", async () => {
    const files = start();
    await writeAll(files, line("a"));
    wallMs -= DAY_MS;
    const old = nameAt(wallMs - 10 * DAY_MS);
    writeFileSync(join(dir, old), line("old"));
    age(old, wallMs - 8 * DAY_MS);
    await writeAll(files, line("b"));
    await files.close();
    expect(names()).toEqual([FIRST]);
  });

  test("are kept whatever their age when that is 0", async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, "weir-20011101T000000000Z.log"), line("old"));
    age("weir-20011101T000000000Z.log", 0);
    const files = start({ maxAgeMs: 0, maxBytes: 100 });
    await writeAll(files, line("a"));
    await files.close();
    expect(names()).toEqual(["weir-20011101T000000000Z.log", FIRST]);
  });

  test("are begun anew when the one being written has reached the age", async () => {
    const files = start({ maxAgeMs: DAY_MS });
    await writeAll(files, line("a"));
    wallMs += 2 * DAY_MS;
    age(FIRST, wallMs - 1000);
    await writeAll(files, line("b"));
    await files.close();
    expect(names().map(read)).toEqual([line("a"), line("b")]);
  });

  test("of others are never touched, however alike their names", async () => {
    mkdirSync(join(dir, "weir-20200101T000000001Z.log"), { recursive: true });
    writeFileSync(join(root, "precious"), "mine");
    symlinkSync(join(root, "precious"), join(dir, "weir-20200101T000000002Z.log"));
    const foreign = [
      "app.log",
      "weir.log",
      "weir-2020.log",
      "weir-20200101T000000000Z.log.gz",
      "xweir-20200101T000000000Z.log",
    ];
    for (const name of foreign) {
      writeFileSync(join(dir, name), "theirs");
      age(name, 0);
    }
    const files = start({ maxBytes: 100, maxFiles: 1, maxAgeMs: 1 });
    await writeAll(files, line("a"), line("b"), line("c"));
    await files.close();
    const left = names();
    for (const name of [...foreign, "weir-20200101T000000001Z.log", "weir-20200101T000000002Z.log"])
      expect(left).toContain(name);
    expect(readFileSync(join(root, "precious"), "utf8")).toBe("mine");
    expect(left).toHaveLength(foreign.length + 3);
  });

  test("go on in the newest one after a start, while it has room", async () => {
    const before = start();
    await writeAll(before, line("a"));
    await before.close();
    wallMs += DAY_MS;
    const after = start();
    await writeAll(after, line("b"));
    await after.close();
    expect(names().map(read)).toEqual([line("a") + line("b")]);
    const small = start({ maxBytes: 150 });
    await writeAll(small, line("c"));
    await small.close();
    expect(names().map(read)).toEqual([line("a") + line("b"), line("c")]);
  });

  test("come back when the folder is removed under them", async () => {
    const files = start();
    await writeAll(files, line("a"));
    rmSync(dir, { recursive: true });
    await writeAll(files, line("b"));
    await files.close();
    expect(names().map(read)).toEqual([line("b")]);
  });

  test("come back when somebody else rotates them away, and when they are emptied", async () => {
    const files = start();
    await writeAll(files, line("a"));
    renameSync(join(dir, FIRST), join(dir, `${FIRST}.1`));
    await writeAll(files, line("b"));
    expect([read(`${FIRST}.1`), read(FIRST)]).toEqual([line("a"), line("b")]);
    writeFileSync(join(dir, FIRST), "");
    await writeAll(files, line("c"));
    await files.close();
    expect(read(FIRST)).toBe(line("c"));
  });

  test("come back also when the clock has been set back", async () => {
    const files = start();
    await writeAll(files, line("a"));
    wallMs -= DAY_MS;
    rmSync(join(dir, FIRST));
    await writeAll(files, line("b"));
    await files.close();
    expect(read(FIRST)).toBe(line("b"));
  });

  test("say by rejecting that their folder cannot be made, and work once it can", async () => {
    writeFileSync(dir, "a file where the folder should be");
    const files = start();
    const refusal = await Promise.resolve(files.write(line("a"))).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "ENOTDIR" });
    rmSync(dir);
    await writeAll(files, line("b"));
    await files.close();
    expect(existsSync(join(dir, FIRST))).toBe(true);
    expect(read(FIRST)).toBe(line("b"));
  });
});
