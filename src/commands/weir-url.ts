// Which running weir a command asks: the one of `--url`, or the one that this environment would start.
import { reachableHost } from "./banner.ts";
import type { Invocation } from "./invocation.ts";

export const NO_WEIR_URL =
  "cannot read --url: expected an address such as http://127.0.0.1:8080, without name or password";

/**
 * Its base, without a slash at the end; `http://` may be left out, and what people copy, `/v1` or `/dashboard`, may stand
 * behind. Undefined when it is none; a name or password in it would show on screens.
 */
export function readWeirUrl(text: string | undefined, env: Invocation["env"]): string | undefined {
  const host = reachableHost(env["WEIR_HOST"] ?? "127.0.0.1");
  const own = `http://${host}:${env["WEIR_PORT"] ?? env["PORT"] ?? "8080"}`;
  const given = text === undefined || text.includes("://") ? (text ?? own) : `http://${text}`;
  if (!URL.canParse(given)) return undefined;
  const { protocol, username, password, origin, pathname } = new URL(given);
  if (!/^https?:$/.test(protocol) || username !== "" || password !== "") return undefined;
  return origin + pathname.replace(/\/+$/, "").replace(/\/(?:v1|dashboard)$/, "");
}
