// `GET /api/log`: the last lines of the log, oldest first.
import type { Page } from "../../core/page.ts";
import type { LogLine } from "../../core/status.ts";
import { queryOf, refuseQuery } from "./query.ts";

/** `?after=seq` gives only newer ones; `?level=warn` that and worse. */
export function logPage(recentLines: () => readonly LogLine[]): Page {
  return {
    method: "GET",
    path: "/api/log",
    respond(request) {
      const query = queryOf(request);
      const after = Number(query.get("after") ?? 0);
      if (!Number.isSafeInteger(after) || after < 0)
        return refuseQuery(`cannot read after: expected a line's number, found "${query.get("after")}"`);
      const level = query.get("level") ?? "debug";
      const least = LEVELS.indexOf(level);
      if (least < 0) return refuseQuery(`cannot read level: expected ${LEVELS.join(", ")}, found "${level}"`);
      const lines = recentLines().filter((line) => line.seq > after && LEVELS.indexOf(line.level) >= least);
      return Response.json({ lines });
    },
  };
}

const LEVELS: readonly string[] = ["debug", "info", "warn", "error"];
