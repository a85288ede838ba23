// Which of the piped operations a path and method name: family, need of a model, and the path below a backend's base.
import type { Family } from "./backend.ts";

/**
 * `required`: routed by the model in the body or path. `optional`: the provider has a default model.
 * `pinned`: about objects of one account; goes to that account, streams through, one attempt.
 */
export type ModelNeed = "required" | "optional" | "pinned";

export interface Operation {
  readonly kind: "operation";
  readonly family: Family;
  readonly need: ModelNeed;
  /** Path below the family's base, beginning with a slash: `/chat/completions`. */
  readonly path: string;
  /** The model, where the path names it (Gemini); `path` then has `{model}` in its place. */
  readonly model?: string;
  /** True where the path itself asks for a stream (Gemini). */
  readonly stream: boolean;
  /** A path of no list: 404 instead of 400 when its body has no routable model. */
  readonly unlisted: boolean;
}

export interface NoOperation {
  readonly kind: "not_found" | "method_not_allowed";
  readonly family: Family;
  /** For the `Allow` header of a 405. */
  readonly allow: string;
}

interface Row {
  readonly path: RegExp;
  readonly methods: string;
  readonly need: ModelNeed;
}

const row = (path: string, methods: string, need: ModelNeed): Row => ({
  path: new RegExp(`^/${path}$`),
  methods,
  need,
});

const ID = "[^/]+";
const REST = "(/[^/]+)*";

/** Paths of the OpenAI family below `/v1`; each also without it. First match wins. */
const OPENAI: readonly Row[] = [
  row("chat/completions", "POST", "required"),
  row("completions", "POST", "required"),
  row("embeddings", "POST", "required"),
  row("responses", "POST", "optional"),
  row("responses/(compact|input_tokens)", "POST", "optional"),
  row(`responses/${ID}${REST}`, "GET POST DELETE", "pinned"),
  row("images/(generations|edits|variations)", "POST", "optional"),
  row("audio/(speech|transcriptions|translations)", "POST", "required"),
  row(`(images|audio)/${ID}`, "POST", "required"),
  row("moderations", "POST", "optional"),
  row("(rerank|score|tokenize|detokenize|pooling|classify)", "POST", "required"),
  row(`(files|uploads|batches|vector_stores|assistants|threads)${REST}`, "GET POST DELETE", "pinned"),
];

/** Names below which nothing is piped, whatever the body says: they need a protocol that weir does not speak. */
const NEVER = /^\/(realtime|models)(\/|$)/;

const ANTHROPIC: readonly Row[] = [
  row("messages", "POST", "required"),
  row("messages/count_tokens", "POST", "required"),
  row(`messages/batches${REST}`, "GET POST DELETE", "pinned"),
  row(`files${REST}`, "GET POST DELETE", "pinned"),
];

/** OpenAI's and Anthropic's clients both ask here; only Anthropic's name a version of the API. */
const SHARED = /^\/v1\/files(\/|$)/;

/** Google's SDK asks version `v1` unless told otherwise; a call with a verb is not OpenAI's list of models. */
const GOOGLE_CALL = /^\/v1(?:alpha|beta)?(?=\/(?:models|tunedModels)\/[^/:]+:[A-Za-z]+$)/;
const GEMINI_MODEL = /^\/(models|tunedModels)\/([^/:]+):([A-Za-z]+)$/;

/**
 * Characters of RFC 3986 paths. No escape may stand for a slash, a backslash or a control character, nor for what needs
 * none (section 2.3: letters, digits, `-._~`), else `/v1/%72ealtime` would be another path here than at the upstream.
 */
const CLEAN =
  /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%(?!2[DEFdef]|3\d|[46][1-9A-Fa-f]|[57][0-9Aa]|5[CFcf]|7[EFef]|[01])[0-9A-Fa-f]{2})*$/;

/** True for a path that guard, router and upstream read alike: no empty or dot segments, no escapes that hide one. */
export function isCleanPath(path: string): boolean {
  return CLEAN.test(path) && !path.includes("//") && !/\/\.{1,2}(\/|$)/.test(path);
}

/** Shapes errors for paths of no operation: by prefix, else OpenAI's. */
export function familyOfPath(path: string): Family {
  if (path === "/v1/messages" || path.startsWith("/v1/messages/")) return "anthropic";
  return path.startsWith("/v1beta/") || GOOGLE_CALL.test(path) ? "gemini" : "openai";
}

/** `path` is the request's path without its query; `anthropicVersion` its header of that name. */
export function readOperation(
  method: string,
  path: string,
  anthropicVersion: string | null = null,
): Operation | NoOperation {
  const family = anthropicVersion !== null && SHARED.test(path) ? "anthropic" : familyOfPath(path);
  if (!isCleanPath(path)) return { kind: "not_found", family, allow: "" };
  if (family === "gemini") return readGemini(method, path.replace(/^\/v1[a-z]*/, ""));
  const versioned = path.startsWith("/v1/");
  const below = versioned ? path.slice("/v1".length) : path;
  const found = (family === "anthropic" ? ANTHROPIC : OPENAI).find((each) => each.path.test(below));
  if (found === undefined) {
    const piped = versioned && family === "openai" && method === "POST" && !NEVER.test(below);
    if (!piped) return { kind: "not_found", family, allow: "" };
    return { kind: "operation", family, need: "required", path: below, stream: false, unlisted: true };
  }
  if (!found.methods.split(" ").includes(method))
    return { kind: "method_not_allowed", family, allow: found.methods.replaceAll(" ", ", ") };
  return { kind: "operation", family, need: found.need, path: below, stream: false, unlisted: false };
}

function readGemini(method: string, below: string): Operation | NoOperation {
  const match = GEMINI_MODEL.exec(below);
  const model = match?.[2] === undefined ? undefined : decodeSegment(match[2]);
  const verb = match?.[3];
  if (match === null || model === undefined || verb === undefined)
    return { kind: "not_found", family: "gemini", allow: "" };
  if (method !== "POST") return { kind: "method_not_allowed", family: "gemini", allow: "POST" };
  return {
    kind: "operation",
    family: "gemini",
    need: "required",
    path: `/${match[1]}/{model}:${verb}`,
    model,
    stream: verb === "streamGenerateContent",
    unlisted: false,
  };
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // a broken escape names no model
  }
}
