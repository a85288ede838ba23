// Reads which nodes are meant: names with commas between, user@host, and Slurm's bracketed lists (`node[01-03,07],gpu-a`),
// which are expanded here, so that no Slurm is needed.

export type ReadHosts =
  | { readonly kind: "hosts"; readonly hosts: readonly string[] }
  | { readonly kind: "flaw"; readonly expected: string; readonly found: string };

/** A list such as `n[1-99999999]` is a slip of the finger, not a cluster. */
const MOST_HOSTS = 4096;

/** What ssh may be given: never an option, never a word that a shell reads as more than a word. */
const HOST = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_:][\w.:%-]*$/;

/** Each node once, in the order given. A port at the end is dropped: lists such as `10.0.0.1:8` name slots there. */
export function readHosts(text: string): ReadHosts {
  const hosts = new Set<string>();
  for (const part of splitOutsideBrackets(text)) {
    const expanded = expandBrackets(part);
    if (expanded.kind === "flaw") return expanded;
    for (const written of expanded.hosts) {
      const host = withoutPort(written);
      if (!HOST.test(host)) return flaw("the name or address of a host, or user@host", written);
      hosts.add(host);
      if (hosts.size > MOST_HOSTS) return flaw(`at most ${MOST_HOSTS} hosts`, part);
    }
  }
  return { kind: "hosts", hosts: [...hosts] };
}

const flaw = (expected: string, found: string): ReadHosts => ({ kind: "flaw", expected, found });

/** At commas and blanks, but not at the commas of a bracket. */
function splitOutsideBrackets(text: string): readonly string[] {
  const parts: string[] = [];
  let [part, depth] = ["", 0];
  for (const char of text) {
    if (char === "[") depth += 1;
    else if (char === "]") depth -= 1;
    if (depth <= 0 && /[\s,]/.test(char)) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part].filter((each) => each !== "");
}

/**
 * `rack[1-2]n[08-10]` is six hosts; the first bracket turns slowest, as in `scontrol show hostnames`. `[fd00::1]:22` is one, as
 * in a URL.
 */
function expandBrackets(part: string): ReadHosts {
  const [, address] = /^\[([\da-f]*:[\da-f.]*:[\da-f:.]*)\](?::\d+)?$/i.exec(part) ?? [];
  if (address !== undefined) return { kind: "hosts", hosts: [address] };
  const [, head = "", inside, tail = ""] = /^([^[\]]*)\[([^[\]]*)\](.*)$/s.exec(part) ?? [];
  if (inside === undefined)
    return /[[\]]/.test(part)
      ? flaw("brackets that are closed and not within each other, as in node[01-03,07]", part)
      : { kind: "hosts", hosts: [part] };
  const numbers = expandNumbers(inside);
  if (numbers === undefined)
    return flaw(`numbers and rising ranges in brackets, at most ${MOST_HOSTS}, as in node[01-03,07]`, part);
  const rest = expandBrackets(tail);
  if (rest.kind === "flaw") return rest.expected.startsWith("at most") ? rest : { ...rest, found: part };
  if (numbers.length * rest.hosts.length > MOST_HOSTS) return flaw(`at most ${MOST_HOSTS} hosts`, part);
  return {
    kind: "hosts",
    hosts: numbers.flatMap((number) => rest.hosts.map((end) => `${head}${number}${end}`)),
  };
}

/** `01-03,07` as `01 02 03 07`: as wide as the first number of the range is written. */
function expandNumbers(inside: string): readonly string[] | undefined {
  const numbers: string[] = [];
  for (const range of inside.split(",")) {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range.trim()) ?? [];
    if (first === undefined || last === undefined) return undefined;
    const [from, to] = [Number(first), Number(last)];
    if (to < from || to - from >= MOST_HOSTS) return undefined;
    for (let number = from; number <= to; number += 1)
      numbers.push(String(number).padStart(first.length, "0"));
    if (numbers.length > MOST_HOSTS) return undefined;
  }
  return numbers;
}

/** An IPv6 address has more than one colon, and keeps them. */
const withoutPort = (host: string): string => (/^[^:]*:\d+$/.test(host) ? host.replace(/:\d+$/, "") : host);

/** The part of a URL that reaches the node: without the user, and an IPv6 address in brackets. */
export function urlHostOf(host: string): string {
  const name = host.slice(host.lastIndexOf("@") + 1);
  return name.includes(":") ? `[${name}]` : name;
}
