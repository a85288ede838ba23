// Several processes that change one file at the same time, and locks that somebody left.
import { afterEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { keepBackendFile, upsertRow } from "../../src/deploy/backend-file.ts";
import { holdFile } from "../../src/deploy/hold-file.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weir-hold-"));
  folders.push(folder);
  return folder;
}

const moduleOf = (name: string): string => JSON.stringify(join(import.meta.dir, "../../src/deploy", name));

/** A process that runs this text of a module. */
const spawn = (text: string): Bun.Subprocess<"ignore", "pipe", "inherit"> =>
  Bun.spawn([process.execPath, "-e", text], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });

async function heard(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<void> {
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
}

test("rows that several processes write at the same time are all in the file, and nothing is left beside it", async () => {
  const folder = createFolder();
  const path = join(folder, "weir.yaml");
  const [writers, rows] = [3, 12];
  writeFileSync(path, "# mine\n");
  const children = Array.from({ length: writers }, (_, writer) =>
    spawn(`
      import { keepBackendFile, upsertRow } from ${moduleOf("backend-file.ts")};
      const file = { path: ${JSON.stringify(path)}, form: "own" };
      for (let row = 0; row < ${rows}; row += 1) {
        const url = "http://10.1.${writer}." + row + ":8000/v1";
        const kept = keepBackendFile(file, (text) => upsertRow(text, { url, servedName: "m", engine: "vllm" }, file));
        if (kept.kind === "flaw") throw new Error(kept.flaw);
      }`),
  );
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0]);
  const text = readFileSync(path, "utf8");
  const missing = Array.from(
    { length: writers * rows },
    (_, at) => `http://10.1.${Math.floor(at / rows)}.${at % rows}:`,
  );
  expect(missing.filter((url) => !text.includes(url))).toEqual([]);
  expect(text).toStartWith("# mine\n");
  expect(readdirSync(folder)).toEqual(["weir.yaml"]);
});

test("a file is free again when whoever held it is killed", async () => {
  const folder = createFolder();
  const path = join(folder, "weir.yaml");
  const child = spawn(`
    import { holdFile } from ${moduleOf("hold-file.ts")};
    holdFile(${JSON.stringify(path)}, () => { console.log("held"); Bun.sleepSync(60_000); });`);
  await heard(child);
  expect(readdirSync(folder)).toEqual([".weir.yaml.lock"]);
  expect(() => holdFile(path, () => "mine", 0)).toThrow(`process ${child.pid} on ${hostname()} holds it`);
  child.kill("SIGKILL");
  await child.exited;
  expect(holdFile(path, () => "mine", 0)).toBe("mine");
  expect(readdirSync(folder)).toEqual([]);
});

test("a lock of another machine is waited for, and then named", () => {
  const folder = createFolder();
  const path = join(folder, "weir.yaml");
  const lock = join(folder, ".weir.yaml.lock");
  symlinkSync("1 far boot pid:[1]", lock);
  const file = { path, form: "own" as const };
  let isAsked = false;
  expect(() =>
    holdFile(
      path,
      () => {
        isAsked = true;
      },
      40,
    ),
  ).toThrow(`process 1 on far holds it; remove ${lock} if that is gone`);
  expect([isAsked, readlinkSync(lock)]).toEqual([false, "1 far boot pid:[1]"]);
  rmSync(lock);
  const row = { url: "http://10.1.0.1:8000/v1", servedName: "m", engine: "vllm" as const };
  expect(keepBackendFile(file, (text) => upsertRow(text, row, file)).kind).toBe("kept");
  expect(readdirSync(folder)).toEqual(["weir.yaml"]);
});

test("a file that is a link is held where it is, and let go when the work fails", () => {
  const folder = createFolder();
  const other = createFolder();
  writeFileSync(join(other, "real.yaml"), "");
  symlinkSync(join(other, "real.yaml"), join(folder, "weir.yaml"));
  const failing = (): void =>
    holdFile(join(folder, "weir.yaml"), () => {
      expect(existsSync(join(other, "real.yaml"))).toBe(true);
      expect(readdirSync(other)).toContain(".real.yaml.lock");
      throw new Error("no room");
    });
  expect(failing).toThrow("no room");
  expect(readdirSync(other)).toEqual(["real.yaml"]);
});

test("where no lock can be made, the work is done and says itself what is wrong", () => {
  const path = join(createFolder(), "none", "weir.yaml");
  expect(holdFile(path, () => "done")).toBe("done");
});
