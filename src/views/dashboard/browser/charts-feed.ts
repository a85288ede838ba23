// Loads the past of some lines once, and lets them grow with each pushed view.
import { useEffect, useRef, useState } from "preact/hooks";
import type { StatusView } from "../../../core/status.ts";
import {
  addSample,
  type Courses,
  type HistoryAnswer,
  type Line,
  type Range,
  readCourses,
} from "./model/courses.ts";
import { leaveIfDenied } from "./live.ts";

interface Feed {
  readonly courses: Courses;
  readonly lines: readonly Line[];
  readonly range: Range;
  readonly stepMs: number;
}

export type CoursesNow =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "loaded"; readonly courses: Courses };

/** `lines` must stay the same list while they are the same lines. `epoch` changes after each reconnect. */
export function useCourses(
  view: StatusView,
  { lines, range, epoch }: { readonly lines: readonly Line[]; readonly range: Range; readonly epoch: number },
): CoursesNow {
  const [failure, setFailure] = useState<string>();
  const [, redraw] = useState(0);
  const feed = useRef<Feed | undefined>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    void loadHistory(lines, range, leaving.signal).then((loaded) => {
      if (leaving.signal.aborted) return;
      if ("message" in loaded) setFailure(loaded.message);
      else {
        feed.current = { courses: readCourses(loaded, lines), lines, range, stepMs: loaded.stepMs };
        setFailure(undefined);
        redraw((count) => count + 1);
      }
    });
    return () => leaving.abort();
  }, [lines, range, epoch]);
  const current = feed.current;
  if (current === undefined || current.lines !== lines || current.range !== range)
    return failure === undefined ? { kind: "loading" } : { kind: "failed", message: failure };
  const courses = addSample(current.courses, view, current);
  if (courses !== current.courses) feed.current = { ...current, courses };
  return { kind: "loaded", courses };
}

async function loadHistory(
  lines: readonly Line[],
  range: Range,
  signal: AbortSignal,
): Promise<HistoryAnswer | { readonly message: string }> {
  const backends = lines.flatMap(({ group, name }) => (group === "backend" ? [name] : []));
  const query = new URLSearchParams({ range, backends: [...new Set(backends)].join(",") });
  try {
    const response = await fetch(`api/history?${query.toString()}`, { signal });
    if (response.ok) return (await response.json()) as HistoryAnswer;
    void leaveIfDenied();
    return { message: `cannot load the history: weir answered ${response.status}` };
  } catch (error) {
    return { message: `cannot load the history: ${String(error)}` };
  }
}
