// The fake's own paths: the script and the ledger over HTTP, and a page that says how to run a drill.
import { FAKE_HELP } from "./help.ts";
import { readScriptText } from "./script-parse.ts";
import { ScriptError } from "./script-read.ts";
import type { Ledger } from "./ledger.ts";
import type { FakeScript } from "./script.ts";
import type { Wire } from "./wire.ts";
import type { WireRequest } from "./wire-request.ts";

/** What the control paths may touch. */
export interface Controlled {
  readonly ledger: Ledger;
  configure(script: FakeScript): void;
}

export const isControl = (request: WireRequest): boolean =>
  request.path.startsWith("/__") || (request.path === "/" && request.method === "GET");

export function answerControl(request: WireRequest, wire: Wire, fake: Controlled): void {
  const [status, type, body] = reply(request, fake);
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  wire.send(`${head}\r\n${body}`);
  if (/\bclose\b/i.test(request.headers["connection"] ?? "") || request.minorVersion === 0) wire.end();
}

type Reply = readonly [status: string, type: string, body: string];

const TEXT = "text/plain; charset=utf-8";
const json = (value: unknown): Reply => ["200 OK", "application/json", `${JSON.stringify(value)}\n`];

function reply(request: WireRequest, fake: Controlled): Reply {
  switch (`${request.method} ${request.path}`) {
    case "GET /":
      return ["200 OK", TEXT, FAKE_HELP];
    case "PUT /__script":
      return configure(Buffer.from(request.body).toString(), fake);
    case "GET /__ledger": {
      const last = Number(new URLSearchParams(request.query).get("last") ?? "0");
      const calls = fake.ledger.calls();
      return json({ counters: fake.ledger.counters(), calls: last > 0 ? calls.slice(-last) : calls });
    }
    case "DELETE /__ledger":
      fake.ledger.clear();
      return json({ cleared: true });
    default:
      return ["404 Not Found", TEXT, "known here: GET /, PUT /__script, GET /__ledger, DELETE /__ledger\n"];
  }
}

function configure(source: string, fake: Controlled): Reply {
  try {
    fake.configure(readScriptText(source));
    return json({ configured: true });
  } catch (cause) {
    if (!(cause instanceof ScriptError)) throw cause;
    return ["400 Bad Request", TEXT, `${cause.message}\n`];
  }
}
