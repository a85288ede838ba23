// What the keys do, as the screen shows it.

export const HELP_LINES: readonly string[] = [
  " 1-7 Tab Shift-Tab   views, from the overview to the log",
  " Up Down j k         choose a row; PgUp PgDn Home End g G: further",
  " Enter               all that is known of the row; Esc closes",
  " s > Right, < Left   sort by the next or the previous column; S r: turn round",
  " /                   filter: all words must be found, -word must not; Esc clears",
  " p Space             pause, and go on",
  " q Ctrl-C            quit; Ctrl-Z suspends",
  "",
  " usable    can take a request now      untried   the same, but not used yet",
  " limited   at one of its limits        resting   after a limit or failures",
  " down      probes or failures say so   drained   weight 0, gets nothing new",
  "",
  " Now: in flight. Sent/m Done/m Tok/m: in the last 60 s.",
  " OK: of those that succeeded or failed. p50 p95: to the first byte, in 5 min.",
  " (+3) beside a title: rows of it for which there is no room.",
  " Run Wait Cache: what the engine says of itself. Wt Pri: weight, priority.",
];
