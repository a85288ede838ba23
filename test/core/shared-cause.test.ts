// When a fault that several keys meet is held to be one fault, and whose.
import { expect, test } from "bun:test";
import { createCredentialState } from "../../src/core/credential-state.ts";
import { write } from "../../src/core/record.ts";
import type { Rest } from "../../src/core/rest.ts";
import { findSharedCause } from "../../src/core/shared-cause.ts";
import { makeBackend, makeSlot } from "../support/slots.ts";

const NOW = 100_000;
const refused: Rest = {
  cause: "revoked",
  status: 403,
  detail: "403 key refused",
  sinceMs: NOW,
  untilMs: NOW + 300_000,
  onTrial: false,
};

/** The ids of the keys that share the newest one's fault. */
function sharing(rests: Readonly<Record<string, Partial<Rest> | undefined>>, newest: Partial<Rest> = {}) {
  const slots = Object.entries(rests).map(([id, rest]) => {
    const keyState = createCredentialState(id);
    if (rest !== undefined) write(keyState).rest = { ...refused, ...rest };
    return makeSlot(makeBackend(id), keyState);
  });
  const found = findSharedCause(slots, slots[0]!, { ...refused, ...newest });
  return found?.map(({ keyState }) => keyState.id);
}

test("all keys that are refused alike within a second share a cause", () => {
  expect(sharing({ a: {}, b: { sinceMs: NOW - 900 }, c: {} })).toEqual(["a", "b", "c"]);
});

test("one key that does better, or met something else just now, makes it the others' own", () => {
  expect(sharing({ a: {}, b: undefined })).toBeUndefined();
  expect(sharing({ a: {}, b: { status: 401 } })).toBeUndefined();
  expect(sharing({ a: {}, b: { sinceMs: NOW - 5000, untilMs: NOW - 1 } })).toBeUndefined();
});

test("a key that rested already was not asked: it neither hides the cause nor is forgiven", () => {
  const old = { status: 401, sinceMs: NOW - 600_000, untilMs: NOW + 1 };
  expect(sharing({ a: {}, b: {}, dead: old })).toEqual(["a", "b"]);
  expect(sharing({ a: {}, dead: old })).toBeUndefined();
});

test("no other status shares, nor a quota", () => {
  expect(sharing({ a: { status: 401 }, b: { status: 401 } }, { status: 401 })).toBeUndefined();
  const quota = { cause: "quota", status: 429 } as const;
  expect(sharing({ a: quota, b: quota }, quota)).toBeUndefined();
});
