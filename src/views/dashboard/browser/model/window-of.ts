// Which rows of a long table are near the screen: only those are in the document.

export interface Extent {
  readonly rows: number;
  readonly rowPixels: number;
  /** Of the table's first row, relative to the top of the screen; negative once it is scrolled away. */
  readonly topPixels: number;
  readonly screenPixels: number;
}

/** `from` up to, but not including, `to`. */
export interface RowWindow {
  readonly from: number;
  readonly to: number;
}

/** Rows beyond the screen, so that a quick scroll meets none missing. */
const SPARE_ROWS = 6;

export function windowOf({ rows, rowPixels, topPixels, screenPixels }: Extent): RowWindow {
  if (rowPixels <= 0) return { from: 0, to: Math.min(rows, 50) };
  const first = Math.floor(-topPixels / rowPixels) - SPARE_ROWS;
  const last = Math.ceil((screenPixels - topPixels) / rowPixels) + SPARE_ROWS;
  // Even steps, so that striped and hovered rows do not move while scrolling.
  const from = Math.min(Math.max(0, first - (first % 2)), rows);
  return { from, to: Math.max(from, Math.min(rows, last)) };
}
