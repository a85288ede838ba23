import { expect, test } from "bun:test";
import { watchProcess } from "../../src/runtime/process-watch.ts";
import { until } from "../support/until.ts";

test("the watch tells memory, descriptors and a block of the event loop", async () => {
  const watch = watchProcess(() => performance.now());
  try {
    const before = watch.read();
    expect(before.rssBytes).toBeGreaterThan(10 * 1024 ** 2);
    if (process.platform === "linux") {
      expect(before.openDescriptors).toBeGreaterThan(2);
      expect(before.descriptorLimit).toBeGreaterThan(before.openDescriptors ?? 0);
      expect(before.openConnections).not.toBeNull();
    }
    Bun.sleepSync(700);
    await until(() => watch.read().eventLoopLagMs > 300, "the block was noticed");
  } finally {
    watch.stop();
  }
});
