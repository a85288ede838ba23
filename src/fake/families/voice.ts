// The words of an answer: a reply cut into tokens (one word each), repeated or shortened to the length wanted.

/** Has multi-byte characters, so that pieces may be cut inside of them. */
export const DEFAULT_REPLY =
  "Water finds its way over the weir — 水は堰を越える, and nobody upstream notices 🌊.";

interface Words {
  readonly plain: readonly string[];
  readonly quoted: readonly string[];
}

const KEPT_REPLIES = 64;
const known = new Map<string, Words>();

/** The tokens of a reply, with their JSON form; kept, because thousands of streams say the same. */
export function wordsOf(reply: string, chunkBytes: number): Words {
  const name = `${chunkBytes} ${reply}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const plain = (reply.match(/\s*\S+/g) ?? [reply]).map((word) => word.padEnd(chunkBytes, "."));
  const words = { plain, quoted: plain.map((word) => JSON.stringify(word)) };
  if (known.size >= KEPT_REPLIES) known.clear();
  known.set(name, words);
  return words;
}

/** Who speaks in one answer, and for how long. */
export interface Voice {
  /** Ends every id in the answer, and is the number of the call in the ledger. */
  readonly id: string;
  readonly createdSec: number;
  readonly model: string;
  readonly promptTokens: number;
  readonly steps: number;
  /** True when the caller's maximum cut the answer. */
  readonly cut: boolean;
  word(index: number): string;
  /** The same as JSON text. */
  quoted(index: number): string;
  text(): string;
}

type VoiceSettings = Pick<Voice, "id" | "createdSec" | "model" | "promptTokens" | "steps" | "cut">;

export function speak(words: Words, settings: VoiceSettings): Voice {
  const { plain, quoted } = words;
  const word = (index: number): string => {
    const found = plain[index % plain.length] ?? "";
    return index === 0 || index % plain.length > 0 ? found : ` ${found.trimStart()}`;
  };
  return {
    ...settings,
    word,
    quoted: (index) =>
      index === 0 || index % plain.length > 0
        ? (quoted[index % plain.length] ?? '""')
        : JSON.stringify(word(index)),
    text: () => Array.from({ length: settings.steps }, (_, index) => word(index)).join(""),
  };
}

/** Steps and words of a text that is not the reply, such as the arguments of a tool call. */
export function cutText(text: string, characters: number): readonly string[] {
  const pieces = [];
  for (let at = 0; at < text.length; at += characters) pieces.push(text.slice(at, at + characters));
  return pieces.length === 0 ? [""] : pieces;
}
