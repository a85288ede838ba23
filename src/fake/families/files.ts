// OpenAI's files, batches and uploads, remembered as long as the fake runs and up to a bound.
// Forms: https://platform.openai.com/docs/api-reference/files, .../batch and .../uploads
import { jsonAnswer, jsonOf, listOf, numberOf, textOf } from "./answer.ts";
import type { Answer, Json } from "./answer.ts";
import type { Ask } from "./ask.ts";

const MOST_FILES = 1000;
const MOST_FILE_BYTES = 16 * 1024 * 1024;
const CREATED_SEC = 1_735_689_600;

interface StoredFile {
  readonly about: Json;
  readonly content: Uint8Array;
}

/** The files of one fake, and what refers to them. */
export class FileShelf {
  private readonly files = new Map<string, StoredFile>();
  private readonly objects = new Map<string, Json>();

  answerFiles(ask: Ask): Answer | undefined {
    const [id = "", part] = ask.object.split("/");
    const { method } = ask.request;
    if (id === "" && method === "POST") return jsonAnswer(this.store(ask));
    if (id === "") return jsonAnswer(list([...this.files.values()].map((file) => file.about)));
    const file = this.files.get(id);
    if (file === undefined) return undefined;
    if (method === "DELETE") {
      this.files.delete(id);
      return jsonAnswer({ id, object: "file", deleted: true });
    }
    if (part !== "content") return jsonAnswer(file.about);
    const body = { kind: "whole", type: "application/octet-stream", data: file.content } as const;
    return { status: 200, body, steps: 1, tokensPerStep: 0 };
  }

  answerBatches(ask: Ask): Answer | undefined {
    const [id = "", verb] = ask.object.split("/");
    if (id === "" && ask.request.method === "GET") {
      return jsonAnswer(list([...this.objects.values()].filter((one) => one["object"] === "batch")));
    }
    if (id === "") return jsonAnswer(this.remember(batchOf(ask)));
    const known = this.objects.get(id);
    if (known === undefined) return undefined;
    const status = verb === "cancel" ? "cancelled" : "completed";
    return jsonAnswer(
      this.remember({ ...known, status: known["status"] === "cancelled" ? "cancelled" : status }),
    );
  }

  answerUploads(ask: Ask): Answer | undefined {
    const [id = "", verb] = ask.object.split("/");
    if (id === "") return jsonAnswer(this.remember(uploadOf(ask)));
    const known = this.objects.get(id);
    if (known === undefined) return undefined;
    if (verb === "parts") {
      return jsonAnswer({
        id: `part_fake_${ask.id}`,
        object: "upload.part",
        created_at: CREATED_SEC,
        upload_id: id,
      });
    }
    if (verb === "cancel") return jsonAnswer(this.remember({ ...known, status: "cancelled" }));
    const parts = listOf(ask.json?.["part_ids"]).length;
    const about = this.keep(ask, {
      content: new Uint8Array(),
      name: textOf(known["filename"]) ?? "file",
      purpose: textOf(known["purpose"]) ?? "assistants",
      bytes: numberOf(known["bytes"]) ?? parts,
    });
    return jsonAnswer(this.remember({ ...known, status: "completed", file: about }));
  }

  private store(ask: Ask): Json {
    const body = Buffer.from(
      ask.request.body.buffer,
      ask.request.body.byteOffset,
      ask.request.body.byteLength,
    );
    const text = body.toString("latin1");
    const head = /name="file"; filename="([^"]*)"(?:[^\r\n]*\r\n)+?\r\n/i.exec(text);
    const start = head === null ? 0 : head.index + head[0].length;
    const boundary = /^--([^\r\n]+)/.exec(text)?.[1] ?? "";
    const end = text.indexOf(`\r\n--${boundary}`, start);
    const content = new Uint8Array(body.subarray(start, end < 0 ? body.length : end));
    const purpose = /name="purpose"\r\n\r\n([^\r\n]*)/i.exec(text)?.[1] ?? "assistants";
    return this.keep(ask, { content, name: head?.[1] ?? "file", purpose, bytes: content.length });
  }

  private keep(
    ask: Ask,
    file: {
      readonly content: Uint8Array;
      readonly name: string;
      readonly purpose: string;
      readonly bytes: number;
    },
  ): Json {
    const about = {
      id: `file-fake-${ask.id}`,
      object: "file",
      bytes: file.bytes,
      created_at: CREATED_SEC,
      filename: file.name,
      purpose: file.purpose,
      status: "processed",
    };
    forgetOldest(this.files, MOST_FILES);
    this.files.set(about.id, { about, content: file.content.subarray(0, MOST_FILE_BYTES) });
    return about;
  }

  private remember(object: Json): Json {
    const id = textOf(object["id"]) ?? "";
    if (!this.objects.has(id)) forgetOldest(this.objects, MOST_FILES);
    this.objects.set(id, object);
    return object;
  }
}

const list = (data: readonly Json[]): Json => ({
  object: "list",
  data,
  has_more: false,
  first_id: data[0]?.["id"] ?? null,
  last_id: data.at(-1)?.["id"] ?? null,
});

function batchOf(ask: Ask): Json {
  const json = jsonOf(ask.json) ?? {};
  return {
    id: `batch_fake_${ask.id}`,
    object: "batch",
    endpoint: json["endpoint"] ?? "/v1/chat/completions",
    errors: null,
    input_file_id: json["input_file_id"] ?? "",
    completion_window: json["completion_window"] ?? "24h",
    status: "validating",
    output_file_id: null,
    error_file_id: null,
    created_at: CREATED_SEC,
    request_counts: { total: 0, completed: 0, failed: 0 },
    metadata: json["metadata"] ?? null,
  };
}

const uploadOf = (ask: Ask): Json => ({
  id: `upload_fake_${ask.id}`,
  object: "upload",
  bytes: ask.json?.["bytes"] ?? 0,
  created_at: CREATED_SEC,
  expires_at: CREATED_SEC + 3600,
  filename: ask.json?.["filename"] ?? "file",
  purpose: ask.json?.["purpose"] ?? "assistants",
  status: "pending",
  file: null,
});

function forgetOldest(map: Map<string, unknown>, most: number): void {
  const [oldest] = map.keys();
  if (map.size >= most && oldest !== undefined) map.delete(oldest);
}
