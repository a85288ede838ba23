// Paths and queries are cut out of the URL as text.
import { describe, expect, test } from "bun:test";
import { pathOf, searchOf } from "../../src/core/page.ts";

describe("a path", () => {
  test.each([
    ["http://h:1/a/b?c=/d?e", "/a/b", "?c=/d?e"],
    ["http://h/", "/", ""],
    ["http://h", "/", ""],
    ["http://h//a", "//a", ""],
    ["http://h/a?", "/a", "?"],
    ["http://h/a?u=http://x/y", "/a", "?u=http://x/y"],
    ["http://[::1]:80/a%2fb", "/a%2fb", ""],
    ["/a?b", "/a", "?b"],
    ["//evil/a", "//evil/a", ""],
  ])("of %s stands as written, and so does its query", (url, path, search) => {
    expect(pathOf(url)).toBe(path);
    expect(searchOf(url)).toBe(search);
  });
});
