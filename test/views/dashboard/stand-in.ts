// Stands in for weir behind the page: a made-up pool of any size, whose state the test sets, pushed as weir pushes it.
import type { Explanation } from "../../../src/core/explain.ts";
import type { Page } from "../../../src/core/page.ts";
import { MEASURES } from "../../../src/core/series.ts";
import { diffStatus } from "../../../src/core/status-change.ts";
import type { FailureStatus, LogLine, StatusView } from "../../../src/core/status.ts";
import { DASHBOARD_PAGES, DASHBOARD_ROOT_PAGES } from "../../../src/views/dashboard/pages.ts";

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly view: () => StatusView;
  /** Shows another view to all that look. */
  readonly push: (next: StatusView) => void;
  readonly fail: (failure: FailureStatus) => void;
  readonly say: (line: LogLine) => void;
  /** Readers of the stream. */
  readonly readers: () => number;
  /** Ends all streams, and refuses new ones while true. */
  readonly cut: (isDown: boolean) => void;
  /** From now on everything needs a login. */
  readonly lock: () => void;
  readonly requests: readonly string[];
}

export interface StandInTerms {
  readonly view: StatusView;
  readonly explain?: (model: string) => Explanation;
  readonly log?: readonly LogLine[];
}

export function startStandIn({ view: first, explain, log = [] }: StandInTerms): StandIn {
  let view = first;
  let isDown = false;
  let isLocked = false;
  const lines = [...log];
  const streams = new Set<ReadableStreamDefaultController<string>>();
  const requests: string[] = [];
  const pages = new Map([...DASHBOARD_PAGES, ...DASHBOARD_ROOT_PAGES].map((page) => [page.path, page]));
  const text = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const send = (name: string, data: unknown): void => {
    for (const stream of streams) stream.enqueue(text(name, data));
  };

  const events = (): Response => {
    let own: ReadableStreamDefaultController<string> | undefined;
    const body = new ReadableStream<string>({
      start(controller) {
        own = controller;
        streams.add(controller);
        controller.enqueue(text("status", { kind: "whole", view }));
      },
      cancel() {
        if (own !== undefined) streams.delete(own);
      },
    }).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };

  const respond = (request: Request): Response | Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    requests.push(pathname);
    if (isLocked)
      return new Response("<title>login</title>log in", {
        status: 401,
        headers: { "content-type": "text/html" },
      });
    if (pathname.startsWith("/api/") && isDown) return new Response("gone", { status: 503 });
    if (pathname === "/api/events") return events();
    if (pathname === "/api/history") return Response.json(historyOf(view, searchParams));
    if (pathname === "/api/log") return Response.json({ lines });
    if (pathname === "/api/explain" && explain !== undefined)
      return Response.json(explain(searchParams.get("model") ?? ""));
    const page: Page | undefined =
      pages.get(pathname) ?? (pathname.startsWith("/dashboard/") ? pages.get("/dashboard/*") : undefined);
    return page?.respond(request, undefined) ?? new Response("not found", { status: 404 });
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    idleTimeout: 0,
    fetch: respond,
  });

  return {
    url: `http://127.0.0.1:${server.port}`,
    view: () => view,
    push(next) {
      const message = diffStatus(view, next);
      view = next;
      send("status", message);
    },
    fail: (failure) => send("failure", failure),
    say(line) {
      lines.push(line);
      send("log", line);
    },
    readers: () => streams.size,
    cut(down) {
      isDown = down;
      for (const stream of streams) stream.close();
      streams.clear();
    },
    lock() {
      isLocked = true;
      for (const stream of streams) stream.close();
      streams.clear();
    },
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Of requests a minute. */
const SCALE: Readonly<Record<string, number>> = {
  tokensPerMinute: 480,
  cacheShare: 0.001,
  inFlight: 0.05,
  pending: 0.02,
  running: 0.15,
  waiting: 0.01,
  failedPerMinute: 0.01,
  firstByteP50Ms: 0.6,
  usable: 0.05,
  total: 0.05,
};

/** Waves of different height, so that lines can be told apart. */
function historyOf(view: StatusView, query: URLSearchParams): object {
  const stepMs = query.get("range") === "6h" ? 10_000 : 1000;
  const count = query.get("range") === "6h" ? 2160 : 600;
  const atMs = Array.from({ length: count }, (_, at) => view.instance.atMs - (count - at) * stepMs);
  const columns = (seed: number, height: number) =>
    Object.fromEntries(
      MEASURES.map((measure, index) => [
        measure,
        atMs.map((_, at) => {
          const wave = 0.6 + 0.3 * Math.sin(at / (30 + index * 5) + seed) + 0.1 * Math.sin(at * 1.7 + seed);
          return Math.round(height * (SCALE[measure] ?? 1) * wave * 100) / 100;
        }),
      ]),
    );
  const wanted = new Set(query.get("backends")?.split(","));
  return {
    stepMs,
    atMs,
    totals: columns(0, 900),
    models: Object.fromEntries(view.models.map(({ name }, at) => [name, columns(at, 300 / (at + 1))])),
    backends: Object.fromEntries(
      view.backends.flatMap(({ id }, at) => (wanted.has(id) ? [[id, columns(at, 80 / (at + 1))]] : [])),
    ),
  };
}
