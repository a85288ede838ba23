// What may be shown of an upstream's secrets, and the way back: a masked value that a client returns unchanged.
import { maskSecret, Secret } from "../core/credential.ts";
import type { BodyValue, UpstreamBody } from "../core/upstream.ts";

const SCHEME = /^(Bearer +)(.*)$/is;

/** `Bearer ***cdef`: enough to tell one key from another. */
function maskText(secret: Secret): string {
  const [, scheme = "", key] = SCHEME.exec(secret.reveal()) ?? [];
  return scheme + maskSecret(key === undefined ? secret : new Secret(key));
}

export function maskBody(body: UpstreamBody): Readonly<Record<string, unknown>> {
  const mask = (value: BodyValue): unknown => {
    if (value instanceof Secret) return maskText(value);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return (value as readonly BodyValue[]).map(mask);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mask(each)]));
  };
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, mask(value)]));
}

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Secret);

/**
 * `given` with its masked values replaced by the stored secrets they stand for. Only where a stored target has the same
 * address and the same place for the secret: else whoever may write could have a key that they cannot read sent to an
 * address of theirs. What is left masked, the reader refuses.
 */
export function unmask(given: unknown, stored: UpstreamBody): unknown {
  if (!isMap(given) || !Array.isArray(given["targets"])) return given;
  const known = Array.isArray(stored["targets"])
    ? (stored["targets"] as readonly unknown[]).filter(isMap)
    : [];
  const targets = given["targets"].map((target: unknown) => {
    if (!isMap(target)) return target;
    const same = known.filter((each) => addressOf(each) === addressOf(target));
    return unmaskTarget(target, same);
  });
  return { ...given, targets };
}

/** Absent ports and protocols are what the reader takes them for. */
function addressOf(target: Json): string {
  const { host, protocol, port, path } = target;
  const scheme = protocol ?? "https";
  return JSON.stringify([
    typeof host === "string" ? host.toLowerCase() : host,
    scheme,
    port ?? (scheme === "http" ? 80 : 443),
    path ?? "",
  ]);
}

function unmaskTarget(target: Json, same: readonly Json[]): Json {
  const { credentials, headers } = target;
  const pick = (text: unknown, find: (stored: Json) => unknown): unknown => {
    const secrets = same.map(find).filter((each) => each instanceof Secret);
    const meant = new Set(secrets.filter((each) => maskText(each) === text).map((each) => each.reveal()));
    const [only] = meant;
    return meant.size === 1 ? only : text;
  };
  return {
    ...target,
    ...(isMap(credentials) ? { credentials: unmaskCredentials(credentials, pick) } : {}),
    ...(isMap(headers)
      ? {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              pick(text, (stored) => (isMap(stored["headers"]) ? stored["headers"][name] : undefined)),
            ]),
          ),
        }
      : {}),
  };
}

function unmaskCredentials(
  credentials: Json,
  pick: (text: unknown, find: (stored: Json) => unknown) => unknown,
): Json {
  const { header_name: header, param_name: param } = credentials;
  const find = (place: string, name: unknown, field: string) => (stored: Json) => {
    const kept = stored["credentials"];
    return isMap(kept) && sameName(kept[place], name) ? kept[field] : undefined;
  };
  return {
    ...credentials,
    ...("header_value" in credentials
      ? { header_value: pick(credentials["header_value"], find("header_name", header, "header_value")) }
      : {}),
    ...("param_value" in credentials
      ? { param_value: pick(credentials["param_value"], find("param_name", param, "param_value")) }
      : {}),
  };
}

const sameName = (one: unknown, other: unknown): boolean =>
  typeof one === "string" && typeof other === "string" && one.toLowerCase() === other.toLowerCase();
