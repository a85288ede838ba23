// The table of operations: which function answers what. A new operation is a row here and one in families/route.ts.
import { countTokens, message, messageBatch } from "./families/anthropic.ts";
import { completion } from "./families/completions.ts";
import { embeddings } from "./families/embeddings.ts";
import { detokenize, health, other, rerank, score, tokenize } from "./families/engine.ts";
import { embedContent, geminiCount, generateContent } from "./families/gemini.ts";
import { images, moderation, speech, transcription } from "./families/media.ts";
import { chatCompletion } from "./families/openai-chat.ts";
import { response, storedResponse } from "./families/responses.ts";
import type { Answer } from "./families/answer.ts";
import type { Ask } from "./families/ask.ts";
import type { FileShelf } from "./families/files.ts";
import type { Voice } from "./families/voice.ts";

export interface Operation {
  /** Undefined: there is no such thing. */
  readonly answer: (ask: Ask, voice: Voice, shelf: FileShelf) => Answer | undefined;
  /** A model must be named, and must be one that exists. */
  readonly needsModel: boolean;
  /** Its requests are JSON. */
  readonly needsJson: boolean;
}

type AnswerOf = Operation["answer"];

const json = (answer: AnswerOf): Operation => ({ answer, needsModel: true, needsJson: true });
const form = (answer: AnswerOf): Operation => ({ answer, needsModel: true, needsJson: false });
const free = (answer: AnswerOf): Operation => ({ answer, needsModel: false, needsJson: false });

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  chat: json(chatCompletion),
  completions: json(completion),
  responses: json(response),
  response: free(storedResponse),
  embeddings: json(embeddings),
  images: form(images),
  speech: json(speech),
  transcriptions: form(transcription),
  moderations: free(moderation),
  files: free((ask, _voice, shelf) => shelf.answerFiles(ask)),
  batches: free((ask, _voice, shelf) => shelf.answerBatches(ask)),
  uploads: free((ask, _voice, shelf) => shelf.answerUploads(ask)),
  rerank: json(rerank),
  score: json(score),
  tokenize: json(tokenize),
  detokenize: json(detokenize),
  health: free(health),
  other: free(other),
  messages: json(message),
  count_tokens: json(countTokens),
  message_batches: free(messageBatch),
  generateContent: json(generateContent),
  streamGenerateContent: json(generateContent),
  countTokens: json(geminiCount),
  embedContent: json(embedContent),
  batchEmbedContents: json(embedContent),
};
