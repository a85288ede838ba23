import { describe, expect, test } from "bun:test";
import { MEASURES } from "../../../src/core/series.ts";
import type { StatusView } from "../../../src/core/status.ts";
import {
  chooseLines,
  METRICS,
  MOST_LINES,
  readChartChoice,
} from "../../../src/views/dashboard/browser/model/chart-menu.ts";
import {
  addSample,
  type HistoryAnswer,
  type Line,
  readCourses,
} from "../../../src/views/dashboard/browser/model/courses.ts";
import { createHistory } from "../../../src/core/history.ts";
import { noteLoad } from "../../../src/core/measures.ts";
import { nextSnapshot, withModels } from "../../../src/core/pool.ts";
import { makeBackend, makeSpec } from "../../support/slots.ts";
import { finishAttempt, namesOf, requestEnd, startAttempt, tallyOf, viewOf } from "../../support/views.ts";
import { sampleView } from "./sample-view.ts";

const at = (view: StatusView, atMs: number): StatusView => ({
  ...view,
  instance: { ...view.instance, atMs },
});

const HISTORY: HistoryAnswer = {
  stepMs: 1000,
  atMs: [1000, 2000],
  totals: { inFlight: [1, 2] },
  models: { "gpt-4o": { sentPerMinute: [10, null] } },
  backends: {},
};

const LINES: readonly Line[] = [
  { group: "total", name: "", measure: "inFlight" },
  { group: "model", name: "gpt-4o", measure: "sentPerMinute" },
  { group: "backend", name: "gone", measure: "inFlight" },
];

describe("courses", () => {
  test("are read by line, with gaps for what is not known", () => {
    expect(readCourses(HISTORY, LINES)).toEqual({
      times: [1, 2],
      values: [
        [1, 2],
        [10, null],
        [null, null],
      ],
    });
  });

  test("do not find names that every object has", () => {
    expect(
      readCourses(HISTORY, [{ group: "model", name: "constructor", measure: "inFlight" }]).values,
    ).toEqual([[null, null]]);
  });

  test("grow by one sample with each view that is due", () => {
    const courses = readCourses(HISTORY, LINES);
    const view = sampleView();
    const plan = { lines: LINES, range: "10m", stepMs: 1000 } as const;
    expect(addSample(courses, at(view, 2500), plan)).toBe(courses);
    const grown = addSample(courses, at(view, 2950), plan);
    expect(grown.times).toEqual([1, 2, 2.95]);
    expect(grown.values.map((column) => column.at(-1))).toEqual([
      view.providers.reduce((sum, { inFlight }) => sum + inFlight, 0),
      view.models[0]?.sentPerMinute ?? null,
      null,
    ]);
    expect(courses.times).toEqual([1, 2]);
  });

  test("keep their length however long the page is open", () => {
    const plan = { lines: LINES, range: "10m", stepMs: 1000 } as const;
    let courses = readCourses({ ...HISTORY, atMs: [], totals: {}, models: {} }, LINES);
    const view = sampleView();
    for (let second = 1; second <= 2000; second += 1)
      courses = addSample(courses, at(view, second * 1000), plan);
    expect([courses.times.length, ...courses.values.map((column) => column.length)]).toEqual([
      600, 600, 600, 600,
    ]);
    expect([courses.times[0], courses.times.at(-1)]).toEqual([1401, 2000]);
  });

  test("go on when weir's clock is set back, without what was told of the time after", () => {
    const plan = { lines: LINES, range: "10m", stepMs: 1000 } as const;
    let courses = readCourses(HISTORY, LINES);
    const view = sampleView();
    for (const atMs of [3000, 3_600_000, 2500, 3500]) courses = addSample(courses, at(view, atMs), plan);
    expect(courses.times).toEqual([1, 2, 3.5]);
    expect(courses.values.map((column) => column.length)).toEqual([3, 3, 3]);
  });

  test("keep what was loaded a moment ahead of the view", () => {
    const plan = { lines: LINES, range: "10m", stepMs: 1000 } as const;
    const courses = readCourses({ ...HISTORY, atMs: [4000, 5000] }, LINES);
    expect(addSample(courses, at(sampleView(), 3500), plan)).toBe(courses);
  });

  test("take each measure of engines, models and the whole from the view", () => {
    const view = sampleView({ engines: 2, keys: 1 });
    const engine = view.backends.find(({ kind }) => kind === "engine");
    const sample = (line: Line): number | null | undefined =>
      addSample({ times: [], values: [[]] }, view, { lines: [line], range: "10m", stepMs: 1000 })
        .values[0]?.[0];
    const of = (group: Line["group"], name: string) => (measure: Line["measure"]) =>
      sample({ group, name, measure });
    expect(
      (["running", "waiting", "cacheShare", "usable", "total", "firstByteP50Ms"] as const).map(
        of("backend", engine?.id ?? ""),
      ),
    ).toEqual([
      engine?.engine?.running,
      engine?.engine?.waiting,
      engine?.engine?.cacheShare,
      1,
      1,
      engine?.firstByte.p50Ms,
    ]);
    expect((["running", "cacheShare", "usable"] as const).map(of("model", "gpt-4o"))).toEqual([
      null,
      null,
      1,
    ]);
    expect(
      (["running", "waiting", "usable", "total", "firstByteP50Ms"] as const).map(of("total", "")),
    ).toEqual([112, 9, 3, 3, 420]);
    expect(of("total", "")("cacheShare")).toBeCloseTo(0.085);
    expect(of("backend", "gone")("inFlight")).toBeNull();
  });
});

describe("what a view adds to weir's own history", () => {
  /** Keys behind a route, engines that serve different models, retries, and requests slower than their attempts. */
  function scene() {
    const engine = (id: string) => makeBackend(id, { kind: "engine", origin: `http://${id}` });
    const spec = makeSpec({
      p: { backends: [makeBackend("a"), makeBackend("b")] },
      gpu: { kind: "engine", backends: [engine("e1"), engine("e2")] },
    });
    const listed = new Map([
      ["e1", ["small"]],
      ["e2", ["small", "large"]],
    ]);
    const routed = { ...spec, routes: [{ name: "chat", backendIds: ["a", "e1"], strategy: "least-used" }] };
    const snapshot = withModels(nextSnapshot(undefined, routed), listed);
    for (const [at, { backend, state }] of snapshot.slots.entries())
      if (backend.kind === "engine")
        noteLoad(state.measures, { running: at, waiting: 1, cacheShare: at / 8, atMs: 0, intervalMs: 3000 });
    const tally = tallyOf();
    const used = [
      ["a", "p", "chat"],
      ["e2", "gpu", "large"],
      ["e1", "gpu", "small"],
    ] as const;
    for (const [backend, provider, label] of used) {
      const names = namesOf(backend, { provider, label });
      startAttempt(tally, names, 100);
      finishAttempt(tally, names, { firstByteMs: 40, usage: { inputTokens: 3, outputTokens: 4 } }, 200);
      tally.take(requestEnd({ backend, firstByteMs: 900 }), 200);
      startAttempt(tally, names, 300);
    }
    return { snapshot, tally };
  }

  const { snapshot, tally } = scene();
  const history = createHistory(tally);
  history.tick(snapshot, 1000);
  const view = viewOf(snapshot, tally, 1000);
  const groups = {
    total: new Map([["", history.totals]]),
    model: history.models,
    backend: history.backends,
  } as const;

  for (const { title, measures } of METRICS)
    test(`are the same figures: ${title}`, () => {
      for (const group of ["total", "model", "backend"] as const)
        for (const { measure } of group === "total" ? measures : measures.slice(0, 1))
          for (const [name, { fine }] of groups[group]) {
            const empty = { times: [], values: [[]] };
            const plan = { lines: [{ group, name, measure }], range: "10m", stepMs: 1000 } as const;
            const value = addSample(empty, view, plan).values[0]?.[0] ?? Number.NaN;
            expect([group, name, measure, Math.fround(value)]).toEqual([
              group,
              name,
              measure,
              fine.read(0, measure),
            ]);
          }
    });

  test("cover models with engines and without", () => {
    expect([...history.models.keys()].toSorted()).toEqual(["chat", "large", "small"]);
    const read = (name: string) => history.models.get(name)?.fine.read(0, "total");
    expect(["chat", "large", "small"].map(read)).toEqual([2, 1, 2]);
  });
});

describe("a chart", () => {
  test("offers only measures that weir keeps", () => {
    for (const { measures } of METRICS) {
      expect(measures.every(({ measure }) => MEASURES.includes(measure))).toBe(true);
      expect(measures.length).toBeGreaterThan(0);
    }
  });

  test("is of the whole and of ten minutes when the address says nothing that is known", () => {
    expect(readChartChoice({})).toMatchObject({ group: "total", range: "10m", metric: { id: "rpm" } });
    expect(readChartChoice({ by: "x", metric: "y", range: "z" })).toMatchObject({
      group: "total",
      range: "10m",
      metric: { id: "rpm" },
    });
  });

  test("of backends has no long range", () => {
    expect(readChartChoice({ by: "backend", range: "6h" }).range).toBe("10m");
    expect(readChartChoice({ by: "model", range: "6h" }).range).toBe("6h");
  });

  test("shows the busiest of many, or those that the filter finds", () => {
    const view = sampleView({ engines: 100 });
    const busiest = Math.max(...view.backends.map(({ sentPerMinute }) => sentPerMinute));
    const lines = chooseLines(view, readChartChoice({ by: "backend", metric: "inflight" }));
    expect(lines).toHaveLength(MOST_LINES);
    expect(lines[0]?.measure).toBe("inFlight");
    expect(view.backends.find(({ id }) => id === lines[0]?.name)?.sentPerMinute).toBe(busiest);
    const found = chooseLines(view, readChartChoice({ by: "backend", q: "10.0.0.7:" }));
    expect(found.map(({ name }) => name)).toEqual([
      view.backends.find(({ id }) => id.includes("10.0.0.7:"))?.id ?? "",
    ]);
  });
});
