// How the model name that goes upstream is made.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { matchesPattern } from "../../src/core/backend.ts";
import { sentModel } from "../../src/core/sent-model.ts";
import { makeBackend } from "../support/slots.ts";

const send = (upstreamModel: string | undefined, model: string, pattern?: string): string =>
  sentModel(makeBackend("b", upstreamModel === undefined ? {} : { upstreamModel }), model, pattern);

describe("the sent model", () => {
  test("is the client's where the backend has no name of its own", () => {
    expect(send(undefined, "openai/gpt-4o", "openai/*")).toBe("openai/gpt-4o");
  });

  test("is the backend's own where that has no star, whatever the pattern captured", () => {
    expect(send("gpt-4o", "anything", "*")).toBe("gpt-4o");
  });

  test.each([
    ["openai/*", "*", "openai/gpt-4o", "gpt-4o"],
    ["*", "openai/*", "gpt-4o", "openai/gpt-4o"],
    ["openai/*", "my-*-v2", "openai/gpt-4o", "my-gpt-4o-v2"],
    ["llm/*::static::*", "fo::*::static::*", "llm/bar::static::baz", "fo::bar::static::baz"],
    ["a*b*c", "*|*", "a1b2b3c", "1b2|3"],
    ["*-*-*", "*/*/*", "a-b-c-d", "a-b/c/d"],
    ["openai/*", "*", "openai/", ""],
    ["*", "*", "$& $1 *", "$& $1 *"],
  ])("fills the stars of %p into %p in order", (pattern, template, model, sent) => {
    expect(send(template, model, pattern)).toBe(sent);
  });

  test("is the client's where the pattern captures more than the name has places for", () => {
    expect(send("x-*", "a/b", "*/*")).toBe("a/b");
  });

  test("keeps a star that nothing was captured for", () => {
    expect(send("*-*", "gpt-4o", "*")).toBe("gpt-4o-*");
  });

  test("takes the whole name as captured where no pattern led to the backend", () => {
    expect(send("openai/*", "gpt-4o")).toBe("openai/gpt-4o");
  });

  test("is none where the request has none, unless the backend's own says all", () => {
    const none = (upstreamModel: string) =>
      sentModel(makeBackend("b", { upstreamModel }), undefined, undefined);
    expect([none("gpt-4o"), none("openai/*")]).toEqual(["gpt-4o", undefined]);
  });

  test("captures what a greedy regular expression does", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "-", "*"), maxLength: 6 });
    fc.assert(
      fc.property(pattern, word, (text, name) => {
        fc.pre(text.includes("*") && matchesPattern(text, name));
        const stars = text.split("*").length - 1;
        const template = Array.from({ length: stars }, () => "*").join("|");
        const groups = new RegExp(`^${text.replaceAll("*", "(.*)")}$`).exec(name)?.slice(1);
        expect(send(template, name, text)).toBe(groups?.join("|") ?? "no match");
      }),
    );
  });
});
