// What every section of the page is given.
import type { LogLine, StatusView } from "../../../../core/status.ts";
import type { Navigation } from "../hooks.ts";

export interface TabProps {
  readonly view: StatusView;
  readonly log: readonly LogLine[];
  /** Weir's clock, to the second. */
  readonly nowMs: number;
  /** Goes up with each new connection: what was loaded before has a gap. */
  readonly epoch: number;
  readonly navigation: Navigation;
}
