// Entries to lines, for people or for programs. Nothing in a value can end a line, hide or reorder it, or move a cursor.
import type { Entry } from "./entry.ts";

/** What JSON leaves as it is and a terminal acts upon: delete, C1 controls, invisible and reordering characters. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const visible = (json: string): string =>
  json.replaceAll(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** One line of JSON; the escapes of `visible` are JSON's own. */
export function jsonOf(fields: Readonly<Record<string, unknown>>): string {
  return `${visible(JSON.stringify(fields))}\n`;
}

export function jsonLine({ level, message, fields }: Entry, atMs: number): string {
  return jsonOf({ time: new Date(atMs).toISOString(), level, message, ...fields });
}

/** Values that are not plain words are quoted, with escapes. */
export function textLine({ level, message, fields }: Entry, atMs: number): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  let line = `${time} ${level.padEnd(5)} ${message}`;
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) line += ` ${name}=${typeof value === "number" ? value : quoted(value)}`;
  }
  return `${line}\n`;
}

const quoted = (value: string): string =>
  /^[\w.:/@*+-]*$/.test(value) ? value : visible(JSON.stringify(value));
