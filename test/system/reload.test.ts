// The configuration changes while requests run: nothing is lost, whatever is written into the file and however.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFake } from "../../src/fake/server.ts";
import { type RunningBinary, startBinary } from "../support/binary.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-reload-"));
const fake = startFake();
afterAll(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

const RELOADS = 100;
const PER_SECOND = 1000;
const BODY = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hello" }] });
const HEADERS = { "content-type": "application/json" };

const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `sk-reload-key-number-${at}`);
/** A file with so many keys, told from others by an alias that a client can ask for. */
const fileOf = (keys: readonly string[], alias: string): string =>
  JSON.stringify({
    providers: { openai: { base_url: fake.url, api_keys: keys } },
    routes: { [alias]: { alias: "gpt-4o" } },
  });

async function serves(weir: RunningBinary, alias: string): Promise<boolean> {
  const response = await fetch(`${weir.url}/v1/models`);
  const { data } = (await response.json()) as { data: readonly { id: string }[] };
  return data.some(({ id }) => id === alias);
}

async function untilServes(weir: RunningBinary, alias: string): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    if (await serves(weir, alias)) return performance.now() - startedMs;
    if (performance.now() - startedMs > 20_000)
      throw new Error(`${alias} is not served: ${weir.output().slice(-2000)}`);
    await Bun.sleep(5);
  }
}

/** Sends at a fixed rate until it is stopped; the statuses, and the errors of calls without one. */
function sendAtRate(url: string): { stop: () => Promise<Record<string, number>> } {
  const counts: Record<string, number> = {};
  const running = new Set<Promise<void>>();
  const send = async (): Promise<void> => {
    let told: string;
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        body: BODY,
        headers: HEADERS,
      });
      await response.arrayBuffer();
      told = String(response.status);
    } catch (error) {
      told = error instanceof Error ? error.name : "error";
    }
    counts[told] = (counts[told] ?? 0) + 1;
  };
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * PER_SECOND;
    // Never more than a few hundred at once, else this process is what breaks.
    for (; sent < due && running.size < 300; sent += 1) {
      const work = send().finally(() => running.delete(work));
      running.add(work);
    }
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return counts;
    },
  };
}

describe("weir with a configuration file", () => {
  test(`takes ${RELOADS} versions of it under load without one failed request`, async () => {
    const path = join(folder, "load.yaml");
    writeFileSync(path, fileOf(keysOf(3), "version-0"));
    await using weir = await startBinary({ env: { WEIR_LOG_LEVEL: "warn" }, args: ["--config", path] });
    const load = sendAtRate(weir.url);
    const waits: number[] = [];
    for (let version = 1; version <= RELOADS; version += 1) {
      writeFileSync(`${path}.new`, fileOf(keysOf(1 + (version % 5)), `version-${version}`));
      renameSync(`${path}.new`, path);
      waits.push(await untilServes(weir, `version-${version}`));
    }
    const counts = await load.stop();
    expect(Object.keys(counts)).toEqual(["200"]);
    const sorted = waits.toSorted((a, b) => a - b);
    console.log(
      `${counts["200"]} requests over ${RELOADS} reloads; applied after ${Math.round(sorted[RELOADS / 2] ?? 0)} ms ` +
        `at the median, ${Math.round(sorted.at(-1) ?? 0)} ms at most`,
    );
    expect(new Set(fake.ledger.calls().map(({ key }) => key)).size).toBe(5);
  }, 400_000);

  test("follows a ConfigMap's swap of links, for the file and for a file of keys", async () => {
    const mount = join(folder, "mount");
    mkdirSync(mount);
    const publish = (name: string, alias: string, key: string) => {
      mkdirSync(join(mount, name));
      writeFileSync(
        join(mount, name, "weir.yaml"),
        `providers: { openai: { base_url: "${fake.url}", api_keys_file: "${join(mount, "keys")}" } }\n` +
          `routes: { ${alias}: { alias: gpt-4o } }\n`,
      );
      writeFileSync(join(mount, name, "keys"), `${key}\n`);
      symlinkSync(name, join(mount, "..data_tmp"));
      renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
    };
    publish("..2026_01", "first", "sk-map-key-first-0001");
    symlinkSync("..data/weir.yaml", join(mount, "weir.yaml"));
    symlinkSync("..data/keys", join(mount, "keys"));
    await using weir = await startBinary({ env: {}, args: ["--config", join(mount, "weir.yaml")] });
    expect(await serves(weir, "first")).toBe(true);
    publish("..2026_02", "second", "sk-map-key-second-0002");
    await untilServes(weir, "second");
    const before = fake.ledger.calls().at(-1)?.id ?? 0;
    await (
      await fetch(`${weir.url}/v1/chat/completions`, { method: "POST", body: BODY, headers: HEADERS })
    ).arrayBuffer();
    // The list of models may be asked for meanwhile.
    const calls = fake.ledger.calls().filter(({ id, method }) => id > before && method === "POST");
    expect(calls.map(({ key }) => key)).toEqual(["sk-map-key-second-0002"]);
  });

  test("follows a folder of backends: a file that comes, one that changes by mv, one that goes", async () => {
    const config = join(folder, "router");
    const backends = join(config, "configs");
    mkdirSync(backends, { recursive: true });
    const row = (model: string) =>
      `model_list:\n  - model_name: "${model}"\n    litellm_params: { model: "openai/${model}", api_base: "${fake.url}/v1", api_key: "dummy", rpm_limit: null }\n`;
    writeFileSync(
      join(config, "config.yaml"),
      "server: { host: 127.0.0.1, port: 0 }\nrouting: { strategy: simple-shuffle }\nbackends: { config_dir: configs, enabled_sources: [openai] }\ndashboard: { enabled: false }\n",
    );
    writeFileSync(join(backends, "openai_a.yaml"), row("model-a"));
    await using weir = await startBinary({
      env: {},
      args: ["-config", join(config, "config.yaml"), "--host", "127.0.0.1"],
    });
    expect(await serves(weir, "model-a")).toBe(true);
    writeFileSync(join(backends, "openai_b.yaml"), row("model-b"));
    await untilServes(weir, "model-b");
    expect(await serves(weir, "model-a")).toBe(true);
    writeFileSync(join(config, "later.yaml"), row("model-c"));
    renameSync(join(config, "later.yaml"), join(backends, "openai_b.yaml"));
    await untilServes(weir, "model-c");
    expect([await serves(weir, "model-a"), await serves(weir, "model-b")]).toEqual([true, false]);
    unlinkSync(join(backends, "openai_a.yaml"));
    writeFileSync(join(backends, "openai_d.yaml"), row("model-d"));
    await untilServes(weir, "model-d");
    expect(await serves(weir, "model-a")).toBe(false);
  });
});

test("a file that a rejected version names is watched, so that it is applied once the file is there", async () => {
  const path = join(folder, "cure.yaml");
  const keys = join(folder, "cure.keys");
  writeFileSync(path, fileOf(keysOf(1), "before"));
  await using weir = await startBinary({ env: {}, args: ["--config", path] });
  writeFileSync(
    path,
    `providers: { openai: { base_url: "${fake.url}", api_keys_file: "${keys}" } }\nroutes: { after: { alias: gpt-4o } }\n`,
  );
  await until(() => weir.output().includes("reload rejected"), "the version without its keys is rejected");
  writeFileSync(keys, "sk-cure-key-000001\n");
  await untilServes(weir, "after");
});

test("a configuration from a pipe is read once, and kept by a reload", async () => {
  const [pipe, text, keys] = ["pipe", "piped.yaml", "piped.keys"].map((name) => join(folder, name));
  writeFileSync(`${keys}`, "sk-piped-key-000001\n");
  writeFileSync(
    `${text}`,
    `providers: { openai: { base_url: "${fake.url}", api_keys_file: "${keys}" } }\nroutes: { piped: { alias: gpt-4o } }\n`,
  );
  await Bun.spawn(["mkfifo", `${pipe}`]).exited;
  const writer = Bun.spawn(["sh", "-c", 'cat "$1" > "$0"', `${pipe}`, `${text}`]);
  await using weir = await startBinary({ env: {}, args: ["--config", `${pipe}`] });
  expect(await writer.exited).toBe(0);
  writeFileSync(`${keys}`, "sk-piped-key-000001\nsk-piped-key-000002\n");
  await until(() => weir.output().includes("pool changed"), "the new key is taken up");
  expect(weir.output()).not.toContain("reload rejected");
  expect(await serves(weir, "piped")).toBe(true);
});

/** Twenty ways to break a file; each must be told once, and the pool before it must go on. */
const BROKEN: Readonly<Record<string, string>> = {
  "nothing at all": "",
  "only a comment": "# to be written\n",
  "a tab as indent": "providers:\n\topenai: {}\n",
  "an open bracket": "providers: { openai: { api_keys: [a, b }\n",
  "an open quote": 'providers: { openai: { api_key: "abc } }\n',
  "a key that stands twice": "strategy: least-used\nstrategy: random\n",
  "an unknown key": "provders: { openai: { api_key: sk-broken-key-0001 } }\n",
  "an unknown key inside": "providers: { openai: { api_kye: sk-broken-key-0001 } }\n",
  "an unset variable": 'providers: { openai: { api_key: "${NOT_SET_ANYWHERE}" } }\n',
  "a bare number for a time": "timeouts: { idle: 90 }\n",
  "a word for a number": "retry: { max: three }\n",
  "a number out of range": "server: { port: 70000 }\n",
  "a list where a map belongs": "providers: [openai]\n",
  "a text where a list belongs": "routes: { a: { targets: openai } }\n",
  "an unknown provider": "routes: { a: { targets: [nobody] } }\n",
  "an unknown strategy": "strategy: fastest\n",
  "an address without scheme":
    "providers: { openai: { base_url: api.openai.com, api_key: sk-broken-key-0001 } }\n",
  "two documents": "strategy: random\n---\nstrategy: random\n",
  "a tag": "strategy: !!js/function 'x'\n",
  "a bomb of anchors":
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
};

test("a broken file of any kind leaves the old pool serving, is told once, and is forgotten when it is mended", async () => {
  const path = join(folder, "broken.yaml");
  writeFileSync(path, fileOf(keysOf(2), "sound-0"));
  await using weir = await startBinary({ env: {}, args: ["--config", path] });
  const rejections = () => weir.output().match(/reload rejected/g)?.length ?? 0;
  const kinds = Object.entries(BROKEN);
  expect(kinds).toHaveLength(20);
  for (const [at, [kind, text]] of kinds.entries()) {
    const before = rejections();
    writeFileSync(path, text);
    await until(() => rejections() > before, `${kind} is rejected`);
    const chat = await fetch(`${weir.url}/v1/chat/completions`, {
      method: "POST",
      body: BODY,
      headers: HEADERS,
    });
    await chat.arrayBuffer();
    const ready = (await (await fetch(`${weir.url}/health/ready`)).json()) as Record<string, unknown>;
    expect([kind, chat.status, ready["status"]]).toEqual([kind, 200, "ok"]);
    expect(JSON.stringify(ready["reload_rejected"])).toContain("broken.yaml");
    expect([kind, rejections()]).toEqual([kind, before + 1]);
    writeFileSync(path, fileOf(keysOf(2), `sound-${at + 1}`));
    await untilServes(weir, `sound-${at + 1}`);
    const mended = (await (await fetch(`${weir.url}/health/ready`)).json()) as Record<string, unknown>;
    expect(mended["reload_rejected"]).toBeUndefined();
  }
  expect(weir.output()).not.toContain("sk-broken-key");
}, 300_000);
