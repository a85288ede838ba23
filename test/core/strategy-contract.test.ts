// Every strategy keeps the shared contract: one line each.
import { createCustom } from "../../src/core/strategy-custom.ts";
import { createStrategy } from "../../src/core/strategy.ts";
import { testStrategy } from "./strategy.contract.ts";

const byName = (name: string) => ({ create: () => createStrategy(name) });

testStrategy("least-used", byName("least-used"));
testStrategy("smooth-weighted-round-robin", byName("smooth-weighted-round-robin"));
testStrategy("simple-shuffle", byName("simple-shuffle"));
testStrategy("least-connections", byName("least-connections"));
testStrategy("least-waiting", byName("least-waiting"));
testStrategy("latency-based", byName("latency-based"));
testStrategy("usage-based", byName("usage-based"));
testStrategy("lowest-cost", byName("lowest-cost"));
testStrategy("custom:./least.ts", {
  create: () =>
    createCustom(
      (candidates) =>
        candidates.reduce((best, next) =>
          next.requests / next.weight < best.requests / best.weight ? next : best,
        ).id,
      { name: "custom:./least.ts", now: () => 0, report: () => undefined },
    ),
});
