// Where operators' pages are: on the server's port, on one of their own, on both, or nowhere.
import { describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { startFake } from "../../src/fake/server.ts";
import { CLIENT_KEY, startWeir, type WeirSetup } from "../support/weir.ts";

const ADMIN_KEY = "admin-key-0123456789";
const PAGE = "/dashboard/login";

const setup = (dashboard: NonNullable<WeirSetup["dashboard"]>, more: Partial<WeirSetup> = {}): WeirSetup => ({
  providers: [{ name: "openai", urls: ["http://127.0.0.1:9"], keys: ["sk-0000000000000001"] }],
  adminKey: ADMIN_KEY,
  dashboard,
  ...more,
});

async function status(port: number | undefined, path: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
  await response.arrayBuffer();
  return response.status;
}

/** A listener on a port of its own. */
async function occupy(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, server };
}

const release = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });

async function freePort(): Promise<number> {
  const { port, server } = await occupy();
  await release(server);
  return port;
}

describe("the dashboard", () => {
  test("is on the server's port by default", async () => {
    await using weir = startWeir(setup({}));
    expect(await status(weir.port, PAGE)).toBe(200);
    expect(weir.app.dashboardPort).toBeUndefined();
  });

  test("that is off is nowhere", async () => {
    await using weir = startWeir(setup({ enabled: false, port: await freePort() }));
    for (const path of [PAGE, "/dashboard", "/api/dashboard"])
      expect(await status(weir.port, path)).toBe(404);
    expect(await status(weir.port, "/health")).toBe(200);
    expect(weir.app.dashboardPort).toBeUndefined();
  });

  test("with a port is there alone, behind the same guard, and nothing is piped there", async () => {
    const port = await freePort();
    await using weir = startWeir(setup({ port }, { accessKeys: [CLIENT_KEY] }));
    expect(weir.app.dashboardPort).toBe(port);
    const asClient = { headers: { authorization: `Bearer ${CLIENT_KEY}` } };
    expect(await status(weir.port, PAGE, asClient)).toBe(404);
    expect(await status(port, PAGE)).toBe(200);
    expect(await status(port, "/health")).toBe(200);
    expect(await status(port, "/v1/models", asClient)).toBe(404);
    expect(await status(port, "/v1/chat/completions", { method: "POST", body: "{}", ...asClient })).toBe(404);
    expect(await status(port, PAGE, { headers: { origin: "https://evil.example" } })).toBe(403);
  });

  test("with a port may stay on the server's too", async () => {
    const port = await freePort();
    await using weir = startWeir(setup({ port, alsoOnServer: true }));
    expect(await status(weir.port, PAGE)).toBe(200);
    expect(await status(port, PAGE)).toBe(200);
  });

  test("whose port is taken is a warning, and the proxy goes on", async () => {
    const fake = startFake();
    const { port, server } = await occupy();
    {
      await using weir = startWeir({
        ...setup({ port }),
        providers: [{ name: "openai", urls: [fake.url], keys: ["sk-0000000000000001"] }],
      });
      expect(weir.app.warnings).toEqual([`the dashboard is not on port ${port} of 127.0.0.1: EADDRINUSE`]);
      expect(weir.app.dashboardPort).toBeUndefined();
      const answer = await weir.post("/v1/chat/completions", { model: "gpt-4o", messages: [] });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
    await release(server);
    await fake.stop();
  });

  test("frees its port when weir stops", async () => {
    const port = await freePort();
    const weir = startWeir(setup({ port }, { unchecked: true }));
    expect(await status(port, "/health")).toBe(200);
    await weir.app.stop({ skipDelay: true });
    expect(await status(port, "/health").catch(() => "refused")).toBe("refused");
  });
});
