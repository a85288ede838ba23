import { describe, expect, test } from "bun:test";
import { createReload, type LoadedConfig } from "../../src/commands/reload.ts";
import { parseFlags } from "../../src/config/flags.ts";
import { CONFIG_FLAGS, type Loaded, loadConfig } from "../../src/config/load.ts";

type Files = Readonly<Record<string, string>>;

function load(files: Files): Loaded {
  return loadConfig({
    env: {},
    flags: parseFlags(["--config", "/f/weir.yaml"], CONFIG_FLAGS),
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(path), { code: "ENOENT" });
      return text;
    },
    listFolder: () => [],
    hostname: "here",
  });
}

const START = load({ "/f/weir.yaml": "providers: { openai: { api_key: sk-0 } }\nserver: { port: 1 }\n" });
if (START.kind !== "config") throw new Error("no start");
const started: LoadedConfig = { ...START, config: { ...START.config, warnings: ["said at the start"] } };

/** Reloads from these readings in turn, the last one again and again; what the app and the user heard of it. */
function follow(readings: readonly (() => Loaded | Promise<Loaded>)[]) {
  const heard: string[] = [];
  const watched: (readonly string[])[] = [];
  let at = 0;
  const reload = createReload({
    async load() {
      const reading = readings[Math.min(at, readings.length - 1)];
      at += 1;
      return reading?.() ?? started;
    },
    app: {
      reload: ({ server }) => void heard.push(`port ${server.port}`),
      rejectReload: (problems) => void heard.push(`rejected ${problems.join(" ")}`),
    },
    loaded: started,
    warn: (warning) => void heard.push(warning),
    watch: (paths) => void watched.push(paths),
  });
  return { reload, heard, watched };
}

const onPort = (port: number): Files => ({
  "/f/weir.yaml": `providers: { openai: { api_key: sk-0 } }\nserver: { port: ${port} }\n`,
});
const NAMING = 'providers: { openai: { api_keys_file: "/f/keys" } }\nserver: { port: 2 }\n';
const RESTART = "server.port changes only with a restart";

describe("a reload", () => {
  test("waits for the one before it, so that a slow reading never undoes a newer one", async () => {
    const slow = Promise.withResolvers<Loaded>();
    const { reload, heard } = follow([() => slow.promise, () => load(onPort(3))]);
    const both = [reload(), reload()];
    slow.resolve(load(onPort(2)));
    await Promise.all(both);
    expect(heard).toEqual([RESTART, "port 2", "port 3"]);
  });

  test("goes on after one that failed, which its caller hears", async () => {
    const { reload, heard } = follow([() => Promise.reject(new Error("no disk")), () => load(onPort(3))]);
    const [first, second] = await Promise.allSettled([reload(), reload()]);
    expect([first.status, second.status]).toEqual(["rejected", "fulfilled"]);
    expect(heard).toEqual([RESTART, "port 3"]);
  });

  test("that is rejected has the files watched that may hold the cure, beside those in force", async () => {
    const { reload, heard, watched } = follow([() => load({ "/f/weir.yaml": NAMING })]);
    await reload();
    expect(heard).toEqual([expect.stringContaining('"/f/keys" (no such file)')]);
    expect(watched.at(-1)).toEqual(["/f/weir.yaml", "/f/keys"]);
  });

  test("looks again at a file that it names for the first time, as it may have changed meanwhile", async () => {
    const files = { "/f/weir.yaml": NAMING };
    const { reload, heard } = follow([() => load(files), () => load({ ...files, "/f/keys": "sk-1\n" })]);
    await reload();
    expect(heard).toEqual([expect.stringMatching(/^rejected /), RESTART, "port 2"]);
  });

  test("tells each warning once, and none of the start's again", async () => {
    const warned = { ...started, config: { ...started.config, warnings: ["said at the start", "new"] } };
    const { reload, heard } = follow([() => warned]);
    await reload();
    await reload();
    expect(heard).toEqual(["new", "port 1", "port 1"]);
  });
});
