// The model field of a form is found as a form parser finds it; files and their contents never count.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Envelope, replaceSpan, type Unreadable } from "../../src/core/envelope.ts";
import { readBoundary, readForm } from "../../src/core/multipart.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function encode(
  form: FormData,
): Promise<{ body: Uint8Array<ArrayBuffer>; type: string; boundary: string }> {
  const response = new Response(form);
  const type = response.headers.get("content-type") ?? "";
  return { body: await response.bytes(), type, boundary: readBoundary(type) ?? "" };
}

const part = (disposition: string, value: string, more = ""): string =>
  `--B\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${value}\r\n`;
const form = (...parts: readonly string[]): string => `${parts.join("")}--B--\r\n`;
const read = (body: string): Envelope | Unreadable => readForm(bytes(body), "B");
const reasonOf = (found: Envelope | Unreadable): string => (found.kind === "unreadable" ? found.reason : "");
const modelOf = (found: Envelope | Unreadable): string | undefined =>
  found.kind === "envelope" ? found.model : `refused: ${found.reason}`;

describe("a boundary", () => {
  test.each<[string | null, string | undefined]>([
    ["multipart/form-data; boundary=abc", "abc"],
    ["Multipart/Form-Data;BOUNDARY=abc", "abc"],
    ['multipart/form-data; charset=utf-8; boundary="a b:c"', "a b:c"],
    ["multipart/form-data ; boundary=----WebKit123; x=y", "----WebKit123"],
    ["multipart/form-data", ""],
    ["multipart/form-data; boundary=", ""],
    ["multipart/mixed; boundary=abc", undefined],
    ["multipart/form-datax; boundary=abc", undefined],
    ["application/json", undefined],
    [null, undefined],
  ])("of %p is read", (type, boundary) => {
    expect(readBoundary(type)).toBe(boundary as string);
  });
});

describe("a form of FormData's making", () => {
  test("shows model and stream in any order among files and other fields", async () => {
    const value = fc.string({
      unit: fc.constantFrom("a", "\r\n", "-", "--", '"', "é", "model", ";"),
      maxLength: 30,
    });
    const field = fc.tuple(fc.constantFrom("prompt", "Model", "models", "mod el", 'a"b', "language"), value);
    const model = fc.string({
      unit: fc.constantFrom("a", "b", "-", "/", "é", "😀", '"', "\\"),
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(field, { maxLength: 5 }),
        model,
        fc.nat(5),
        fc.boolean(),
        async (fields, name, at, stream) => {
          const data = new FormData();
          const file = new File(
            [bytes('\r\nContent-Disposition: form-data; name="model"\r\n\r\ndecoy\r\n')],
            "model",
          );
          data.append("file", file);
          for (const [index, [key, text]] of fields.entries()) {
            if (index === at) data.append("model", name);
            data.append(key, text);
          }
          if (at >= fields.length) data.append("model", name);
          data.append("stream", String(stream));
          const { body, boundary } = await encode(data);
          const found = readForm(body, boundary);
          expect(found).toMatchObject({ kind: "envelope", model: name, stream });
        },
      ),
      { numRuns: 200 },
    );
  });

  test("without a model has none, also with a file of that name or field", async () => {
    const data = new FormData();
    data.append("model", new File(["gpt-4o"], "model.txt"));
    data.append("file", new File(["x"], "model"));
    const { body, boundary } = await encode(data);
    expect(readForm(body, boundary)).toEqual({ kind: "envelope", stream: false });
  });

  test("is refused or gives the whole model wherever it is cut", async () => {
    const data = new FormData();
    data.append("file", new File([new Uint8Array(50).fill(13)], "a.wav"));
    data.append("model", "whisper-1");
    data.append("stream", "true");
    const { body, boundary } = await encode(data);
    for (let length = 0; length < body.length; length += 1) {
      const found = readForm(body.subarray(0, length), boundary);
      // What follows the closing boundary is padding.
      if (length < body.length - 2) expect(found.kind).toBe("unreadable");
      else expect(modelOf(found)).toBe("whisper-1");
    }
  });

  test("reads alike after a rename, with every other byte in place", async () => {
    const data = new FormData();
    data.append("prompt", "hi");
    data.append("model", "whisper-1");
    data.append("file", new File([crypto.getRandomValues(new Uint8Array(3000))], "a.wav"));
    const { body, boundary, type } = await encode(data);
    const found = readForm(body, boundary);
    if (found.kind !== "envelope" || found.modelSpan === undefined) throw new Error("refused");
    const renamed = replaceSpan(body, found.modelSpan, bytes("größer/whisper-large-v3"));
    const back = await new Response(renamed, { headers: { "content-type": type } }).formData();
    expect(back.get("model")).toBe("größer/whisper-large-v3");
    expect(back.get("prompt")).toBe("hi");
    const sent = data.get("file") as File;
    expect(await (back.get("file") as unknown as File).bytes()).toEqual(await sent.bytes());
    expect(renamed.subarray(0, found.modelSpan.start)).toEqual(body.subarray(0, found.modelSpan.start));
  });
});

const streamOf = (value: string) => {
  const found = read(form(part('name="stream"', value)));
  return found.kind === "envelope" && found.stream;
};

describe("a form by hand", () => {
  test("may write its names in several ways", () => {
    for (const disposition of [
      'name="model"',
      "name=model",
      'NAME="model"',
      'x=y; name="model"',
      'name="model"; y=z',
    ])
      expect(modelOf(read(form(part(disposition, "m"))))).toBe("m");
    expect(modelOf(read("--B\r\ncontent-disposition:form-data;name=model\r\n\r\nm\r\n--B--"))).toBe("m");
    const typed = part('name="model"', "m", "Content-Type: text/plain; charset=utf-8\r\n");
    expect(modelOf(read(form(typed)))).toBe("m");
    const later =
      '--B\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--B--';
    expect(modelOf(read(later))).toBe("m");
  });

  test("may have a preamble, an epilogue, space after a boundary, and bare parts", () => {
    expect(modelOf(read(`preamble\r\n${form(part('name="model"', "m"))}epilogue`))).toBe("m");
    expect(modelOf(read('--B \t\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--B--'))).toBe(
      "m",
    );
    expect(modelOf(read(`--B\r\n\r\nno header\r\n${form(part('name="model"', "m"))}`))).toBe("m");
  });

  test("counts nothing else as the model", () => {
    for (const disposition of [
      'name="Model"',
      'name="models"',
      'name="amodel"',
      'filename="model"',
      'name="model"; filename="a"',
      "name=\"model\"; filename*=utf-8''a",
      'name="x; name=model"',
    ])
      expect(modelOf(read(form(part(disposition, "decoy"))))).toBeUndefined();
    const decoys = '--B\r\nContent-Disposition: attachment; name="model"\r\n\r\ndecoy\r\n';
    expect(
      modelOf(read(form(decoys, part('name="prompt"', 'Content-Disposition: form-data; name="model"')))),
    ).toBeUndefined();
  });

  test("holds values that look like boundaries", () => {
    for (const value of ["x--B", "x--B--", "\n--B\n", "\r--B", "\r\n--A", "\r\n-B", "\r\n--", "--\r\n--"])
      expect(modelOf(read(form(part('name="prompt"', value), part('name="model"', value))))).toBe(value);
    // A line that begins with the boundary is one (RFC 2046 section 5.1.1); what follows it makes it broken.
    expect(reasonOf(read(form(part('name="model"', "\r\n--Bx"))))).toContain("boundary is broken");
  });

  test("is refused when it has no single readable model", () => {
    const model = part('name="model"', "m");
    expect(reasonOf(read(form(model, model)))).toContain("more than one model");
    expect(reasonOf(read(form(part('name="model"', ""))))).toContain("model is empty");
    expect(reasonOf(read('--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n--B--'))).not.toBe("");
    expect(reasonOf(read(form(part('name="model"', "m".repeat(513)))))).toContain("longer than 512");
    const bad = Buffer.concat([
      bytes('--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n'),
      Buffer.from([0xff]),
      bytes("\r\n--B--"),
    ]);
    expect(reasonOf(readForm(bad, "B"))).toContain("not valid UTF-8");
  });

  test("is refused when it is no form", () => {
    expect(reasonOf(readForm(bytes("x"), ""))).toContain("no boundary");
    expect(reasonOf(read(""))).toContain("does not contain its boundary");
    expect(reasonOf(read('{"model":"m"}'))).toContain("does not contain its boundary");
    expect(reasonOf(read("--B"))).toContain("cut");
    expect(reasonOf(read("--B\n\nx\n--B--"))).toContain("broken");
    expect(reasonOf(read("--B\r\nContent-Disposition: form-data"))).toContain("no end of its header");
    expect(reasonOf(read(`--B\r\n${"x".repeat(9000)}\r\n\r\nv\r\n--B--`))).toContain("no end of its header");
  });

  test("keeps a byte order mark, as upstreams do", () => {
    expect(modelOf(read(form(part('name="model"', "\uFEFFm"))))).toBe("\uFEFFm");
  });

  test("says true for a stream in lower case only", () => {
    expect(streamOf("true")).toBe(true);
    for (const value of ["false", "1", "", "truer than true"]) expect(streamOf(value)).toBe(false);
  });

  test("never throws on noise", () => {
    const pieces = fc.constantFrom(
      "--B",
      "--",
      "\r\n",
      "\n",
      "Content-Disposition: form-data; name=",
      '"model"',
      "model",
      " ",
      "x",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => void read(parts.join(""))),
      { numRuns: 3000 },
    );
  });

  test("reads a view into a larger buffer by its own offsets", () => {
    const body = bytes(form(part('name="model"', "m")));
    const shifted = Buffer.concat([bytes("--B\r\n123"), body]).subarray(8);
    expect(readForm(shifted, "B")).toEqual(readForm(body, "B"));
  });
});
