// Every secret of a configuration, so that whoever writes lines can keep them out.
import { Secret } from "../core/credential.ts";
import type { Config } from "./config.ts";

export function secretsOf({ pool, accessKeys, adminKey, webhooks }: Config): readonly Secret[] {
  const own = pool.backends.flatMap(({ credential, headers, proxyUrl }) => [
    ...(credential.secret === undefined ? [] : [credential.secret]),
    ...Object.values(headers ?? {}).filter((value) => value instanceof Secret),
    ...(proxyUrl === undefined ? [] : passwordOf(proxyUrl)),
  ]);
  return [
    ...new Set(own),
    ...accessKeys,
    ...(adminKey === undefined ? [] : [adminKey]),
    ...webhooks.map(({ url }) => url),
  ];
}

function passwordOf(url: string): readonly Secret[] {
  const { password } = new URL(url);
  return password === "" ? [] : [new Secret(decodeURIComponent(password))];
}
