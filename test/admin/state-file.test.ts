// What outlives a restart: the file of upstreams, through failed writes, crashes and other people's edits.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openUpstreamStore } from "../../src/admin/store.ts";
import { readUpstream } from "../../src/config/upstream-body.ts";
import { makeFolder, openStore } from "../support/operators.ts";
import { until } from "../support/until.ts";

const KEY = "sk-canary-0123456789abcdef";
const upstream = (name: string) => ({
  name,
  targets: [
    { host: "a.example", credentials: { header_name: "Authorization", header_value: `Bearer ${KEY}` } },
  ],
});
const open = (path: string) => openUpstreamStore({ path, read: readUpstream, createId: () => "id" });

describe("the state file", () => {
  test("is not written before the first change, so a folder may be read-only", async () => {
    using folder = makeFolder();
    const store = openStore(folder.file);
    expect(readdirSync(folder.path)).toEqual([]);
    await store.create(upstream("a"));
    expect(readdirSync(folder.path)).toEqual(["upstreams.json"]);
  });

  test("is the owner's alone, also where a wider one stood", async () => {
    using folder = makeFolder();
    writeFileSync(folder.file, JSON.stringify({ version: 1, upstreams: [] }), { mode: 0o644 });
    chmodSync(folder.file, 0o644);
    await openStore(folder.file).create(upstream("a"));
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  test("keeps secrets, ids and revisions over a restart", async () => {
    using folder = makeFolder();
    const before = openStore(folder.file);
    await before.create(upstream("a"));
    await before.create(upstream("b"));
    await before.replace("up-1", upstream("c"));
    const [first, second] = openStore(folder.file).list();
    expect([first?.id, first?.revision, first?.spec.name]).toEqual(["up-1", 2, "c"]);
    expect([second?.id, second?.revision, second?.spec.name]).toEqual(["up-2", 1, "b"]);
    expect(first?.spec.targets[0]?.key?.secret.reveal()).toBe(KEY);
  });

  test("stays a link where it is one", async () => {
    using folder = makeFolder();
    const real = join(folder.path, "real");
    mkdirSync(real);
    writeFileSync(join(real, "state.json"), JSON.stringify({ version: 1, upstreams: [] }));
    symlinkSync(join(real, "state.json"), folder.file);
    await openStore(folder.file).create(upstream("a"));
    expect(lstatSync(folder.file).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(real, "state.json"), "utf8")).toContain('"name": "a"');
  });

  test("stays as it was when the rename fails, and so does what is served", async () => {
    using folder = makeFolder();
    await openStore(folder.file).create(upstream("a"));
    const before = readFileSync(folder.file, "utf8");
    const broken = openStore(folder.file, {
      createId: () => "new",
      steps: {
        rename: () => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" })),
      },
    });
    const applied: unknown[] = [];
    broken.follow({ examine: async () => [], apply: async (specs) => void applied.push(specs) });
    expect(await broken.create(upstream("b"))).toEqual({ kind: "unwritten", reason: "ENOSPC" });
    expect(readFileSync(folder.file, "utf8")).toBe(before);
    expect(readdirSync(folder.path)).toEqual(["upstreams.json"]);
    expect(broken.list().map(({ spec }) => spec.name)).toEqual(["a"]);
    expect(applied).toEqual([]);
  });

  test("is the old one after a crash between writing and renaming, and the next writing clears the rest away", async () => {
    using folder = makeFolder();
    await openStore(folder.file).create(upstream("a"));
    const before = readFileSync(folder.file, "utf8");
    const script = `
      const { openUpstreamStore } = await import(${JSON.stringify(join(import.meta.dir, "../../src/admin/store.ts"))});
      const { readUpstream } = await import(${JSON.stringify(join(import.meta.dir, "../../src/config/upstream-body.ts"))});
      const opened = openUpstreamStore({
        path: process.argv[1], read: readUpstream, createId: () => "crash",
        steps: { rename: () => { process.stdout.write("written"); return new Promise(() => {}); } },
      });
      setInterval(() => {}, 1000);
      await opened.store.create(${JSON.stringify(upstream("b"))});
    `;
    await using child = Bun.spawn([process.execPath, "-e", script, folder.file], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const draft = join(folder.path, ".upstreams.json.new");
    const reader = child.stdout.getReader();
    await reader.read();
    expect(existsSync(draft)).toBe(true);
    expect(statSync(draft).mode & 0o777).toBe(0o600);
    child.kill("SIGKILL");
    await child.exited;
    expect(readFileSync(folder.file, "utf8")).toBe(before);
    const after = openStore(folder.file, { createId: () => "next" });
    expect(after.list().map(({ spec }) => spec.name)).toEqual(["a"]);
    await after.create(upstream("c"));
    expect(readdirSync(folder.path)).toEqual(["upstreams.json"]);
  });

  test("that is broken is told with its name, and never with what it holds", () => {
    using folder = makeFolder();
    const entry = { id: "x", revision: 1, body: upstream("a") };
    const broken: readonly [unknown, string][] = [
      ["{", "the JSON that weir wrote"],
      [`{"upstreams": "${KEY}`, "the JSON that weir wrote"],
      ["[]", "version"],
      [JSON.stringify({ version: 2, upstreams: [] }), "version"],
      [JSON.stringify({ version: 1 }), "a list"],
      [JSON.stringify({ version: 1, upstreams: [{}] }), "an id, a revision and a body"],
      [JSON.stringify({ version: 1, upstreams: [entry, entry] }), "every id once"],
      [JSON.stringify({ version: 1, upstreams: [entry, { ...entry, id: "y" }] }), "every name once"],
      [
        JSON.stringify({ version: 1, upstreams: [{ ...entry, body: { name: "a" } }] }),
        "a list of at least 1",
      ],
    ];
    for (const [text, expected] of broken) {
      writeFileSync(folder.file, String(text));
      const opened = open(folder.file);
      expect(opened.kind).toBe("problems");
      if (opened.kind !== "problems") continue;
      expect(opened.problems[0]?.where).toStartWith(folder.file);
      expect(opened.problems[0]?.expected).toContain(expected);
      expect(JSON.stringify(opened.problems)).not.toContain(KEY);
    }
  });

  test("that is a folder is a problem, not a crash", () => {
    using folder = makeFolder();
    mkdirSync(folder.file);
    expect(open(folder.file)).toEqual({
      kind: "problems",
      problems: [{ where: folder.file, expected: "a readable file", found: "EISDIR" }],
    });
  });

  test("of no name keeps nothing, and everything works until the end", async () => {
    const store = openStore("");
    expect((await store.create(upstream("a"))).kind).toBe("stored");
    expect(store.list()).toHaveLength(1);
    expect(existsSync("")).toBe(false);
  });
});

describe("the store", () => {
  test("makes 100 changes at once one after another, and the file holds them all", async () => {
    using folder = makeFolder();
    const store = openStore(folder.file);
    let applied = 0;
    let running = 0;
    store.follow({
      examine: async () => [],
      async apply(specs) {
        running += 1;
        expect(running).toBe(1);
        await Promise.resolve();
        expect(specs.length).toBe(applied + 1);
        applied = specs.length;
        running -= 1;
      },
    });
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, at) => store.create(upstream(`name-${at % 50}`))),
    );
    expect(made.filter(({ kind }) => kind === "stored")).toHaveLength(50);
    expect(made.filter(({ kind }) => kind === "taken")).toHaveLength(50);
    const names = (each: typeof store) => each.list().map(({ spec }) => spec.name);
    expect(new Set(names(store)).size).toBe(50);
    expect(names(openStore(folder.file))).toEqual(names(store));
    await until(() => applied === 50, "every change was applied");
  });

  test("keeps out what its follower finds wrong, and writes nothing of it", async () => {
    using folder = makeFolder();
    const store = openStore(folder.file);
    const problem = { path: "name", expected: "a name that no file uses", found: '"a"' };
    store.follow({ examine: async () => [problem], apply: () => Promise.reject(new Error("not reached")) });
    expect(await store.create(upstream("a"))).toEqual({ kind: "problems", problems: [problem] });
    expect(existsSync(folder.file)).toBe(false);
  });

  test("goes on after a follower's failure", async () => {
    using folder = makeFolder();
    const store = openStore(folder.file);
    let fails = true;
    store.follow({
      examine: () => (fails ? Promise.reject(new Error("a bug")) : Promise.resolve([])),
      apply: async () => undefined,
    });
    const failed = await store.create(upstream("a")).catch((error: unknown) => error);
    expect(failed).toEqual(new Error("a bug"));
    fails = false;
    expect((await store.create(upstream("a"))).kind).toBe("stored");
  });
});
