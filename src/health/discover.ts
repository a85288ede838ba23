// Asks providers which models they serve: hosted ones once, engines again and again, always in the background.
import type { Emit } from "../core/event.ts";
import { type Pool, type PoolSnapshot, type ProviderView, withModels } from "../core/pool.ts";
import type { Slot } from "../core/seams.ts";
import { readModelList } from "./model-list.ts";

/** `GET`s a path below the backend's base for the family; the answer's JSON. Rejects for any other end. */
export type AskBackend = (slot: Slot, path: string, options: AskOptions) => Promise<unknown>;

export interface AskOptions {
  readonly family: "openai" | "anthropic" | "gemini";
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface Discovery {
  /** Looks for providers and engines that have not been asked yet; for the start and after a reload. */
  readonly refresh: () => void;
  readonly stop: () => Promise<void>;
}

export interface DiscoveryTerms {
  readonly pool: Pool;
  readonly ask: AskBackend;
  readonly emit: Emit;
}

/** An engine that lists nothing yet is asked again after this; one that does, after the longer time. */
const FAST_INTERVAL_MS = 5000;
const INTERVAL_MS = 30_000;
/** A hosted provider's first key may be revoked: so many are tried. */
const MOST_KEYS_ASKED = 3;

export function startDiscovery({ pool, ask, emit }: DiscoveryTerms): Discovery {
  const stopping = new AbortController();
  const asked = new Set<string>();
  const running = new Set<Promise<void>>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  const run = (work: Promise<void>): void => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  const refresh = (): void => {
    if (stopping.signal.aborted) return;
    for (const provider of pool.current.providers) {
      if (provider.spec.modelsRoute === undefined) continue;
      if (provider.spec.kind === "engine") {
        for (const slot of provider.route.slots) if (claim(slot.backend.id)) run(watchEngine(provider, slot));
      } else if (claim(provider.spec.name)) run(askHosted(provider));
    }
  };
  const claim = (id: string): boolean => !asked.has(id) && Boolean(asked.add(id));

  const list = async (provider: ProviderView, slot: Slot): Promise<readonly string[]> => {
    const { modelsRoute } = provider.spec;
    if (modelsRoute === undefined) return [];
    const { family, path, headers = {} } = modelsRoute;
    return readModelList(await ask(slot, path, { family, headers, signal: stopping.signal }));
  };

  async function askHosted(provider: ProviderView): Promise<void> {
    const { name } = provider.spec;
    let reason = "no key";
    for (const slot of provider.route.slots.slice(0, MOST_KEYS_ASKED)) {
      try {
        const models = await list(provider, slot);
        publish(new Map(provider.route.slots.map((each) => [each.backend.id, models])));
        emit({ kind: "models_discovered", provider: name, models: models.length });
        return;
      } catch (error) {
        reason = reasonOf(error);
      }
    }
    if (!stopping.signal.aborted) emit({ kind: "discovery_failed", provider: name, reason });
  }

  async function watchEngine(provider: ProviderView, slot: Slot): Promise<void> {
    const { id } = slot.backend;
    let nextMs = FAST_INTERVAL_MS;
    try {
      const models = await list(provider, slot);
      nextMs = INTERVAL_MS;
      if (!sameList(pool.current.discovered.get(id), models)) publish(new Map([[id, models]]));
    } catch {
      // An engine that does not answer keeps its last list; whether it may be used is for its health to say.
    }
    if (stopping.signal.aborted) return;
    timers.set(
      id,
      setTimeout(() => {
        const current = pool.current.slots.find((each) => each.backend.id === id);
        if (current === undefined) asked.delete(id);
        else run(watchEngine(provider, current));
      }, nextMs),
    );
  }

  const publish = (found: ReadonlyMap<string, readonly string[]>): void =>
    pool.replace((previous: PoolSnapshot) => withModels(previous, found));

  return {
    refresh,
    async stop() {
      stopping.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

const sameList = (before: readonly string[] | undefined, after: readonly string[]): boolean =>
  before !== undefined && before.length === after.length && before.every((model, at) => model === after[at]);

/** Without the message, which may carry the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
