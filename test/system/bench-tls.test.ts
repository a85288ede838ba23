// The load test over https: certificates made by openssl for this run alone, in front of the fake, all on loopback.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { createSocketTransport } from "../../src/bench/socket-transport.ts";
import { type Fake, startFake } from "../../src/fake/server.ts";
import { startBench } from "../support/bench.ts";
import { weirBinary } from "../support/binary.ts";
import { openCertificates } from "../support/certificates.ts";
import { startTunnels } from "../support/tunnels.ts";
import { until } from "../support/until.ts";

/** No resolver has it, so only the proxy can lead there. */
const HOSTED = "hosted.weir-test.invalid";
const { fileOf, makeAuthority, makeCertificate, remove } = openCertificates();
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  await makeAuthority("company");
  await makeAuthority("other");
  await makeCertificate("good", {
    by: "company",
    names: `DNS:localhost,IP:127.0.0.1,DNS:${HOSTED}`,
    days: [-1, 1],
  });
  await makeCertificate("expired", { by: "company", names: "DNS:localhost", days: [-2, -1] });
  await makeCertificate("elsewhere", { by: "company", names: "DNS:elsewhere.example", days: [-1, 1] });
  await makeCertificate("alien", { by: "other", names: "DNS:localhost", days: [-1, 1] });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(remove);

interface Front {
  readonly port: number;
  readonly fake: Fake;
  /** What every connection agreed on, and the name that was asked for. */
  readonly agreed: readonly string[];
}

/** The fake behind a certificate. */
async function startFront(certificate: string): Promise<Front> {
  const fake = startFake({ script: { ttft: "200ms", gap: "1ms", tokens: 4 } });
  const agreed: string[] = [];
  const terms = {
    cert: readFileSync(fileOf(`${certificate}.pem`)),
    key: readFileSync(fileOf(`${certificate}.key`)),
    ALPNProtocols: ["h2", "http/1.1"],
  };
  const server = createServer(terms, (socket) => {
    agreed.push(`${String(socket.alpnProtocol)} ${String(socket.servername)}`);
    const onward = connect(Number(new URL(fake.url).port), "127.0.0.1");
    socket.pipe(onward).pipe(socket);
    socket.on("error", () => onward.destroy());
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.on("tlsClientError", () => undefined);
  const port = await listen(server);
  stops.push(() => {
    server.close();
    return fake.stop();
  });
  return { port, fake, agreed };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const TRUSTED = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: fileOf("company.pem") });
const bench = (url: string, more: readonly string[], env = TRUSTED()) =>
  startBench(["-u", url, "-m", "gpt-4o", "--json", "-", ...more], env, [weirBinary()]).ended;

test("one process keeps as many connections over https as it has calls at a time, in the protocol that it speaks", async () => {
  const { port, fake, agreed } = await startFront("good");
  const args = ["-c", "150", "-n", "450", "--ramp-up", "0", "--stream"];
  const { code, err, report } = await bench(`https://localhost:${port}`, args);
  const { requests, errors, client, tokens } = report();
  expect([code, errors, err.includes("warning")]).toEqual([0, [], false]);
  expect(requests).toMatchObject({ started: 450, ok: 450 });
  expect(tokens.chunks).toBe(fake.ledger.counters().chunks);
  // A call of a slow machine may end before the last one begins, and hand its connection on.
  expect(client.connections).toBeWithin(100, 151);
  expect(new Set(agreed)).toEqual(new Set(["http/1.1 localhost"]));
}, 60_000);

test("a body that is larger than what a connection takes at once is sent whole over https", async () => {
  const { port, fake } = await startFront("good");
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-tls-"));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "prompts.jsonl");
  writeFileSync(file, JSON.stringify("x".repeat(8_000_000)));
  const { code, report } = await bench(`https://127.0.0.1:${port}`, [
    "-c",
    "2",
    "-n",
    "2",
    "--prompts",
    file,
  ]);
  expect([code, report().errors]).toEqual([0, []]);
  expect(fake.ledger.calls().filter(({ method }) => method === "POST")).toHaveLength(2);
}, 60_000);

test.each([
  ["expired", "the certificate has expired (CERT_HAS_EXPIRED)"],
  ["elsewhere", "the certificate is for another host name (ERR_TLS_CERT_ALTNAME_INVALID)"],
  [
    "alien",
    "the certificate is from an authority that is not trusted; see NODE_EXTRA_CA_CERTS (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
  ],
])(
  "a server whose certificate is %s gets nothing, and the reason is told",
  async (certificate, reason) => {
    const { port, fake } = await startFront(certificate);
    const { code, report } = await bench(`https://localhost:${port}`, ["-c", "2", "-n", "3"]);
    expect([code, report().errors]).toEqual([1, [{ text: `cannot connect: ${reason}`, times: 3 }]]);
    expect(fake.ledger.calls()).toEqual([]);
  },
  60_000,
);

/** What one call over https to a server of raw sockets fails with. */
async function failureAt(answer: (socket: Bun.Socket) => void, terms = {}): Promise<string | undefined> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: answer } });
  const url = `https://127.0.0.1:${server.port}/`;
  const transport = createSocketTransport({ url, ...terms }, [[]]);
  const failures: string[] = [];
  const nothing = (): void => undefined;
  transport.send(
    { headers: 0, body: "{}" },
    {
      onHead: nothing,
      onBody: nothing,
      onEnd: nothing,
      onFailure: (reason) => void failures.push(reason),
    },
  );
  await until(() => failures.length > 0, "it fails");
  transport.close();
  server.stop(true);
  expect(failures).toHaveLength(1);
  return failures[0];
}

test("a server that leaves the handshake undone is told by what it does instead", async () => {
  const silent = await failureAt(() => undefined, { connectMs: 200 });
  expect(silent).toBe("cannot connect: no TLS handshake within 0.2 s");
  const ended = await failureAt((socket) => void socket.end());
  expect(ended).toBe("cannot connect: closed with no TLS handshake");
  const reset = await failureAt((socket) => socket.terminate());
  expect(reset).toBe("cannot connect: closed with no TLS handshake");
  const plain = await failureAt((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(plain).toBe("cannot connect: the TLS handshake failed: does the server speak https? (EPROTO)");
});

const throughProxy = (port: number, more: Readonly<Record<string, string>> = {}) =>
  bench(`https://${HOSTED}`, ["-c", "3", "-n", "6"], {
    ...TRUSTED(),
    HTTPS_PROXY: `http://u%40ser:p%3Ass@127.0.0.1:${port}`,
    ...more,
  });

test("the proxy of the environment is asked for tunnels, knows nothing of the calls, and is told of", async () => {
  const { port, agreed } = await startFront("good");
  await using tunnels = await startTunnels(() => port);
  const { code, err, report } = await throughProxy(tunnels.port);
  expect([code, report().errors, report().client.connections]).toEqual([0, [], 3]);
  expect(new Set(agreed)).toEqual(new Set([`http/1.1 ${HOSTED}`]));
  expect(err).toContain(`warning: the calls go through the proxy http://127.0.0.1:${tunnels.port}, which`);
  expect(err).not.toContain("p%3Ass");
  const login = `Basic ${btoa("u@ser:p:ss")}`;
  const head = `CONNECT ${HOSTED}:443 HTTP/1.1\r\nhost: ${HOSTED}:443\r\nproxy-authorization: ${login}\r\n\r\n`;
  expect(tunnels.heads()).toEqual([head, head, head]);
}, 60_000);

test("a server's certificate is checked behind a proxy, too", async () => {
  const { port, fake } = await startFront("elsewhere");
  await using tunnels = await startTunnels(() => port);
  const { code, report } = await throughProxy(tunnels.port);
  const reason = "the certificate is for another host name (ERR_TLS_CERT_ALTNAME_INVALID)";
  expect([code, report().errors]).toEqual([1, [{ text: `cannot connect: ${reason}`, times: 6 }]]);
  expect(fake.ledger.calls()).toEqual([]);
}, 60_000);

test("a proxy that opens no tunnel is told by what it does instead", async () => {
  const errorsAt = async (lead: () => string | number): Promise<unknown> => {
    await using tunnels = await startTunnels(lead);
    return (await throughProxy(tunnels.port)).report().errors.map(({ text }) => text);
  };
  const refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
  expect(await errorsAt(() => refusal)).toEqual(["cannot connect: the proxy refused with 407"]);
  expect(await errorsAt(() => "")).toEqual(["cannot connect: closed with no answer of the proxy"]);
  const { report } = await throughProxy(1);
  expect(report().errors.map(({ text }) => text)).toEqual(["cannot connect: ECONNREFUSED at the proxy"]);
}, 60_000);

test("what is near is called without the proxy, and so is a host of NO_PROXY", async () => {
  const { port } = await startFront("good");
  await using tunnels = await startTunnels(() => port);
  const env = { ...TRUSTED(), HTTPS_PROXY: `http://127.0.0.1:${tunnels.port}` };
  const near = await bench(`https://localhost:${port}`, ["-n", "1"], env);
  expect([near.code, near.err.includes("proxy")]).toEqual([0, false]);
  const spared = await throughProxy(tunnels.port, { NO_PROXY: "weir-test.invalid" });
  expect(spared.report().errors[0]?.text).toStartWith("cannot connect: ");
  expect(tunnels.heads()).toEqual([]);
}, 60_000);
