// Reads server-sent events out of text as it comes in pieces.

export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** A view of 10,000 backends is about 15 million characters; an event without an end must not fill the memory. */
const LONGEST = 64 * 1024 * 1024;

/** Returns the events that are whole after each piece; comments and fields of no use are left out. */
export function createEventReader(): (piece: string) => readonly ServerEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];
  return (piece) => {
    const events: ServerEvent[] = [];
    const lines = piece.split("\n");
    lines[0] = rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    if (rest.length + data.reduce((sum, { length }) => sum + length, 0) > LONGEST)
      throw new RangeError(`an event is longer than ${LONGEST} characters`);
    for (const each of lines) {
      const line = each.endsWith("\r") ? each.slice(0, -1) : each;
      if (line === "") {
        if (data.length > 0) events.push({ name, data: data.join("\n") });
        name = "";
        data = [];
      } else if (line.startsWith("event:")) name = line.slice("event:".length).trimStart();
      else if (line.startsWith("data:")) data.push(line.slice("data:".length).replace(/^ /, ""));
    }
    return events;
  };
}
