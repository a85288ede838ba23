// The body of an upstream as TrustGate's users write it: what each field is, for the reader and for the API's description.
import { type TSchema, Type } from "@sinclair/typebox";

/** Fields that may stand there and decide nothing here: names, notes, and what TrustGate itself answers with. */
const note = (description: string) =>
  Type.Optional(Type.Unknown({ description: `${description} Kept, and without effect.` }));

const closed = <P extends Record<string, TSchema>>(properties: P, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

/** RFC 9110 section 5.6.2. */
const HEADER_NAME = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
/** Visible ASCII and blanks inside: what fits into a header and comes out unchanged. */
const HEADER_VALUE = "^[\\x21-\\x7e](?:[\\x20-\\x7e]*[\\x21-\\x7e])?$";

const headerName = (description: string) =>
  Type.String({ title: "the name of a header", description, pattern: HEADER_NAME, maxLength: 128 });
const secretText = (description: string) =>
  Type.String({
    title: "text in plain ASCII without blanks at its ends",
    description,
    pattern: HEADER_VALUE,
    maxLength: 8192,
  });
const model = (description: string) =>
  Type.String({ title: "a model name", description, minLength: 1, maxLength: 256 });

const CREDENTIALS = closed(
  {
    header_name: Type.Optional(headerName("Header that carries the key: Authorization, x-api-key.")),
    header_value: Type.Optional(
      secretText("What the header says, word for word: `Bearer sk-…`. Shown masked."),
    ),
    param_name: Type.Optional(
      Type.String({
        title: "the name of a parameter",
        description:
          "Parameter of the query or field of the body that carries the key, in place of a header.",
        pattern: "^[A-Za-z0-9._~-]+$",
        maxLength: 128,
      }),
    ),
    param_value: Type.Optional(secretText("The key in that parameter. Shown masked.")),
    param_location: Type.Optional(
      Type.Union([Type.Literal("query"), Type.Literal("body")], {
        description:
          "Where the parameter goes; a form or a request without a body has no place for it. Absent: query.",
      }),
    ),
  },
  "The key of the target: a header with its value, or a parameter with its value.",
);

const TARGET = closed(
  {
    host: Type.String({
      title: "a host name or address, without scheme, port and path",
      description: "Host name or address.",
      pattern: "^([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\[?[0-9A-Fa-f:.]+\\]?)$",
      maxLength: 253,
    }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: "Absent: that of the protocol." }),
    ),
    protocol: Type.Optional(
      Type.Union([Type.Literal("http"), Type.Literal("https")], { description: "Absent: https." }),
    ),
    path: Type.Optional(
      Type.String({
        title: "a path that begins with a slash, without query",
        description:
          "Base path; the name of an operation at its end, such as /chat/completions, is left out. Absent: the host's usual one.",
        pattern: "^/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@/-]*$",
        maxLength: 1024,
      }),
    ),
    weight: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1_000_000,
        description: "Share among the targets; 0 gets nothing. Absent: 1.",
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: "Lower first; the next level only when none of the level is usable. Absent: 1.",
      }),
    ),
    default_model: Type.Optional(model("Sent when the client names the upstream, or no model.")),
    models: Type.Optional(
      Type.Array(model("A model name."), {
        maxItems: 1000,
        description: "Models of this target alone. Absent or empty: any.",
      }),
    ),
    credentials: Type.Optional(CREDENTIALS),
    headers: Type.Optional(
      Type.Record(Type.String(), secretText("The header's value. Shown masked."), {
        description: "Added to every request to this target.",
      }),
    ),
    id: note("Name of the target."),
    tags: note("Labels."),
    description: note("Note for people."),
    stream: note("TrustGate's switch; clients ask for streams themselves."),
  },
  "One address with its key.",
);

const HEALTH_CHECKS = closed(
  {
    passive: Type.Optional(
      Type.Boolean({ description: "Whether failures in a row rest a target. Absent: true." }),
    ),
    threshold: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: "So many failures in a row. Absent: 3." }),
    ),
    interval: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 86_400,
        title: "seconds, above 0, to 86400",
        description: "Length of the rest in seconds. Absent: 60.",
      }),
    ),
    path: note("TrustGate never asks it."),
    headers: note("TrustGate never sends them."),
  },
  "Rests for targets that fail. Absent: weir's own rules.",
);

export const UPSTREAM_SCHEMA = closed(
  {
    name: Type.String({
      title: "a name of 1 to 128 characters without * and control characters",
      description: "The model name that leads to all targets.",
      pattern: "^[^*\\x00-\\x1f\\x7f-\\x9f\\s](?:[^*\\x00-\\x1f\\x7f-\\x9f]*[^*\\x00-\\x1f\\x7f-\\x9f\\s])?$",
      maxLength: 128,
    }),
    algorithm: Type.Optional(
      Type.String({
        title: "the name of a strategy",
        description: "One of weir's strategies, or another name for it. Absent: round-robin.",
        maxLength: 64,
      }),
    ),
    targets: Type.Array(TARGET, { minItems: 1, maxItems: 1000, description: "At least one." }),
    health_checks: Type.Optional(HEALTH_CHECKS),
    model_mismatch: Type.Optional(
      Type.Union([Type.Literal("refuse"), Type.Literal("default")], {
        description: "What becomes of a model in no target's list: 404, or a default model. Absent: refuse.",
      }),
    ),
    id: note("Given by weir."),
    gateway_id: note("Any."),
    tags: note("Labels."),
    created_at: note("TrustGate's date."),
    updated_at: note("TrustGate's date."),
  },
  "A pool of targets under one name.",
);
