// What stands after single options: the address, models with weights, headers, keys.
import { API_NAMES, type ApiName, APIS } from "./apis.ts";
import type { WeightedModel } from "./plan.ts";

export interface Target {
  readonly url: string;
  readonly api: ApiName;
}

/** The whole address of the calls, or what is wrong. */
export function readTarget(text: string | undefined, name: string | undefined): Target | string {
  const named = API_NAMES.find((one) => one === name);
  if (name !== undefined && named === undefined)
    return `cannot read --api: expected one of ${API_NAMES.join(", ")}, found "${name}"`;
  if (text === undefined)
    return "cannot find --url: expected an address such as http://127.0.0.1:8080 to send the calls to";
  const full = text.includes("://") ? text : `http://${text}`;
  const isAddress = URL.canParse(full) && /^https?:$/.test(new URL(full).protocol);
  // A name or password in it would be shown.
  if (!isAddress || new URL(full).username !== "" || new URL(full).password !== "")
    return "cannot read --url: expected an address such as http://127.0.0.1:8080, without name or password";
  const { origin, pathname, search } = new URL(full);
  const path = pathname.replace(/\/+$/, "");
  // /chat/completions ends with the path of completions as well: the longest one is meant.
  const found = API_NAMES.filter((one) => path.endsWith(APIS[one].path)).sort(
    (a, b) => APIS[b].path.length - APIS[a].path.length,
  )[0];
  if (found !== undefined && (named === undefined || named === found))
    return { url: origin + path + search, api: found };
  const api = named ?? "chat";
  return { url: `${origin}${path === "" ? "/v1" : path}${APIS[api].path}${search}`, api };
}

/** Empty for an empty text; the text itself when it is none. */
export function readModel(text: string): (WeightedModel | string)[] {
  const [, model = "", weight] = /^\s*(.*?)(?:\*(\d+(?:\.\d+)?))?\s*$/.exec(text) ?? [];
  if (model === "" && weight === undefined) return [];
  const parsed = Number(weight ?? "1");
  return [model === "" || parsed <= 0 ? text : { model, weight: parsed }];
}

export function readHeader(text: string): readonly [string, string] | undefined {
  const found = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\u0020-\u007e]*)$/.exec(text);
  const [, name = "", value = ""] = found ?? [];
  return found === null || /^(?:host|content-length|transfer-encoding|connection)$/i.test(name)
    ? undefined
    : [name, value.trim()];
}

/** A key that was exported for one provider's client is not sent to another provider. */
export function readKeys(
  flags: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
  api: ApiName,
): readonly string[] | undefined {
  const texts = flags ?? [env["WEIR_API_KEY"] || env[APIS[api].keyVariable] || ""];
  const keys = texts
    .flatMap((text) => text.split(","))
    .map((key) => key.trim())
    .filter((key) => key !== "");
  return keys.every((key) => /^[!-~]+$/.test(key)) ? keys : undefined;
}
