// The addresses of one provider: what its variables say, without those that lead back to weir, else its own.
import { type Address, readBaseUrls } from "./base-url.ts";
import { leadsTo, type Listener } from "./network.ts";
import type { PrefixedVariables } from "./prefixed.ts";
import type { Notes } from "./problem.ts";
import type { Variable } from "./variables.ts";

export interface AddressTerms {
  readonly variables: PrefixedVariables;
  /** Used when no base URL is set: Azure's endpoint. */
  readonly further: readonly Variable[];
  /** The provider's own. */
  readonly origin: string | undefined;
  readonly listener: Listener;
}

export interface Addresses {
  readonly addresses: readonly Address[];
  /** Where they were found; empty for the provider's own. */
  readonly from: readonly Variable[];
}

/** P_BASE_URLS is weir's own; P_BASE_URL may be there for an SDK, and counts only without it. */
export function readAddresses(
  { variables, further, origin, listener }: AddressTerms,
  notes: Notes,
): Addresses {
  const lists = variables.all("BASE_URLS");
  const singles = lists.length > 0 ? lists : variables.all("BASE_URL");
  const from = singles.length > 0 ? singles : further;
  const given = new Map<string, Address>();
  let ignored = false;
  for (const variable of from)
    for (const address of readBaseUrls(variable, notes)) {
      const id = address.origin + address.path;
      if (leadsTo(listener, new URL(address.origin))) {
        ignored = true;
        notes.warnings.push(
          `${variable.where} leads back to weir itself (${address.origin}), and is ignored`,
        );
      } else if (!given.has(id)) given.set(id, address);
    }
  if (given.size > 0) return { addresses: [...given.values()], from };
  const isOwnUsed = origin !== undefined && (from.length === 0 || ignored);
  return { addresses: isOwnUsed ? [{ origin, path: "", weight: 1 }] : [], from: isOwnUsed ? [] : from };
}
