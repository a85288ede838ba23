// Every secret of a configuration, so that whoever writes lines can keep them out.
import { Secret } from "../core/credential.ts";
import { headerSecrets } from "../core/secret-forms.ts";
import type { Config } from "./config.ts";

export function secretsOf({ pool, accessKeys, adminKey, webhooks }: Config): readonly Secret[] {
  const own = pool.backends.flatMap((backend) => [
    ...(backend.credential.secret === undefined ? [] : [backend.credential.secret]),
    ...headerSecrets(backend),
    ...(backend.proxyUrl === undefined ? [] : passwordOf(backend.proxyUrl)),
  ]);
  return [
    ...new Set(own),
    ...accessKeys,
    ...(adminKey === undefined ? [] : [adminKey]),
    ...webhooks.flatMap(({ url, proxyUrl }) => [
      url,
      ...(proxyUrl === undefined ? [] : passwordOf(proxyUrl)),
    ]),
  ];
}

function passwordOf(url: string): readonly Secret[] {
  const { password } = new URL(url);
  return password === "" ? [] : [new Secret(decodeURIComponent(password))];
}
