import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARD_PAGES, DASHBOARD_ROOT_PAGES } from "../../../src/views/dashboard/pages.ts";

const STYLES = join(import.meta.dir, "../../../src/views/dashboard/browser/styles");

async function load(path: string, etag = ""): Promise<Response> {
  const page = DASHBOARD_PAGES.find((each) =>
    each.path.endsWith("*") ? path.startsWith(each.path.slice(0, -1)) : each.path === path,
  );
  if (page === undefined) throw new Error(`no page for ${path}`);
  const headers = etag === "" ? {} : { "if-none-match": etag };
  return page.respond(new Request(`http://127.0.0.1${path}`, { headers }), "127.0.0.1");
}

async function filesOf(
  html: string,
): Promise<readonly { readonly path: string; readonly response: Response; readonly text: string }[]> {
  const names = [...html.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map((match) => `/${match[1]}`);
  return Promise.all(
    names.map(async (path) => {
      const response = await load(path);
      return { path, response, text: await response.text() };
    }),
  );
}

describe("the page", () => {
  test("names its script, its style and nothing else, and each of them is there", async () => {
    const files = await filesOf(await (await load("/dashboard")).text());
    expect(files.map(({ path }) => path.replace(/\.[0-9a-f]{16}\./, "."))).toEqual([
      "/dashboard/early.js",
      "/dashboard/dashboard.css",
      "/dashboard/dashboard.js",
    ]);
    for (const { response, text } of files) {
      expect(response.status).toBe(200);
      expect(text.length).toBeGreaterThan(100);
      expect(response.headers.get("cache-control")).toContain("immutable");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
    expect(files.map(({ response }) => response.headers.get("content-type"))).toEqual([
      "text/javascript; charset=utf-8",
      "text/css; charset=utf-8",
      "text/javascript; charset=utf-8",
    ]);
  });

  test("offers to log out to whoever has a session, and is kept apart from the other", async () => {
    const [page] = DASHBOARD_PAGES;
    const ask = async (headers: Record<string, string>) => {
      const response = await page?.respond(new Request("http://127.0.0.1/dashboard", { headers }), undefined);
      return { etag: response?.headers.get("etag"), text: await response?.text() };
    };
    const [open, own] = [await ask({}), await ask({ cookie: "a=b; weir_session=x" })];
    expect([open.text?.includes("data-login"), own.text?.includes('data-login="yes"')]).toEqual([
      false,
      true,
    ]);
    expect(own.etag).not.toBe(open.etag);
  });

  test("holds no inline code, and forbids it", async () => {
    const response = await load("/dashboard");
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|\{\{/);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });

  test("asks nobody else for anything", async () => {
    const html = await (await load("/dashboard")).text();
    const texts = [html, ...(await filesOf(html)).map(({ text }) => text)];
    // Names of formats that look like addresses; nothing is loaded from them.
    const known = new Set([
      "http://www.w3.org/2000/svg",
      "http://www.w3.org/1999/xhtml",
      "http://www.w3.org/1998/Math/MathML",
    ]);
    const addresses = texts.flatMap((text) => text.match(/https?:\/\/[\w./-]+/g) ?? []);
    expect(addresses.filter((address) => !known.has(address))).toEqual([]);
    expect(texts.join("")).not.toMatch(/url\(\s*["']?(?:https?:)?\/\//);
  });

  test("is not sent again to who has it", async () => {
    const first = await load("/dashboard");
    const etag = first.headers.get("etag") ?? "";
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await load("/dashboard", known);
      expect(again.status).toBe(304);
      expect(await again.text()).toBe("");
    }
    expect((await load("/dashboard", '"0000000000000000"')).status).toBe(200);
  });

  test("leads from the path with a slash to the one without", async () => {
    const response = await load("/dashboard/");
    expect([response.status, response.headers.get("location")]).toEqual([308, "../dashboard"]);
  });

  test("has no other files, whatever they are called", async () => {
    for (const name of ["dashboard.js", "assets.ts", "..%2fmain.ts", "__proto__", "constructor"])
      expect((await load(`/dashboard/${name}`)).status).toBe(404);
  });

  test("is at the root of a port of its own too", async () => {
    expect(DASHBOARD_ROOT_PAGES.map(({ path }) => path)).toEqual(["/", "/charts"]);
    const page = await (await load("/dashboard")).text();
    for (const { path, respond } of DASHBOARD_ROOT_PAGES)
      expect(await (await respond(new Request(`http://127.0.0.1:1${path}`), undefined)).text()).toBe(page);
  });

  test("is for operators alone", () => {
    const pages = [...DASHBOARD_PAGES, ...DASHBOARD_ROOT_PAGES];
    expect(pages.every(({ access, method }) => access === undefined && method === "GET")).toBe(true);
  });
});

describe("the colours", () => {
  const tokens = readFileSync(join(STYLES, "tokens.css"), "utf8");
  const pairs = [...tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g)];
  const light = Object.fromEntries(pairs.map(([, name, colour]) => [name, colour]));
  const dark = Object.fromEntries(pairs.map(([, name, , colour]) => [name, colour]));

  test("are given for both themes, each once", () => {
    expect(pairs.length).toBe(Object.keys(light).length);
    expect(tokens.match(/#[0-9a-f]{3,8}\b/g)).toHaveLength(pairs.length * 2);
  });

  const luminance = (colour: string): number => {
    const part = (at: number): number => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  };
  const contrast = (a: string, b: string): number => {
    const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };

  for (const [name, theme] of [
    ["light", light],
    ["dark", dark],
  ] as const)
    test(`of text stand out from every ground in the ${name} theme`, () => {
      const texts = ["text", "muted", "accent", "usable", "untried", "limited", "resting", "down", "drained"];
      const onGrounds = texts.flatMap((text) =>
        ["ground", "surface", "raised", "selected"].map((ground) => [text, ground] as const),
      );
      const banners = [
        ["down", "bad-ground"],
        ["limited", "warn-ground"],
        ["on-accent", "accent"],
      ] as const;
      const colourOf = (name: string): string => {
        const colour = theme[name];
        if (colour === undefined) throw new Error(`no colour --${name}`);
        return colour;
      };
      const weak = [...onGrounds, ...banners].filter(([a, b]) => contrast(colourOf(a), colourOf(b)) < 4.5);
      expect(weak).toEqual([]);
    });
});
