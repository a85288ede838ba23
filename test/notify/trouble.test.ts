import { describe, expect, test } from "bun:test";
import type { Backend } from "../../src/core/backend.ts";
import type { Rest, RestCause } from "../../src/core/rest.ts";
import type { Slot } from "../../src/core/seams.ts";
import { findTroubles, subjectIds } from "../../src/notify/trouble.ts";
import { makeBackend, makeCredential, makeSlot } from "../support/slots.ts";

const NOW = 1000;
const restOf = (cause: RestCause, untilMs = 5000): Rest => ({
  cause,
  detail: `${cause}!`,
  sinceMs: 100,
  untilMs,
  onTrial: false,
});

interface Observed {
  readonly rest?: Rest;
  readonly keyRest?: Rest;
  readonly fields?: Partial<Omit<Backend, "id" | "endpoints">>;
}

function slotOf(id: string, { rest, keyRest, fields = {} }: Observed = {}): Slot {
  const slot = makeSlot(makeBackend(id, fields));
  return {
    backend: slot.backend,
    state: { ...slot.state, ...(rest === undefined ? {} : { rest }) },
    keyState: { ...slot.keyState, ...(keyRest === undefined ? {} : { rest: keyRest }) },
  };
}

const idsOf = (...slots: Slot[]) => findTroubles(slots, NOW).map(({ id }) => id);
const well = slotOf("well");

describe("troubles", () => {
  test("are none where all is well, nor for a rate limit of one key among others", () => {
    expect(idsOf()).toEqual([]);
    expect(idsOf(well, slotOf("b", { keyRest: restOf("rate_limit") }))).toEqual([]);
  });

  test("are a backend that fails, until an answer proves it well", () => {
    const failing = slotOf("b", { rest: restOf("failures") });
    expect(findTroubles([well, failing], NOW)).toEqual([
      {
        id: "backend b",
        event: "failure",
        name: "backend b",
        cause: "failures!",
        sinceMs: 100,
        untilMs: 5000,
        within: "provider p",
      },
    ]);
    expect(idsOf(well, slotOf("b", { rest: restOf("failures", 500) }))).toEqual(["backend b"]);
  });

  test("are an engine's address that is down, once for all of its backends", () => {
    const down = { rest: restOf("down"), fields: { origin: "http://gpu:1" } };
    expect(idsOf(well, slotOf("b", down), slotOf("c", down))).toEqual(["engine http://gpu:1"]);
  });

  test("are a key without money and one that is refused, once for all of its backends", () => {
    const credential = makeCredential("k1", { label: "***1234" });
    const refused = { keyRest: restOf("revoked"), fields: { credential } };
    const [trouble, ...more] = findTroubles([well, slotOf("b", refused), slotOf("c", refused)], NOW);
    expect(trouble).toMatchObject({
      id: "key k1",
      event: "key",
      name: "key ***1234 of p",
      cause: "revoked!",
    });
    expect(more).toEqual([]);
    expect(idsOf(well, slotOf("b", { keyRest: restOf("quota", 500) }))).toEqual(["key key-b"]);
  });

  test("are a whole provider, whatever its backends suffer from", () => {
    const troubles = findTroubles(
      [
        slotOf("a", { rest: restOf("failures", 4000) }),
        slotOf("b", { keyRest: restOf("rate_limit", 3000) }),
        slotOf("c", { keyRest: restOf("rate_limit", 9000) }),
      ],
      NOW,
    );
    expect(troubles.map(({ id }) => id)).toEqual(["backend a", "provider p"]);
    expect(troubles[1]).toEqual({
      id: "provider p",
      event: "failure",
      name: "provider p, all of it (3 backends)",
      cause: "2 × rate_limit!, 1 × failures!",
      sinceMs: 100,
      untilMs: 3000,
    });
  });

  test("are no whole provider when one rate limit has run out, or another provider is well", () => {
    expect(idsOf(slotOf("b", { keyRest: restOf("rate_limit", 900) }))).toEqual([]);
    const other = slotOf("o", { fields: { provider: "q" } });
    expect(idsOf(other, slotOf("b", { keyRest: restOf("rate_limit") }))).toEqual(["provider p"]);
  });

  test("of a provider do not wait for backends that are drained", () => {
    const drained = slotOf("d", { fields: { weight: 0 } });
    expect(idsOf(drained, slotOf("b", { keyRest: restOf("rate_limit") }))).toEqual(["provider p"]);
    expect(idsOf(drained)).toEqual([]);
  });

  test("concern what is configured until a reload takes it away", () => {
    const slots = [
      slotOf("a", { rest: restOf("failures"), keyRest: restOf("quota") }),
      slotOf("b", { rest: restOf("down"), fields: { origin: "http://gpu:1" } }),
    ];
    const troubles = findTroubles(slots, NOW);
    expect(troubles).toHaveLength(4);
    const [configured, other] = [subjectIds(slots), subjectIds([slotOf("z", { fields: { provider: "q" } })])];
    expect(troubles.filter(({ id }) => !configured.has(id))).toEqual([]);
    expect(troubles.filter(({ id }) => other.has(id))).toEqual([]);
  });
});
