// The binary's way out: certificates made by openssl for this run alone, and a proxy that opens tunnels, all on loopback.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type RunningBinary, startBinary } from "../support/binary.ts";
import { openCertificates } from "../support/certificates.ts";
import { startTunnels } from "../support/tunnels.ts";

/** No resolver has it, so only the proxy can lead there. */
const HOSTED = "hosted.weir-test.invalid";
const PROXY_USER = "u%40ser:p%3Ass";
const PROXY_LOGIN = `Basic ${btoa("u@ser:p:ss")}`;

const { fileOf, makeAuthority, makeCertificate, remove } = openCertificates();

beforeAll(async () => {
  await makeAuthority("company");
  await makeAuthority("other");
  await makeCertificate("good", { by: "company", names: `DNS:localhost,DNS:${HOSTED}`, days: [-1, 1] });
  await makeCertificate("expired", { by: "company", names: "DNS:localhost", days: [-2, -1] });
  await makeCertificate("elsewhere", { by: "company", names: "DNS:elsewhere.example", days: [-1, 1] });
  await makeCertificate("alien", { by: "other", names: "DNS:localhost", days: [-1, 1] });
});

afterAll(remove);

describe("an upstream's certificate", () => {
  test("counts when ca_file has its authority, and else is refused in words that say what to do", async () => {
    await using servers = startServers(["good", "expired", "elsewhere", "alien"]);
    await using weir = await startBinary({
      env: servers.env({ WEIR_UPSTREAM_CA_FILE: fileOf("company.pem") }),
    });
    expect(await ask(weir, "good/m")).toEqual({ status: 200, said: "good" });
    const refused = async (name: string) => (await ask(weir, `${name}/m`)).said;
    expect(await refused("expired")).toContain("the certificate has expired (CERT_HAS_EXPIRED)");
    expect(await refused("elsewhere")).toContain(
      "the certificate is for another host name (ERR_TLS_CERT_ALTNAME",
    );
    expect(await refused("alien")).toContain("not trusted; see upstream.ca_file (");
    expect(weir.output()).toContain("see upstream.ca_file (");
  });

  test("is refused without ca_file", async () => {
    await using servers = startServers(["good"]);
    await using weir = await startBinary({ env: servers.env({}) });
    const { status, said } = await ask(weir, "good/m");
    expect(status).toBe(502);
    expect(said).toContain("cannot connect: the certificate is from an authority that is not trusted");
  });

  test("of an authority trusted by default counts beside those of ca_file", async () => {
    await using servers = startServers(["good", "alien"]);
    const trusted = {
      NODE_EXTRA_CA_CERTS: fileOf("company.pem"),
      WEIR_UPSTREAM_CA_FILE: fileOf("other.pem"),
    };
    await using weir = await startBinary({ env: servers.env(trusted) });
    expect(await ask(weir, "good/m")).toEqual({ status: 200, said: "good" });
    expect(await ask(weir, "alien/m")).toEqual({ status: 200, said: "alien" });
  });
});

describe("the proxy of the environment", () => {
  const hosted = (proxyPort: number) => ({
    OPENAI_API_KEY: "sk-one",
    OPENAI_BASE_URL: `https://${HOSTED}/v1`,
    HTTPS_PROXY: `http://${PROXY_USER}@127.0.0.1:${proxyPort}`,
    HTTP_PROXY: `http://${PROXY_USER}@127.0.0.1:${proxyPort}`,
    WEIR_UPSTREAM_CA_FILE: fileOf("company.pem"),
    WEIR_RETRY_BACKOFF: "1ms",
  });

  test("carries hosted providers, with its own login, and nothing that is near", async () => {
    await using servers = startServers(["good"]);
    await using near = plainServer();
    await using proxy = await startTunnels(() => servers.portOf("good"));
    const env = { ...hosted(proxy.port), VLLM_BASE_URLS: `http://127.0.0.1:${near.port}` };
    await using weir = await startBinary({ env });
    expect(await ask(weir, "openai/m")).toEqual({ status: 200, said: "good" });
    expect(await ask(weir, "vllm/m")).toEqual({ status: 200, said: "near" });
    const heads = proxy.heads();
    expect(heads.length).toBeGreaterThan(0);
    for (const head of heads) {
      expect(head).toStartWith(`CONNECT ${HOSTED}:443 `);
      expect(head).toContain(`Proxy-Authorization: ${PROXY_LOGIN}`);
      expect(head).not.toContain("sk-one");
    }
    expect(weir.output()).not.toContain("p%3Ass");
  });

  test("is passed by for a host of NO_PROXY", async () => {
    await using proxy = await startTunnels(() => 0);
    await using weir = await startBinary({ env: { ...hosted(proxy.port), NO_PROXY: ".weir-test.invalid" } });
    const { status, said } = await ask(weir, "m");
    expect({ status, atProxy: said.includes("proxy") }).toEqual({ status: 502, atProxy: false });
    expect(proxy.heads()).toEqual([]);
  });

  test("that refuses is named with its status", async () => {
    await using proxy = await startTunnels(
      () => "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
    );
    await using weir = await startBinary({ env: hosted(proxy.port) });
    const { status, said } = await ask(weir, "m");
    expect(status).toBe(502);
    expect(said).toContain("the proxy refused with 407; see upstream.proxy");
  });

  test("that is down is named as what is down", async () => {
    const proxy = await startTunnels(() => 0);
    await proxy[Symbol.asyncDispose]();
    await using weir = await startBinary({ env: hosted(proxy.port) });
    const { status, said } = await ask(weir, "m");
    expect(status).toBe(502);
    expect(said).toContain("ECONNREFUSED at the proxy; see upstream.proxy");
  });
});

/** What a client gets: the answer's text, or the message of the error. */
async function ask({ url }: RunningBinary, model: string): Promise<{ status: number; said: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hello" }] }),
    headers: { "content-type": "application/json", authorization: "Bearer sk-client" },
  });
  const body = (await response.json()) as { said?: string; error?: { message: string } };
  return { status: response.status, said: body.said ?? body.error?.message ?? "" };
}

const answerOf = (said: string): Response => Response.json({ said });

function plainServer() {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => answerOf("near") });
  return { port: server.port ?? 0, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** One server a certificate, and variables by which weir knows each under the certificate's name. */
function startServers(names: readonly string[]) {
  const servers = new Map(
    names.map((name) => [
      name,
      Bun.serve({
        hostname: "localhost",
        port: 0,
        tls: {
          cert: readFileSync(fileOf(`${name}.pem`), "utf8"),
          key: readFileSync(fileOf(`${name}.key`), "utf8"),
        },
        fetch: () => answerOf(name),
      }),
    ]),
  );
  const portOf = (name: string): number => servers.get(name)?.port ?? 0;
  return {
    portOf,
    env: (more: Readonly<Record<string, string>>): Record<string, string> => ({
      WEIR_PROVIDERS: names.join(","),
      WEIR_RETRY_BACKOFF: "1ms",
      ...Object.fromEntries(
        names.map((name) => [`${name.toUpperCase()}_BASE_URL`, `https://localhost:${portOf(name)}/v1`]),
      ),
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      for (const server of servers.values()) await server.stop(true);
    },
  };
}
