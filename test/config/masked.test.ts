import { describe, expect, test } from "bun:test";
import { looksSecret, shownName, shownValue } from "../../src/config/masked.ts";

describe("a name in a file", () => {
  test.each([
    "openai",
    "claude-sonnet-4-5-20250929",
    "gpt-4o-mini-2024-07-18",
    "gpt-4o-audio-preview-2024-12-17",
    "Qwen/Qwen2.5-72B-Instruct-AWQ",
    "meta-llama/Meta-Llama-3.1-405B-Instruct-FP8",
    "accounts/fireworks/models/llama-v3p1-70b-instruct",
    "context_window_fallbacks",
    "stream_first_byte",
    "nvidia/llama-3.1-nemotron-70b-instruct",
    "TimeoutErrorAllowedFails",
    "ContentPolicyViolationErrorRetries",
  ])("%s is shown", (name) => {
    expect(looksSecret(name)).toBe(false);
    expect(shownName(name)).toContain(name.slice(0, 20));
  });

  test.each([
    "sk-proj-Zq8RkXw2Vb7YtJ4mNc6LsdfGH81",
    "sk-ant-api03-AbC-dEf_GhI-jKl_MnO-p1Q-r2S",
    "AIzaSyD3x4mpl3K3yW1thLetters",
    "gsk_1234567890abcdefghij",
    "0123456789abcdef0123456789abcdef",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "abcdefghijklmnopqrstuvwxyz",
  ])("%s is not shown, for it may be a key", (key) => {
    expect(looksSecret(key)).toBe(true);
    expect(shownName(key)).toBe(`a name of ${key.length} characters`);
  });
});

test("a value in the wrong place is shown only when it is short", () => {
  expect(shownValue("80a")).toBe('"80a"');
  expect(shownValue("hunter2-and-more-of-it")).toBe("a text of 22 characters");
});
