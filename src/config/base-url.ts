// Where a provider's requests go: base URLs as users write them, taken apart and checked.
import { maskSecret, Secret } from "../core/credential.ts";
import { type Notes, quoted } from "./problem.ts";
import { splitList } from "./readers.ts";
import type { Variable } from "./variables.ts";
import { splitWeight } from "./weighted.ts";

export interface Address {
  readonly origin: string;
  /** Without slash at the end; empty: the provider's own. */
  readonly path: string;
  readonly weight: number;
  /** Name of the variable that says so; absent for the provider's own address. */
  readonly variable?: string;
}

/** Each address once, at its first place; what is wrong goes to the notes. */
export function readBaseUrls({ name, text, where }: Variable, notes: Notes): Address[] {
  return splitList(text).flatMap((part) => {
    const split = splitWeight(part);
    const read =
      split === undefined ? flaw("a weight of 0 or more after the star", part) : readBaseUrl(split.item);
    if (read.kind === "flaw") {
      notes.problems.push({ kind: "configuration", where, expected: read.expected, found: read.found });
      return [];
    }
    return [{ origin: read.origin, path: read.path, weight: split?.weight ?? 1, variable: name }];
  });
}

type BaseUrl =
  | { readonly kind: "base"; readonly origin: string; readonly path: string }
  | { readonly kind: "flaw"; readonly expected: string; readonly found: string };

const flaw = (expected: string, text: string): BaseUrl => ({ kind: "flaw", expected, found: showUrl(text) });

/** Operations that some users paste along; weir adds them itself. */
const OPERATION = /\/(chat\/completions|messages)$/;

function readBaseUrl(text: string): BaseUrl {
  const url = /\s/.test(text) || !URL.canParse(text) ? undefined : new URL(text);
  if (url === undefined && /^https?:\/\//i.test(text))
    return flaw("a host after http:// or https://, and a port up to 65535 if any", text);
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    return flaw("a URL that begins with http:// or https://", text);
  if (url.username !== "" || url.password !== "") return flaw("a URL without user and password", text);
  if (/[?#]/.test(text)) return flaw("a URL without query and fragment", text);
  const path = url.pathname.replace(/\/+$/, "");
  if (OPERATION.test(path))
    return flaw(`the base, without ${OPERATION.exec(path)?.[0] ?? "operation"}, which weir adds`, text);
  return { kind: "base", origin: url.origin, path };
}

const LIKE_AN_ADDRESS = /^[\w.-]{1,19}:\d{1,5}(\/|$)|^localhost(\/|$)|^\d{1,3}(\.\d{1,3}){3}(\/|$)/;

/** Never user, password, query or fragment, nor what might be a key that went astray. */
function showUrl(text: string): string {
  const [, scheme, authority = "", path = ""] = /^(https?:\/\/)([^/?#]*)([^?#]*)/i.exec(text) ?? [];
  if (scheme !== undefined)
    return authority.includes("@") ? `"${scheme}***"` : quoted(scheme + authority + path);
  return LIKE_AN_ADDRESS.test(text) && !/[@?#]/.test(text) ? quoted(text) : maskSecret(new Secret(text));
}
