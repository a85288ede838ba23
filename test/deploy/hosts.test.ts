// Lists of nodes, as users and Slurm write them.
import { describe, expect, test } from "bun:test";
import { readHosts, urlHostOf } from "../../src/deploy/hosts.ts";

const hosts = (text: string) => {
  const read = readHosts(text);
  return read.kind === "hosts" ? read.hosts : read;
};

describe("a list of hosts", () => {
  test("has commas or blanks between, and each host once", () => {
    expect(hosts("a, b c,,a\n")).toEqual(["a", "b", "c"]);
    expect(hosts("")).toEqual([]);
  });

  test("may be Slurm's, with ranges as wide as they are written", () => {
    expect(hosts("node[01-03,07],gpu-a")).toEqual(["node01", "node02", "node03", "node07", "gpu-a"]);
    expect(hosts("n[8-11]")).toEqual(["n8", "n9", "n10", "n11"]);
    expect(hosts("n[098-101]")).toEqual(["n098", "n099", "n100", "n101"]);
    expect(hosts("rack[1-2]n[08-09]-ib")).toEqual([
      "rack1n08-ib",
      "rack1n09-ib",
      "rack2n08-ib",
      "rack2n09-ib",
    ]);
    expect(hosts("a[1,3].site.org,b[2]")).toEqual(["a1.site.org", "a3.site.org", "b2"]);
  });

  test("may name users and addresses, and loses a port at its end", () => {
    expect(hosts("me@gpu-1,10.0.0.1:8,fe80::1,10.0.0.2,[fd00::2]:22,[::1]")).toEqual([
      "me@gpu-1",
      "10.0.0.1",
      "fe80::1",
      "10.0.0.2",
      "fd00::2",
      "::1",
    ]);
  });

  test("that is not one is told with the part that is wrong", () => {
    expect(hosts("a,n[1-")).toMatchObject({ kind: "flaw", found: "n[1-" });
    expect(hosts("n[3-1]")).toMatchObject({ kind: "flaw", found: "n[3-1]" });
    expect(hosts("n[a-b]")).toMatchObject({ kind: "flaw" });
    expect(hosts("[1-2:8]")).toMatchObject({ kind: "flaw" });
    expect(hosts("n[[1]]")).toMatchObject({ kind: "flaw" });
    expect(hosts("n[]")).toMatchObject({ kind: "flaw" });
  });

  test("never gives ssh an option or a shell a command", () => {
    for (const text of ["-oProxyCommand=x", "a;b", "$(x)", "a`b`", "user@-x", "a'b", "a|b", "../x"])
      expect(hosts(text)).toMatchObject({ kind: "flaw" });
  });

  test("is bounded", () => {
    expect(hosts("n[1-4096]")).toHaveLength(4096);
    expect(hosts("n[1-4097]")).toMatchObject({ kind: "flaw" });
    expect(hosts("n[1-100]m[1-100]")).toMatchObject({ kind: "flaw" });
    expect(hosts("n[1-999999999999]")).toMatchObject({ kind: "flaw" });
  });
});

test("a URL names the host without the user, and an IPv6 address in brackets", () => {
  expect(urlHostOf("me@gpu-1")).toBe("gpu-1");
  expect(urlHostOf("fe80::1")).toBe("[fe80::1]");
});
