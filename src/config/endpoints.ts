// How each family of a provider is reached at one address: the provider's own paths, or the one a user gave.
import type { Endpoint, Family } from "../core/backend.ts";
import type { Address } from "./base-url.ts";
import type { Provider } from "./providers.ts";

export type Endpoints = Readonly<Partial<Record<Family, Endpoint>>>;

const FAMILIES: readonly Family[] = ["openai", "anthropic", "gemini"];

export function endpointsAt(provider: Provider, { origin, path }: Address): Endpoints {
  const endpoints: Partial<Record<Family, Endpoint>> = {};
  for (const family of FAMILIES) {
    const route = provider.families[family];
    if (route === undefined) continue;
    const own = familyPath(provider, family, { origin, path });
    if (own === undefined) continue;
    const rootPaths = family === "openai" ? provider.rootPaths : undefined;
    endpoints[family] = {
      baseUrl: origin + own,
      key: route.key,
      ...(rootPaths === undefined ? {} : { rootPaths }),
    };
  }
  return endpoints;
}

/**
 * A given path replaces the main family's. It says nothing of the other families, except those that live on the same
 * path or below it (Google's `/v1beta/openai`). The table holds for all when the path is the usual one, or another
 * family's (`https://api.deepseek.com/anthropic`), and for the others at the provider's own origin.
 */
function familyPath(
  provider: Provider,
  family: Family,
  { origin, path }: Pick<Address, "origin" | "path">,
): string | undefined {
  const usual = provider.families[provider.main]?.path ?? "";
  const own = provider.families[family]?.path;
  if (own === undefined || path === "" || path === usual || isOtherFamilys(provider, path)) return own;
  if (own === usual) return path;
  if (usual !== "" && own.startsWith(`${usual}/`)) return path + own.slice(usual.length);
  return origin === provider.origin ? own : undefined;
}

/** Anthropic's SDKs take the path without its `/v1`. */
function isOtherFamilys(provider: Provider, path: string): boolean {
  return FAMILIES.some((family) => {
    const own = family === provider.main ? undefined : provider.families[family]?.path;
    return (
      own !== undefined &&
      own !== provider.families[provider.main]?.path &&
      (own === path || own === `${path}/v1`)
    );
  });
}

/** SDKs of Anthropic append `/v1/messages` to their base URL, weir `/messages`. */
export function lacksVersion(provider: Provider, { path }: Address): boolean {
  return provider.name === "anthropic" && path !== "" && !/\/v\d+[a-z0-9]*$/i.test(path);
}
