import { expect, test } from "bun:test";
import { isPublic } from "../../src/notify/private-address.ts";

test.each([
  "8.8.8.8",
  "172.15.255.255",
  "172.32.0.0",
  "169.253.0.1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:830::200e",
])("%s is public", (address) => expect(isPublic(address)).toBe(true));

test.each([
  "127.0.0.1",
  "127.255.0.3",
  "0.0.0.0",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "169.254.169.254",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "::ffff:10.0.0.1",
  "::ffff:127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "fe80::1",
  "fe80::1%eth0",
  "fd12:3456::1",
  "ff02::1",
  "localhost",
  "",
])("%s is not public", (address) => expect(isPublic(address)).toBe(false));
