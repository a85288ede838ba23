// At random, by weight: nothing to keep, nothing to compare, and right for many weirs side by side.
import { createSampler } from "./sample.ts";
import type { Strategy } from "./seams.ts";

export function createSimpleShuffle(): Strategy {
  const sampler = createSampler();
  return {
    name: "simple-shuffle",
    pick: (level, choice) => sampler.draw(level, choice, -1),
    rank: ({ weights }, at) => -(weights[at] ?? 1),
  };
}
