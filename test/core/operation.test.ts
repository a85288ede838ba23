// Every path of the contract's section 3, and everything that must not be one.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { familyOfPath, isCleanPath, type ModelNeed, readOperation } from "../../src/core/operation.ts";

const told = (method: string, path: string): string => {
  const found = readOperation(method, path);
  return found.kind === "operation"
    ? `${found.family} ${found.need} ${found.path}${found.unlisted ? " unlisted" : ""}`
    : `${found.family} ${found.kind}${found.allow === "" ? "" : ` ${found.allow}`}`;
};

const OPENAI: readonly (readonly [method: string, path: string, need: ModelNeed])[] = [
  ["POST", "/chat/completions", "required"],
  ["POST", "/completions", "required"],
  ["POST", "/embeddings", "required"],
  ["POST", "/responses", "optional"],
  ["POST", "/responses/compact", "optional"],
  ["POST", "/responses/input_tokens", "optional"],
  ["GET", "/responses/resp_1", "pinned"],
  ["DELETE", "/responses/resp_1", "pinned"],
  ["POST", "/responses/resp_1/cancel", "pinned"],
  ["GET", "/responses/resp_1/input_items", "pinned"],
  ["POST", "/images/generations", "optional"],
  ["POST", "/images/edits", "optional"],
  ["POST", "/images/variations", "optional"],
  ["POST", "/images/upscale", "required"],
  ["POST", "/audio/speech", "required"],
  ["POST", "/audio/transcriptions", "required"],
  ["POST", "/audio/translations", "required"],
  ["POST", "/audio/voices", "required"],
  ["POST", "/moderations", "optional"],
  ...["rerank", "score", "tokenize", "detokenize", "pooling", "classify"].map(
    (name) => ["POST", `/${name}`, "required"] as const,
  ),
  ...["files", "uploads", "batches", "vector_stores", "assistants", "threads"].flatMap((name) => [
    ["GET", `/${name}`, "pinned"] as const,
    ["POST", `/${name}`, "pinned"] as const,
    ["GET", `/${name}/id-1`, "pinned"] as const,
    ["DELETE", `/${name}/id-1`, "pinned"] as const,
    ["POST", `/${name}/id-1/a/b/c`, "pinned"] as const,
  ]),
];

describe("a path of the OpenAI family", () => {
  test.each([...OPENAI])("%s %s is piped with and without /v1 (%s)", (method, path, need) => {
    expect(told(method, `/v1${path}`)).toBe(`openai ${need} ${path}`);
    expect(told(method, path)).toBe(`openai ${need} ${path}`);
  });

  test("answers other methods with 405 and the right ones", () => {
    for (const path of [
      "/v1/chat/completions",
      "/chat/completions",
      "/v1/embeddings",
      "/v1/responses",
      "/v1/images/edits",
      "/rerank",
    ])
      for (const method of ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
        expect(told(method, path)).toBe("openai method_not_allowed POST");
    for (const method of ["PUT", "PATCH", "HEAD", "OPTIONS"])
      expect(told(method, "/v1/files/f")).toBe("openai method_not_allowed GET, POST, DELETE");
  });

  test("is piped unlisted when it is any other POST below /v1", () => {
    for (const path of [
      "/ocr",
      "/fim/completions",
      "/realtimes",
      "/videos",
      "/audio/a/b",
      "/chat/completions/",
    ])
      expect(told("POST", `/v1${path}`)).toBe(`openai required ${path} unlisted`);
    for (const path of ["/ocr", "/fim/completions", "/v1", "/", "", "/v2/rerank"])
      expect(told("POST", path)).toBe("openai not_found");
    for (const method of ["GET", "PUT", "DELETE"]) expect(told(method, "/v1/ocr")).toBe("openai not_found");
  });

  test("is not found below realtime and models", () => {
    for (const base of ["/v1/realtime", "/realtime", "/v1/models", "/models"])
      for (const path of [base, `${base}/`, `${base}/sessions`, `${base}/a/b`])
        for (const method of ["GET", "POST", "DELETE"]) expect(told(method, path)).toBe("openai not_found");
  });

  test("is not found below realtime when its letters are escaped", () => {
    for (const path of [
      "/v1/%72ealtime",
      "/v1/%72ealtime/sessions",
      "/v1/real%74ime",
      "/v1/%6dodels/x",
      "/v1/%6Dessages",
    ])
      expect(told("POST", path)).toBe("openai not_found");
  });

  test("matters in its case", () => {
    expect(told("POST", "/V1/chat/completions")).toBe("openai not_found");
    expect(told("GET", "/v1/Files")).toBe("openai not_found");
  });
});

describe("a path of the Anthropic family", () => {
  test("is piped only below /v1", () => {
    expect(told("POST", "/v1/messages")).toBe("anthropic required /messages");
    expect(told("POST", "/v1/messages/count_tokens")).toBe("anthropic required /messages/count_tokens");
    expect(told("POST", "/v1/messages/batches")).toBe("anthropic pinned /messages/batches");
    expect(told("GET", "/v1/messages/batches")).toBe("anthropic pinned /messages/batches");
    expect(told("GET", "/v1/messages/batches/b/results")).toBe(
      "anthropic pinned /messages/batches/b/results",
    );
    expect(told("DELETE", "/v1/messages/batches/b")).toBe("anthropic pinned /messages/batches/b");
    expect(told("POST", "/messages")).toBe("openai not_found");
  });

  test("shapes its refusals", () => {
    expect(told("GET", "/v1/messages")).toBe("anthropic method_not_allowed POST");
    expect(told("POST", "/v1/messages/other")).toBe("anthropic not_found");
    expect(told("POST", "/v1/messages/")).toBe("anthropic not_found");
    expect(told("POST", "/v1/messagesx")).toBe("openai required /messagesx unlisted");
    expect(familyOfPath("/v1/messages/../x")).toBe("anthropic");
  });
});

describe("a path of the Gemini family", () => {
  test("names model and verb", () => {
    for (const verb of [
      "generateContent",
      "streamGenerateContent",
      "countTokens",
      "embedContent",
      "batchEmbedContents",
      "predict",
    ])
      expect(readOperation("POST", `/v1beta/models/gemini-2.5-pro:${verb}`)).toEqual({
        kind: "operation",
        family: "gemini",
        need: "required",
        path: `/models/{model}:${verb}`,
        model: "gemini-2.5-pro",
        stream: verb === "streamGenerateContent",
        unlisted: false,
      });
    expect(readOperation("POST", "/v1beta/tunedModels/my%20tune:generateContent")).toMatchObject({
      model: "my tune",
      path: "/tunedModels/{model}:generateContent",
    });
  });

  test("is refused in every other form", () => {
    expect(told("GET", "/v1beta/models/g:generateContent")).toBe("gemini method_not_allowed POST");
    for (const path of [
      "/v1beta/models",
      "/v1beta/models/",
      "/v1beta/models/g",
      "/v1beta/models/:generateContent",
      "/v1beta/models/g:",
      "/v1beta/models/g:generate-content",
      "/v1beta/models/a/b:generateContent",
      "/v1beta/models/a%2fb:generateContent",
      "/v1beta/models/%ff:generateContent",
      "/v1beta/models/g:generateContent/x",
      "/v1beta/files",
      "/v1beta/",
    ])
      expect(told("POST", path)).toBe("gemini not_found");
    expect(told("POST", "/v1beta")).toBe("openai not_found");
    expect(told("POST", "/models/g:generateContent")).toBe("openai not_found");
  });
});

describe("a path that could be read in two ways", () => {
  test.each([
    "/v1/./chat/completions",
    "/v1/../v1/chat/completions",
    "/v1/files/..",
    "/v1/files/.",
    "/v1/files/../realtime",
    "/v1/files/%2e%2e/x",
    "/v1/files/%2E%2E",
    "/v1/files/.%2e/x",
    "/v1/files/a%2fb",
    "/v1/files/a%2Fb",
    "/v1/files/a%5cb",
    "/v1/files/a%5Cb",
    "/v1/files/a\\b",
    "/v1//chat/completions",
    "//v1/chat/completions",
    "//evil.com/v1/chat/completions",
    "/v1/files//",
    "/v1/files/a%00",
    "/v1/files/a%0d%0ab",
    "/v1/files/a%1F",
    "/v1/files/a%7f",
    "/v1/files/%",
    "/v1/files/%4",
    "/v1/files/%zz",
    "/v1/files/a b",
    "/v1/files/é",
    "/v1/files/a\u0000",
    "/v1/files/a\n",
    "/v1/files/a#b",
    "/v1/files/a?b",
    "/v1/files/<a>",
    '/v1/files/"a"',
    "/v1/%63hat/completions",
    "/%76%31/chat/completions",
  ])("is not found: %p", (path) => {
    expect(isCleanPath(path)).toBe(false);
    expect(readOperation("POST", path).kind).toBe("not_found");
    expect(readOperation("GET", path).kind).toBe("not_found");
  });

  test("is none of these", () => {
    for (const path of [
      "/v1/files/a.b..c",
      "/v1/files/...",
      "/v1/files/a%20b%C3%A9%3A",
      "/v1/files/a:b@c;d=e,f!$&'()*+~_-",
    ])
      expect(told("GET", path)).toBe(`openai pinned ${path.slice(3)}`);
  });

  test("never survives URL parsing differently", () => {
    const pieces = fc.constantFrom(
      "/",
      "//",
      ".",
      "..",
      "%2e",
      "%2f",
      "%5c",
      "\\",
      "a",
      "v1",
      "files",
      "?",
      "#",
      "@",
      ":",
      "%41",
      "\t",
      "é",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
        const path = `/v1/files/${parts.join("")}`;
        if (!isCleanPath(path)) return;
        expect(new URL(path, "http://h").pathname).toBe(path);
        expect(decodeURIComponent(new URL(path, "http://h").pathname).split("/").length).toBe(
          path.split("/").length,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
