// Asks hosted providers which models they serve: once, in the background, and nothing else; a completion would cost.
// Where nothing is known, after a failure or with other keys, a reload asks again.
import type { Emit } from "../core/event.ts";
import { type Pool, type ProviderView, withModels } from "../core/pool.ts";
import { type Ask, reasonOf } from "../core/question.ts";
import type { Slot } from "../core/seams.ts";
import { readModelList } from "./model-list.ts";

export interface Discovery {
  /** Asks providers of whose models nothing is known; for the start and after a reload. */
  readonly refresh: () => void;
  readonly stop: () => Promise<void>;
}

export interface DiscoveryTerms {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly emit: Emit;
}

const TIMEOUT_MS = 10_000;
/** A provider's first key may be revoked: so many are tried. */
const MOST_KEYS_ASKED = 3;

export function startDiscovery({ pool, ask, emit }: DiscoveryTerms): Discovery {
  const stopping = new AbortController();
  const { signal } = stopping;
  const asking = new Set<string>();
  const running = new Set<Promise<void>>();

  const list = async ({ spec }: ProviderView, { backend }: Slot): Promise<readonly string[]> => {
    if (spec.modelsRoute === undefined) return [];
    const { family, path, headers = {} } = spec.modelsRoute;
    const told = await ask(backend, {
      family,
      path,
      headers,
      below: "base",
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    if (told.status !== 200) throw new NoList(`status ${told.status}`);
    return readModelList(JSON.parse(told.text));
  };

  async function askHosted(provider: ProviderView): Promise<void> {
    const { name } = provider.spec;
    let reason = "no key";
    for (const slot of provider.route.slots.slice(0, MOST_KEYS_ASKED)) {
      try {
        const models = await list(provider, slot);
        const found = new Map(provider.route.slots.map((each) => [each.backend.id, models]));
        pool.replace((previous) => withModels(previous, found));
        emit({ kind: "models_discovered", provider: name, models: models.length });
        return;
      } catch (error) {
        reason = reasonOf(error);
        if (signal.aborted) return;
      }
    }
    emit({ kind: "discovery_failed", provider: name, reason });
  }

  return {
    refresh() {
      if (signal.aborted) return;
      const { providers, discovered } = pool.current;
      for (const provider of providers) {
        const { kind, name, modelsRoute } = provider.spec;
        if (kind !== "hosted" || modelsRoute === undefined || asking.has(name)) continue;
        if (provider.route.slots.some(({ backend }) => discovered.has(backend.id))) continue;
        asking.add(name);
        const work = askHosted(provider).finally(() => {
          asking.delete(name);
          running.delete(work);
        });
        running.add(work);
      }
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

class NoList extends Error {
  override readonly name = "NoList";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
