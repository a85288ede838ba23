// Headers that a provider gets with every request, in the own format.
import type { Secret } from "../core/credential.ts";
import { headerValue } from "./header-value.ts";
import { leaf } from "./leaf.ts";
import type { Reader } from "./readers.ts";
import { shownKey } from "./report.ts";
import { mapped, namedRows, type Shape } from "./shape.ts";

/** RFC 9110 sections 5.1 and 5.5: a token, and visible characters with blanks between them. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;

/** What the connection itself says, RFC 9110 section 7.6.1, and what the body's length says. */
const REFUSED: ReadonlySet<string> = new Set(
  "connection content-length host keep-alive proxy-connection te trailer transfer-encoding upgrade".split(
    " ",
  ),
);

const plainLine: Reader<string> = (text) =>
  VALUE.test(text)
    ? { kind: "value", value: text }
    : { kind: "unread", expected: "one line of plain characters (Latin-1)" };

/** Names in lower case. */
export const headersShape: Shape<Readonly<Record<string, string | Secret>>> = mapped(
  namedRows(leaf(plainLine, { isSecret: true }), "headers"),
  (rows, _, report) => {
    const headers = new Map<string, string | Secret>();
    for (const [entry, text] of rows) {
      const name = entry.key.toLowerCase();
      if (!NAME.test(name)) report.tell(entry.keyAt, "the name of a header", shownKey(entry));
      else if (REFUSED.has(name))
        report.tell(entry.keyAt, "a header that is not the connection's own", shownKey(entry));
      else if (headers.has(name))
        report.tell(entry.keyAt, "every header once (case does not matter)", shownKey(entry));
      else headers.set(name, headerValue(name, text));
    }
    return Object.fromEntries(headers);
  },
);
