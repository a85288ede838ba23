// `/health` and its kin: alive is always yes, ready depends on the pool.
import type { Page } from "../core/page.ts";
import type { Readiness } from "./readiness.ts";

const LIVE = ["/health", "/health/live", "/health/liveliness"];
const READY = ["/health/ready", "/health/readiness"];

/** `reloadProblems`: why the last reload was rejected; empty when it was not. */
export function healthPages(
  readiness: () => Readiness,
  reloadProblems: () => readonly string[],
): readonly Page[] {
  const respond = (): Response => {
    const { ready, reason, usable, backends } = readiness();
    const problems = reloadProblems();
    const body = {
      status: ready ? "ok" : "unavailable",
      ...(reason === undefined ? {} : { reason }),
      usable,
      backends,
      ...(problems.length === 0 ? {} : { reload_rejected: problems }),
    };
    return Response.json(body, { status: ready ? 200 : 503 });
  };
  return [
    ...LIVE.map((path): Page => ({ method: "GET", path, access: "open", respond: sayAlive })),
    ...READY.map((path): Page => ({ method: "GET", path, access: "open", respond })),
  ];
}

const sayAlive = (): Response => Response.json({ status: "ok" });
