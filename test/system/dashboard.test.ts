// The dashboard in a real browser: before a real weir with failing providers, and before a made-up pool of any size.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { startFake } from "../../src/fake/server.ts";
import { startBinary } from "../support/binary.ts";
import { ANTHROPIC_KEYS, callMixed, OPENAI_KEYS, startMixedScene } from "../support/mixed-calls.ts";
import { until } from "../support/until.ts";
import { startWeir } from "../support/weir.ts";
import { openPage, startBrowser } from "../views/dashboard/browser.ts";
import { HOSTILE, sampleView } from "../views/dashboard/sample-view.ts";
import { startStandIn } from "../views/dashboard/stand-in.ts";

setDefaultTimeout(60_000);

const TABS = ["overview", "backends", "keys", "charts", "log", "explain"];
const CHAT = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
const KEYS = ["sk-page-one-000000001", "sk-page-two-000000002", "sk-page-three-0000003"];

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const rows = (page: Page) => page.locator("table.data tr.row");
const names = (page: Page): Promise<readonly string[]> =>
  page.locator("table.data .row-name").allTextContents();

/** What axe calls serious or critical. */
async function seriousFlaws(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
}

/** Three keys before a fake that refuses the second one for some seconds, and one engine. */
function startScene(retryAfter: string) {
  const provider = startFake({
    script: {
      rules: [
        { match: { key: KEYS[1] ?? "" }, times: 1, do: { error: "rate_limit", retry_after: retryAfter } },
      ],
    },
  });
  const engine = startFake({
    script: { metrics: { engine: "vllm", running: 3, waiting: 1, kv_cache: 0.42 } },
  });
  const weir = startWeir({
    providers: [
      { name: "openai", urls: [provider.url], keys: KEYS },
      { name: "vllm", urls: [engine.url], models: ["qwen"] },
    ],
  });
  const chat = async (count: number): Promise<void> => {
    for (let call = 0; call < count; call += 1) {
      const answer = await weir.post("/v1/chat/completions", CHAT);
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
  };
  return {
    weir,
    chat,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await provider.stop();
      await engine.stop();
    },
  };
}

describe("the page of a running weir", () => {
  test("sees a key go to rest, count down and come back, without being asked", async () => {
    await using scene = startScene("6s");
    await using opened = await openPage(browser, `${scene.weir.url}/dashboard#keys`);
    const { page, faults } = opened;
    await page.getByText("4 keys").waitFor();
    expect(await page.locator("tr.row .state-resting").count()).toBe(0);
    await scene.chat(6);
    const resting = page.locator("tr.row .state-resting");
    await resting.waitFor();
    const first = await resting.textContent();
    expect(first).toMatch(/^rests \d+ s: 429 rate limit$/);
    await page.waitForFunction(
      (before) => document.querySelector("tr.row .state-resting")?.textContent !== before,
      first,
    );
    await resting.waitFor({ state: "detached" });
    await scene.chat(6);
    await page.waitForFunction(() => document.querySelectorAll("tr.row .state-usable").length >= 3);
    expect(faults).toEqual([]);
  });

  test("tells the same figures as the calls that were made, and each failure with its cause", async () => {
    await using scene = startScene("30s");
    await using opened = await openPage(browser, `${scene.weir.url}/dashboard`);
    const { page, faults } = opened;
    await page.locator(".stats").waitFor();
    await scene.chat(9);
    const requests = page.locator(".stat", { hasText: /^Requests\d/ }).locator(".stat-value");
    await page.waitForFunction(() => document.querySelector(".stat-value")?.textContent === "9");
    expect(await requests.textContent()).toBe("9");
    expect(await page.locator(".stat", { hasText: "Success" }).locator(".stat-value").textContent()).toBe(
      "100 %",
    );
    expect(await page.locator(".stat", { hasText: "Retries" }).locator(".stat-value").textContent()).toBe(
      "1",
    );
    await page.locator('[aria-label="Table of failures"] tbody tr', { hasText: "429" }).first().waitFor();
    await page
      .locator(".troubles li", { hasText: /rests \d+ s/ })
      .first()
      .waitFor();
    await page.goto(`${scene.weir.url}/dashboard#log`);
    await page.locator(".log .line", { hasText: "status=200" }).first().waitFor();
    const html = await page.content();
    expect(KEYS.filter((key) => html.includes(key))).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("agrees with the fake's ledger after a hundred calls of all kinds", async () => {
    const { fake, weir } = startMixedScene();
    await using _ = weir;
    await using opened = await openPage(browser, `${weir.url}/dashboard#keys`);
    const { page, faults } = opened;
    await page.getByText("5 keys").waitFor();
    const seen = await callMixed(weir, 100);
    await Promise.all([weir.idle(), fake.ledger.settled()]);
    const calls = fake.ledger.calls();
    const stat = (name: string) =>
      page
        .locator(".stat", { has: page.getByText(name, { exact: true }) })
        .locator(".stat-value")
        .textContent();
    for (const key of [...OPENAI_KEYS, ...ANTHROPIC_KEYS]) {
      const own = calls.filter((call) => call.key === key);
      const row = page.locator("tr.row", { hasText: `***${key.slice(-4)}` });
      await row.click();
      await page.locator("dialog.drawer dd", { hasText: new RegExp(`^${own.length}: `) }).waitFor();
      await page.keyboard.press("Escape");
    }
    await page.goto(`${weir.url}/dashboard#overview`);
    await page.waitForFunction(() => document.querySelector(".stat-value")?.textContent === "100");
    const retries = seen.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
    expect([await stat("Requests"), await stat("Retries")]).toEqual(["100", String(retries)]);
    await fake.stop();
    expect(faults).toEqual([]);
  });

  test("says who would serve a model, and why another key would not", async () => {
    await using scene = startScene("30s");
    await scene.chat(6);
    await using opened = await openPage(browser, `${scene.weir.url}/dashboard#explain`);
    const { page, faults } = opened;
    await page.getByLabel("Model", { exact: true }).fill("gpt-4o");
    await page.keyboard.press("Enter");
    await page.getByText("2 backends can serve it now").waitFor();
    expect(await page.locator("[aria-label=Candidates] tbody tr").count()).toBe(2);
    expect(
      await page.locator("[aria-label=Excluded] tbody tr", { hasText: /rests \d+ s: 429/ }).count(),
    ).toBe(1);
    expect(page.url()).toEndWith("#explain?model=gpt-4o");
    expect(faults).toEqual([]);
  });

  test("asks for the admin key first, once there is one", async () => {
    const key = "admin-key-0123456789";
    await using weir = startWeir({
      adminKey: key,
      providers: [{ name: "openai", urls: ["http://127.0.0.1:9"], keys: KEYS }],
    });
    await using opened = await openPage(browser, `${weir.url}/dashboard`);
    const { page, faults } = opened;
    expect(faults.filter((fault) => !fault.includes("401"))).toEqual([]);
    await page.locator("input[type=password]").fill(key);
    await page.keyboard.press("Enter");
    await page.locator(".link-live").waitFor();
    expect(await page.locator(".stat", { hasText: "Keys usable" }).locator(".stat-value").textContent()).toBe(
      "3/3",
    );
    expect(await page.content()).not.toContain(key);
    const other = await page.context().newPage();
    await other.goto(`${weir.url}/dashboard#keys`);
    await other.getByText("3 keys").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.locator("input[type=password]").waitFor();
    // What was open elsewhere in this browser is over, too.
    await other.locator("input[type=password]").waitFor();
    await page.goto(`${weir.url}/dashboard`);
    await page.locator("input[type=password]").waitFor();
    expect(faults.filter((fault) => !fault.includes("401"))).toEqual([]);
  });

  test("says that nothing is configured, rather than that all is well", async () => {
    await using weir = startWeir({ adminKey: "admin-key-0123456789", providers: [] });
    await using opened = await openPage(browser, `${weir.url}/dashboard`);
    const { page } = opened;
    await page.locator("input[type=password]").fill("admin-key-0123456789");
    await page.keyboard.press("Enter");
    await page.getByText("Not ready: no backend is configured.").waitFor();
    await page.getByText("No backend is configured yet.").waitFor();
    await page.getByText("There are no providers.").waitFor();
    expect(await page.getByText("can take requests").count()).toBe(0);
  });

  test("has no way out where there was no way in", async () => {
    await using scene = startScene("30s");
    await using opened = await openPage(browser, `${scene.weir.url}/dashboard`);
    await opened.page.locator(".link-live").waitFor();
    expect(await opened.page.getByRole("button", { name: "Log out" }).count()).toBe(0);
  });

  test("is in the binary, with all it needs", async () => {
    await using weir = await startBinary({
      env: { OPENAI_API_KEYS: KEYS.join(","), OPENAI_BASE_URL: "http://127.0.0.1:9" },
    });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends`);
    await opened.page.getByText("3 backends").waitFor();
    expect(opened.faults).toEqual([]);
  });
});

describe("the page", () => {
  test("keeps a thousand backends out of the document, and sorts and filters all of them", async () => {
    await using weir = startStandIn({ view: sampleView({ engines: 1000 }) });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    const { page, faults } = opened;
    await page.getByText("1008 backends").waitFor();
    expect(await rows(page).count()).toBeLessThan(80);
    expect((await names(page))[0]).toStartWith("gpu-10.0.0.0:");
    await page.getByRole("button", { name: "In flight" }).click();
    expect(page.url()).toContain("sort=-inFlight");
    expect(await rows(page).first().locator("td.col-inFlight").textContent()).toBe("8");
    await page.getByRole("button", { name: "In flight" }).click();
    expect(await rows(page).first().locator("td.col-inFlight").textContent()).toBe("0");
    await page.keyboard.press("/");
    await page.keyboard.type("10.0.3.2: qwen");
    await page.getByText("1 of 1008 backends").waitFor();
    expect(await rows(page).count()).toBe(1);
    await page.getByLabel("Filter backends").fill("");
    await page.getByRole("button", { name: /^down/ }).click();
    await page.waitForFunction(() => !document.querySelector("tr.row .state-usable"));
    expect(new Set(await page.locator("tr.row .state .words").allTextContents())).toEqual(
      new Set(["down: connection refused"]),
    );
    await page.reload();
    await page.waitForFunction(() => document.querySelector("tr.row .state-down"));
    expect(await page.getByRole("button", { name: /^down/ }).getAttribute("aria-pressed")).toBe("true");
    expect(faults).toEqual([]);
  });

  test("shows the end of a long table where it is scrolled to", async () => {
    await using weir = startStandIn({ view: sampleView({ engines: 1000, keys: 0 }) });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    await opened.page.getByText("1000 backends").waitFor();
    await opened.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await opened.page.locator("tr.row[aria-rowindex='1001']").waitFor();
    expect(await rows(opened.page).count()).toBeLessThan(80);
  });

  test("changes only what was pushed: rows stay the same elements", async () => {
    await using weir = startStandIn({ view: sampleView({ engines: 50 }) });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    const { page } = opened;
    await page.getByText("58 backends").waitFor();
    await rows(page)
      .first()
      .evaluate((row) => row.setAttribute("data-mine", "yes"));
    const { backends, ...rest } = weir.view();
    weir.push({ ...rest, backends: backends.map((row) => ({ ...row, sentPerMinute: 4321 })) });
    await page.waitForFunction(() => document.querySelector("td.col-sent")?.textContent === "4,321");
    expect(await rows(page).first().getAttribute("data-mine")).toBe("yes");
  });

  test("switches charts, ranges and lines, and keeps them in the address", async () => {
    await using weir = startStandIn({ view: sampleView({ engines: 30 }) });
    await using opened = await openPage(browser, `${weir.url}/charts`);
    const { page, faults } = opened;
    await page.locator(".big-chart canvas").waitFor();
    const legend = page.locator(".legend button");
    expect(await page.locator(".legend-name").allTextContents()).toEqual(["sent", "completed"]);
    for (const measure of [
      "Tokens / min",
      "In flight",
      "GPU cache",
      "First byte p50",
      "Errors / min",
      "Health",
    ]) {
      await page.getByRole("button", { name: measure, exact: true }).click();
      await page.locator(".chart-title", { hasText: measure }).waitFor();
    }
    await page.getByRole("button", { name: "By model" }).click();
    await page.getByRole("button", { name: "6 h" }).click();
    await page.locator(".chart-title", { hasText: "Health, 6 hours" }).waitFor();
    expect(page.url()).toContain("#charts?metric=health&by=model&range=6h");
    expect(await page.locator(".legend-name").allTextContents()).toContain(HOSTILE);
    await legend.first().click();
    expect(await legend.first().getAttribute("aria-pressed")).toBe("false");
    const box = await page.locator(".plot").boundingBox();
    await page.mouse.move((box?.x ?? 0) + 500, (box?.y ?? 0) + 100);
    await page.locator(".tooltip", { hasText: HOSTILE }).waitFor();
    await page.getByRole("button", { name: "By backend" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".legend button").length === 8);
    expect(await page.getByRole("button", { name: "6 h" }).isDisabled()).toBe(true);
    expect(await page.evaluate(() => "hacked" in window)).toBe(false);
    expect(faults).toEqual([]);
  });

  test("remembers the theme over the system's", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard`, { colorScheme: "dark" });
    const { page } = opened;
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe("rgb(14, 17, 21)");
    await page.getByLabel("Theme").selectOption("light");
    expect(await ground()).toBe("rgb(244, 245, 247)");
    await page.reload();
    expect(await ground()).toBe("rgb(244, 245, 247)");
    await page.getByLabel("Theme").selectOption("auto");
    expect(await ground()).toBe("rgb(14, 17, 21)");
  });

  test("says loudly that a reload was rejected, with every problem", async () => {
    const view = sampleView();
    await using weir = startStandIn({ view });
    await using opened = await openPage(browser, `${weir.url}/dashboard#log`);
    await opened.page.locator(".log").waitFor();
    const problems = [
      'cannot read weir.yaml:3:5: unknown key "provders"; did you mean "providers"?',
      HOSTILE,
    ];
    weir.push({ ...view, instance: { ...view.instance, reload: { atMs: Date.now(), ok: false, problems } } });
    const alert = opened.page.getByRole("alert").filter({ hasText: "Reload rejected" });
    await alert.waitFor();
    expect(await alert.locator("li").allTextContents()).toEqual(problems);
    weir.push({ ...view, instance: { ...view.instance, draining: true, ready: false } });
    await opened.page.getByText("Draining").waitFor();
    await alert.waitFor({ state: "detached" });
  });

  test("says that the connection is lost, and goes on when it is back", async () => {
    const view = sampleView();
    await using weir = startStandIn({ view });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends`);
    const { page } = opened;
    await page.getByText("14 backends").waitFor();
    weir.cut(true);
    await page.getByRole("alert").filter({ hasText: "Connection to weir lost" }).waitFor();
    expect(await rows(page).count()).toBe(14);
    weir.cut(false);
    weir.push({ ...view, backends: view.backends.slice(0, 5) });
    await page.getByText("5 backends").waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
  });

  test("leads to the login when access is over", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard#keys`);
    await opened.page.getByText("14 keys").waitFor();
    weir.lock();
    await opened.page.waitForFunction(() => document.title === "login");
    // Once there, it does not load itself again and again.
    const asked = weir.requests.length;
    await opened.page.waitForLoadState("networkidle");
    expect(weir.requests.length - asked).toBeLessThan(3);
  });

  test("does nothing while nobody sees it", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard`);
    const { page } = opened;
    const hide = (hidden: boolean): Promise<void> =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await page.locator(".stats").waitFor();
    await until(() => weir.readers() === 1, "the page reads");
    await hide(true);
    await until(() => weir.readers() === 0, "the hidden page reads no more");
    await hide(false);
    await until(() => weir.readers() === 1, "the page reads again");
    expect(opened.faults).toEqual([]);
  });

  test("works from the keyboard: a row opens, closes, and has the focus again", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    const { page } = opened;
    await page.getByText("14 backends").waitFor();
    const name = page.locator(".row-name").first();
    await name.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    expect(await dialog.locator("h2").textContent()).toBe(await name.textContent());
    expect(await seriousFlaws(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await name.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(page.url()).not.toContain("open=");
  });

  test("opens another row while the facts of the one before are closing", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    const { page, faults } = opened;
    await page.locator(".row-name").first().click();
    await page.getByRole("dialog").waitFor();
    const other = await page.locator(".row-name").nth(1).textContent();
    await page.evaluate(() => {
      document.querySelector("dialog")?.close();
      document.querySelectorAll<HTMLElement>(".row-name")[1]?.click();
    });
    await page
      .getByRole("dialog")
      .filter({ hasText: other ?? "no other" })
      .waitFor();
    // Two frames are enough for the word that the first has closed.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await page.getByRole("dialog").locator("h2").textContent()).toBe(other);
    expect(faults).toEqual([]);
  });

  test("goes where it is told, also while a row's facts are closing", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard#backends?sort=name`);
    const { page, faults } = opened;
    await page.locator(".row-name").first().click();
    await page.getByRole("dialog").waitFor();
    // A dialog tells that it closed a moment later; by then the address is another.
    await page.evaluate(() => {
      document.querySelector("dialog")?.close();
      location.hash = "#overview";
    });
    await page.locator(".stats").waitFor();
    expect(page.url()).toEndWith("#overview");
    expect(faults).toEqual([]);
  });

  test("shows a phone what needs attention before the charts", async () => {
    await using weir = startStandIn({ view: sampleView() });
    await using opened = await openPage(browser, `${weir.url}/dashboard`, { width: 390, height: 844 });
    const { page } = opened;
    const titles = page.locator("main h2, main .chart-title");
    await page.locator(".small-charts").waitFor();
    expect(await titles.first().textContent()).toStartWith("Needs attention");
    expect(await page.getByText("Needs attention").count()).toBe(1);
  });

  for (const [device, width, height] of [
    ["desk", 1440, 900],
    ["phone", 390, 844],
  ] as const)
    for (const colorScheme of ["light", "dark"] as const)
      test(`fits a ${device} in ${colorScheme}, and axe finds nothing serious`, async () => {
        await using weir = startStandIn({ view: sampleView({ engines: 60 }) });
        await using opened = await openPage(browser, `${weir.url}/dashboard`, { width, height, colorScheme });
        const { page, faults } = opened;
        for (const tab of TABS) {
          await page.goto(`${weir.url}/dashboard#${tab}`);
          await page.locator("main > :not(.none)").first().waitFor();
          const beyond = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect({ tab, beyond, flaws: await seriousFlaws(page) }).toEqual({ tab, beyond: 0, flaws: [] });
        }
        expect(faults).toEqual([]);
      });
});
