// Cuts a stream of server-sent events into the texts of their data fields; names of events stand in the data as well, in
// all the families that are measured. Holds no more than one unfinished line.

export interface EventSplitter {
  /** The data of every event that is complete with this piece. */
  readonly push: (text: string, take: (data: string) => void) => void;
  /** An event that no empty line ended; providers may close right after their last one. */
  readonly close: (take: (data: string) => void) => void;
}

export function createEventSplitter(): EventSplitter {
  let kept = "";
  let data: string | undefined;

  const takeLine = (line: string, take: (data: string) => void): void => {
    if (line === "") {
      if (data !== undefined) take(data);
      data = undefined;
    } else if (line.startsWith("data:")) {
      const value = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
    }
  };

  return {
    push(pushed, take) {
      const text = kept === "" ? pushed : kept + pushed;
      let at = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
        takeLine(text.slice(at, text.charCodeAt(end - 1) === 0x0d && end > at ? end - 1 : end), take);
        at = end + 1;
      }
      kept = text.slice(at);
    },
    close(take) {
      if (kept !== "") takeLine(kept, take);
      kept = "";
      takeLine("", take);
    },
  };
}
