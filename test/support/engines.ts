// A pool of engines and a scripted way to ask them, for tests of the health room without a network.
import type { Backend } from "../../src/core/backend.ts";
import type { ProxyEvent } from "../../src/core/event.ts";
import { createPool, type Pool } from "../../src/core/pool.ts";
import type { PoolSpec, ProviderSpec } from "../../src/core/pool-spec.ts";
import type { Ask, Question, Told } from "../../src/core/question.ts";
import type { BackendState } from "../../src/core/backend-state.ts";
import { makeBackend, makeCredential, makeSpec } from "./slots.ts";

const BEARER = { in: "header", name: "authorization", prefix: "Bearer " } as const;

/** At `origin`, without a key unless one is named. */
export function makeEngine(id: string, origin = `http://${id}:8000`, key?: string): Backend {
  const { secret: _, ...bare } = makeCredential(`${id}-address`);
  const credential = key === undefined ? bare : makeCredential(key);
  return {
    ...makeBackend(id, { kind: "engine", origin, credential }),
    endpoints: { openai: { baseUrl: `${origin}/v1`, key: BEARER } },
  };
}

export function engineSpec(...backends: readonly Backend[]): PoolSpec {
  return probed(makeSpec({ gpu: { kind: "engine", backends } }));
}

/** Two providers with one engine each, `a` and `b`, and what each provider's spec has of its own. */
export function twoProviders(a: Partial<ProviderSpec>, b: Partial<ProviderSpec>): PoolSpec {
  return probed(
    makeSpec({
      first: { kind: "engine", backends: [makeEngine("a")], ...a },
      second: { kind: "engine", backends: [makeEngine("b")], ...b },
    }),
  );
}

function probed(spec: PoolSpec): PoolSpec {
  const modelsRoute = { family: "openai", path: "/models" } as const;
  return { ...spec, providers: spec.providers.map((provider) => ({ ...provider, modelsRoute })) };
}

export interface Asked {
  readonly backend: string;
  readonly url: string;
  readonly atMs: number;
}

export interface Fleet {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly asked: readonly Asked[];
  readonly events: ProxyEvent[];
  /** Questions that wait for an answer now, and the most there ever were. */
  readonly open: () => number;
  readonly mostOpen: () => number;
  readonly state: (id: string) => BackendState;
  /** From now on. */
  readonly answerWith: (answer: Answer) => void;
}

/** How an engine answers; a rejection is a connection that failed. */
export type Answer = (backend: Backend, question: Question) => Told | Promise<Told>;

export function makeFleet(spec: PoolSpec, now: () => number, first: Answer): Fleet {
  let answer = first;
  const pool = createPool(spec);
  const asked: Asked[] = [];
  let open = 0;
  let mostOpen = 0;
  return {
    pool,
    asked,
    events: [],
    open: () => open,
    mostOpen: () => mostOpen,
    async ask(backend, question) {
      const base = backend.endpoints[question.family]?.baseUrl ?? "";
      const root = question.below === "base" ? base : base.replace(/\/v1$/, "");
      asked.push({ backend: backend.id, url: root + question.path, atMs: now() });
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      try {
        return await Promise.race([answer(backend, question), whenAborted(question.signal)]);
      } finally {
        open -= 1;
      }
    },
    answerWith(next) {
      answer = next;
    },
    state(id) {
      const slot = pool.current.slots.find(({ backend }) => backend.id === id);
      if (slot === undefined) throw new Error(`no backend ${id}`);
      return slot.state;
    },
  };
}

const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
  });

export const listOf = (...models: readonly string[]): Told => ({
  status: 200,
  text: JSON.stringify({ object: "list", data: models.map((id) => ({ id, object: "model" })) }),
});

export const status = (code: number): Told => ({ status: code, text: "{}" });

/** A connection that fails, as the proxy tells it. */
export const refused = (): never => {
  throw Object.assign(new Error("secret details"), { code: "cannot connect: ECONNREFUSED" });
};
