// A secret shows itself nowhere but where it is asked for by name.
import { describe, expect, test } from "bun:test";
import { format, inspect } from "node:util";
import { maskSecret, Secret } from "../../src/core/credential.ts";

const KEY = "sk-proj-0123456789abcdef";

describe("a secret", () => {
  test("reveals its text to who asks", () => {
    expect(new Secret(KEY).reveal()).toBe(KEY);
  });

  test("is stars in every other display", () => {
    const secret = new Secret(KEY);
    const held = { deep: [{ secret }], map: new Map([["k", secret]]) };
    const error = new Error("failed", { cause: secret });
    const shown = [
      String(secret),
      `key: ${secret as unknown as string}`,
      JSON.stringify(held),
      inspect(held, { depth: 9, showHidden: true }),
      Bun.inspect(held, { depth: 9 }),
      Bun.inspect(error),
      format("%s %o %j %O", secret, secret, secret, secret),
      JSON.stringify(Object.assign({}, secret)),
      Object.entries(secret).join(""),
    ].join("\n");
    expect(shown).not.toContain("0123");
    expect(shown).toContain("***");
  });
});

describe("a mask", () => {
  test("shows four characters of a long key and nothing of a short one", () => {
    expect(maskSecret(new Secret(KEY))).toBe("***cdef");
    expect(maskSecret(new Secret("1234567890123456"))).toBe("***3456");
    for (const key of ["123456789012345", "short", ""]) expect(maskSecret(new Secret(key))).toBe("***");
  });
});
