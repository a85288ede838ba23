// What stays the same from turn to turn.
import { expect, test } from "bun:test";
import { firstTurn } from "../../src/core/conversation.ts";

const turnOf = (body: unknown) => firstTurn(new TextEncoder().encode(JSON.stringify(body)));
const system = { role: "system", content: "you are a helper" };
const user = (content: string) => ({ role: "user", content });

test("a conversation's beginning stays the same while it grows", () => {
  const first = turnOf({ model: "m", messages: [system, user("one")] });
  expect(first).toContain("one");
  expect(
    turnOf({
      stream: true,
      messages: [system, user("one"), { role: "assistant", content: "x" }, user("two")],
    }),
  ).toBe(first);
});

test("two conversations under one system prompt differ", () => {
  expect(turnOf({ messages: [system, user("one")] })).not.toBe(turnOf({ messages: [system, user("two")] }));
});

test("Gemini's contents and OpenAI's input count too, as a list or as text", () => {
  expect(turnOf({ contents: [{ role: "user", parts: [{ text: "hi" }] }] })).toContain("hi");
  expect(turnOf({ model: "m", input: "tell me" })).toBe('"tell me"');
  expect(turnOf({ input: [user("hi")] })).toContain("hi");
});

test("a body without a history, or that breaks off, has no beginning", () => {
  expect(turnOf({ model: "m", prompt: "x" })).toBeUndefined();
  expect(turnOf([])).toBeUndefined();
  expect(firstTurn(new TextEncoder().encode('{"messages":[{"role"'))).toBeUndefined();
});
