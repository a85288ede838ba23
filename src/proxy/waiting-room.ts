// Where requests wait, in order, for a slot of a route whose keys are all limited; off unless configured.

export interface WaitingRoom {
  /** True when somebody waits for the route: newcomers stand in line. */
  readonly hasLine: (route: string) => boolean;
  /** A place at the end of the line; undefined when all places are taken. */
  readonly enter: (route: string) => Place | undefined;
  /** Something was given back: the first in every line looks again. */
  readonly wake: () => void;
  readonly waiting: number;
}

export interface Place {
  readonly isFirst: () => boolean;
  /** Resolves after `waitMs`, when the signal ends the request, or when it may be this one's turn. */
  readonly turn: (waitMs: number, signal: AbortSignal) => Promise<void>;
  readonly leave: () => void;
}

export function createWaitingRoom(maxSize: () => number): WaitingRoom {
  const lines = new Map<string, { look: () => void }[]>();
  let waiting = 0;

  const lookFirst = (route: string): void => lines.get(route)?.[0]?.look();
  return {
    get waiting() {
      return waiting;
    },
    hasLine: (route) => lines.has(route),
    enter(route) {
      if (waiting >= maxSize()) return undefined;
      waiting += 1;
      const line = lines.get(route) ?? [];
      lines.set(route, line);
      const place = { look: doNothing };
      line.push(place);
      return {
        isFirst: () => line[0] === place,
        turn: (waitMs, signal) =>
          new Promise((resolve) => {
            const finish = () => {
              clearTimeout(timer);
              signal.removeEventListener("abort", finish);
              place.look = doNothing;
              resolve();
            };
            const timer = setTimeout(finish, Math.max(1, Math.ceil(waitMs)));
            signal.addEventListener("abort", finish, { once: true });
            place.look = finish;
            if (signal.aborted) finish();
          }),
        leave() {
          const at = line.indexOf(place);
          if (at < 0) return;
          waiting -= 1;
          line.splice(at, 1);
          if (line.length === 0) lines.delete(route);
          else lookFirst(route);
        },
      };
    },
    wake() {
      for (const route of lines.keys()) lookFirst(route);
    },
  };
}

function doNothing(): void {}
