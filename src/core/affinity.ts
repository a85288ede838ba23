// Keeps a conversation on one backend, where its prompt is cached, without a table of conversations: rendezvous hashing
// (Thaler and Ravishankar, 1998), weighted, with the load bound of Mirrokni, Thorup and Zadimoghaddam (2016).
import type { Choice, Level } from "./seams.ts";

/** A slot with more in flight than this many times its share is passed over, so that one hot conversation spills over. */
const LOAD_BOUND = 1.25;
/**
 * And this many more: of a handful of requests, chance puts two or three on one slot. Without, 100 conversations over
 * five keys kept 83 to 95 % of their turns at home, depending on how many run at once; with it, 97.5 to 100 %.
 */
const SPARE = 2;

/**
 * The index of the slot where `key` belongs; the next in the key's own order while that one is unusable or above the
 * bound, and -1 when none is usable. Every key orders the slots by itself, so a slot that comes or goes moves only the
 * conversations that it gains or loses.
 */
export function pickByAffinity(level: Level, choice: Choice, key: string): number {
  const ids = idHashesOf(level);
  const keyHash = hashText(key);
  const inFlightPerWeight = usableInFlightPerWeight(level, choice);
  let best = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < level.slots.length; at += 1) {
    const slot = level.slots[at];
    if (slot === undefined) continue;
    const weight = level.weights[at] ?? 1;
    if (slot.state.inFlight > Math.ceil(LOAD_BOUND * inFlightPerWeight * weight) + SPARE) continue;
    // Mosharaf's logarithmic method: each wins with the share of its weight.
    const score = weight / -Math.log(uniform(keyHash, ids[at] ?? 0));
    if (score <= bestScore || !choice.isUsable(slot)) continue;
    best = at;
    bestScore = score;
  }
  return best;
}

function usableInFlightPerWeight({ slots, weights }: Level, choice: Choice): number {
  let inFlight = 0;
  let weight = 0;
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at];
    if (slot === undefined || !choice.isUsable(slot)) continue;
    inFlight += slot.state.inFlight;
    weight += weights[at] ?? 1;
  }
  return weight === 0 ? 0 : inFlight / weight;
}

/** Ids do not change, so they are hashed once for each level. */
const idHashes = new WeakMap<Level, Uint32Array>();

function idHashesOf(level: Level): Uint32Array {
  let hashes = idHashes.get(level);
  if (hashes === undefined) {
    hashes = Uint32Array.from(level.slots, ({ backend }) => hashText(backend.id));
    idHashes.set(level, hashes);
  }
  return hashes;
}

/** In (0, 1), the same for the same pair in every process. */
const uniform = (keyHash: number, idHash: number): number =>
  (mix(mix(keyHash ^ idHash) + Math.imul(idHash, GOLDEN)) + 0.5) / 2 ** 32;

const GOLDEN = 0x9e3779b1;

/** FNV-1a over UTF-16 units (Fowler, Noll and Vo); `uniform` mixes it. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** MurmurHash3's fmix32 (Austin Appleby, public domain). */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
