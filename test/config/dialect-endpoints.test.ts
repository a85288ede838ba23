import { describe, expect, test } from "bun:test";
import { createStrategy, readStrategyName } from "../../src/core/strategy.ts";
import { levelOf, slotOf } from "../support/traffic.ts";
import { optionOf, providersOf, readForeign, targetsOf } from "./dialect-draft.ts";

const ARTICLE =
  "endpoints:\n  - { name: a, url: 'http://10.0.0.1:8000/v1', weight: 3 }\n  - { name: b, url: 'http://10.0.0.2:8000/v1/chat/completions' }\nstrategy: weighted\n";

describe("a list of endpoints", () => {
  test("serves any model by weight", () => {
    const read = readForeign(ARTICLE);
    expect(read.dialect).toBe("list of endpoints");
    expect(read.problems).toEqual([]);
    expect(read.warnings).toEqual([]);
    expect(targetsOf(read, "*")).toEqual([
      "a-10.0.0.1-8000 http://10.0.0.1:8000/v1 =*3",
      "b-10.0.0.2-8000 http://10.0.0.2:8000/v1 =*1",
    ]);
    expect(optionOf(read, "strategy")).toBe("weighted @ f.yaml:4:11 strategy");
  });

  test("of 3:1 has the order that the article prints: a a b a a", () => {
    const strategy = createStrategy(readStrategyName("weighted") ?? "");
    const level = levelOf(slotOf("a", 3), slotOf("b", 1));
    const turns = Array.from({ length: 5 }, () => {
      const at = strategy.pick(level, { nowMs: 0, random: () => 0, isUsable: () => true });
      return level.slots[at]?.backend.id;
    });
    expect(turns.join(" ")).toBe("a a b a a");
  });

  test("takes turns when it names no strategy", () => {
    expect(optionOf(readForeign(ARTICLE.replace(/strategy.*\n/, "")), "strategy")).toStartWith(
      "round-robin @",
    );
  });

  test("of well-known hosts has their keys from the variables", () => {
    const read = readForeign(
      "endpoints: [{ name: o, url: 'https://api.openai.com/v1' }, { name: g, url: 'https://api.groq.com/openai/v1', api_key: k }]",
      {
        env: { OPENAI_API_KEY: "sk-env" },
      },
    );
    expect(providersOf(read)).toEqual(["o-openai (openai): sk-env*1", "g-groq (groq): k*1"]);
  });

  test("of a well-known host without its key is said to be of no use", () => {
    const read = readForeign("endpoints: [{ name: o, url: 'https://api.openai.com/v1' }]");
    expect(read.warnings).toEqual([
      expect.stringMatching(/^f\.yaml:1:13 endpoints\[0\] has no key.*OPENAI_API_KEY/),
    ]);
  });

  test("with a wrong url or weight tells where", () => {
    expect(readForeign("endpoints: [{ url: nowhere, weight: x }]").problems).toHaveLength(1);
    expect(readForeign("endpoints: [{ url: 'http://x.example', weight: x }]").problems).toEqual([
      'cannot read f.yaml:1:48 endpoints[0].weight: expected a number, 0 or more, found "x"',
    ]);
  });
});
