import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Watch, watchFiles } from "../../src/config/watch.ts";
import { createLatch, until } from "../support/until.ts";

let folder = "";
let watch: Watch | undefined;
const at = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFileSync(at(name), text);
/** As editors and careful programs do it. */
const replace = (name: string, text: string) => {
  write(`${name}.tmp`, text);
  renameSync(at(`${name}.tmp`), at(name));
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weir-watch-"));
});
afterEach(() => {
  watch?.stop();
  watch = undefined;
  rmSync(folder, { recursive: true });
});

/** Names of the changed files, call by call. */
function follow(...names: string[]): {
  readonly calls: string[];
  readonly count: (n: number) => Promise<void>;
} {
  const calls: string[] = [];
  watch = watchFiles(
    names.map(at),
    (changed) => void calls.push(changed.map((path) => path.slice(folder.length + 1)).join(" ")),
    { intervalMs: 5, onError: (error) => void calls.push(String(error)) },
  );
  return {
    calls,
    count: (n) => until(() => calls.length >= n, `${n} changes are told; so far ${calls.join(", ")}`),
  };
}

/** Longer than several polls and settlings: what has not come by then does not come. */
const quiet = () => Bun.sleep(120);

describe("a watched file", () => {
  test("that stays as it is is never told", async () => {
    write("a", "1");
    const { calls } = follow("a");
    await quiet();
    expect(calls).toEqual([]);
  });

  test("is told once for each change of content", async () => {
    write("a", "1");
    const { calls, count } = follow("a");
    write("a", "2");
    await count(1);
    await quiet();
    write("a", "3");
    await count(2);
    await quiet();
    expect(calls).toEqual(["a", "a"]);
  });

  test("is told for a change that leaves size and time as they were", async () => {
    write("a", "1");
    const time = new Date(Date.now() - 60_000);
    utimesSync(at("a"), time, time);
    const { calls, count } = follow("a");
    write("a", "2");
    utimesSync(at("a"), time, time);
    await count(1);
    expect(calls).toEqual(["a"]);
  });

  test("is not told when only its time changes", async () => {
    write("a", "1");
    const { calls } = follow("a");
    utimesSync(at("a"), new Date(), new Date(Date.now() - 5000));
    replace("a", "1");
    await quiet();
    expect(calls).toEqual([]);
  });

  test("is told for every atomic rename over it, not only the first", async () => {
    write("a", "0");
    const { calls, count } = follow("a");
    for (let round = 1; round <= 4; round += 1) {
      replace("a", String(round));
      await count(round);
    }
    await quiet();
    expect(calls).toHaveLength(4);
  });

  test("is told when it goes and when it comes back", async () => {
    write("a", "1");
    const { calls, count } = follow("a");
    unlinkSync(at("a"));
    await count(1);
    write("a", "2");
    await count(2);
    await quiet();
    expect(calls).toEqual(["a", "a"]);
  });

  test("may be missing at first", async () => {
    const { calls, count } = follow("later/a");
    await quiet();
    expect(calls).toEqual([]);
    mkdirSync(at("later"));
    write("later/a", "1");
    await count(1);
  });

  test("that is written piece by piece is told when it is whole", async () => {
    write("a", "old");
    const seen: string[] = [];
    watch = watchFiles([at("a")], async () => void seen.push(await Bun.file(at("a")).text()), {
      intervalMs: 1,
      onError: () => undefined,
    });
    for (const text of ["", "n", "ne", "new"]) {
      write("a", text);
      await Bun.sleep(8);
    }
    await until(() => seen.length > 0, "the change is told");
    await quiet();
    expect(seen).toEqual(["new"]);
  });

  test("behind Kubernetes' symlinks is told for a swap of ..data", async () => {
    for (const [version, text] of [
      ["..v1", "1"],
      ["..v2", "2"],
      ["..v3", "3"],
    ] as const) {
      mkdirSync(at(version));
      write(`${version}/keys`, text);
    }
    symlinkSync("..v1", at("..data"));
    symlinkSync("..data/keys", at("keys"));
    const { calls, count } = follow("keys");
    const swap = (version: string) => {
      symlinkSync(version, at("..data_tmp"));
      renameSync(at("..data_tmp"), at("..data"));
    };
    swap("..v2");
    await count(1);
    rmSync(at("..v1"), { recursive: true });
    swap("..v3");
    await count(2);
    await quiet();
    expect(calls).toEqual(["keys", "keys"]);
  });
});

describe("watching", () => {
  test("tells files that change together in one call", async () => {
    write("a", "1");
    write("b", "1");
    write("c", "1");
    const { calls, count } = follow("a", "b", "c");
    write("a", "2");
    write("c", "2");
    await count(1);
    await quiet();
    expect(calls).toEqual(["a c"]);
  });

  test("tells a change that comes while the last is being dealt with, after it, and never two at a time", async () => {
    write("a", "1");
    const [entered, leave] = [createLatch(), createLatch()];
    let running = 0;
    let most = 0;
    let calls = 0;
    const onChange = async () => {
      calls += 1;
      running += 1;
      most = Math.max(most, running);
      entered.open();
      await leave.opened;
      running -= 1;
    };
    watch = watchFiles([at("a")], onChange, { intervalMs: 5, onError: () => undefined });
    write("a", "2");
    await entered.opened;
    write("a", "3");
    await quiet();
    expect(calls).toBe(1);
    leave.open();
    await until(() => calls === 2, "the second change is told");
    await quiet();
    expect([calls, most]).toEqual([2, 1]);
  });

  test("goes on when a callback fails, and tells the failure", async () => {
    write("a", "1");
    const errors: unknown[] = [];
    let calls = 0;
    const onChange = () => {
      calls += 1;
      if (calls === 1) throw new Error("bad");
    };
    watch = watchFiles([at("a")], onChange, { intervalMs: 5, onError: (error) => void errors.push(error) });
    write("a", "2");
    await until(() => errors.length === 1, "the failure is told");
    write("a", "3");
    await until(() => calls === 2, "the second change is told");
    expect(errors).toEqual([new Error("bad")]);
  });

  test("ends with stop, or with its signal", async () => {
    write("a", "1");
    const first = follow("a");
    watch?.stop();
    const abort = new AbortController();
    const calls: unknown[] = [];
    const options = { intervalMs: 5, signal: abort.signal, onError: () => undefined };
    const second = watchFiles([at("a")], (changed) => void calls.push(changed), options);
    abort.abort();
    watchFiles([at("a")], (changed) => void calls.push(changed), options);
    write("a", "2");
    await quiet();
    expect([first.calls, calls]).toEqual([[], []]);
    second.stop();
  });

  test("can be told of other files; those that stay keep what is known of them", async () => {
    write("a", "1");
    write("b", "1");
    write("c", "1");
    const { calls, count } = follow("a", "b");
    write("b", "2");
    watch?.update([at("b"), at("c")]);
    write("a", "2");
    await count(1);
    write("c", "2");
    await count(2);
    await quiet();
    expect(calls).toEqual(["b", "c"]);
  });

  test("tells a change within a second at its usual pace", async () => {
    write("a", "0");
    let told = 0;
    watch = watchFiles([at("a")], () => void (told += 1), { onError: () => undefined });
    // A busy machine may hold one of them up, but not each.
    const waits: number[] = [];
    for (let change = 1; change <= 5 && !waits.some((ms) => ms < 1000); change += 1) {
      const startMs = performance.now();
      write("a", String(change));
      await until(() => told === change, "the change is told");
      waits.push(performance.now() - startMs);
    }
    expect(Math.min(...waits)).toBeLessThan(1000);
  });
});

test("a watched folder tells when a file comes or goes, not when one in it changes", async () => {
  mkdirSync(at("d"));
  write("d/one", "1");
  const { calls, count } = follow("d");
  write("d/one", "2");
  await quiet();
  expect(calls).toEqual([]);
  write("d/two", "1");
  await count(1);
  unlinkSync(at("d/two"));
  await count(2);
  expect(calls).toEqual(["d", "d"]);
});
