// Real time and chance, for the composition root to hand out.
import type { Clock, Random } from "../core/seams.ts";

export const realClock: Clock = { now: () => performance.now(), wall: () => Date.now() };

export const realRandom: Random = () => Math.random();
