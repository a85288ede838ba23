// The description of the admin API in OpenAPI, made by Elysia's plugin from the schema that bodies are checked with.
import { Elysia, t, type TSchema } from "elysia";

const REFUSAL = t.Object(
  {
    error: t.Object({
      message: t.String(),
      type: t.String(),
      code: t.String(),
      param: t.Union([t.String(), t.Null()]),
      problems: t.Optional(
        t.Array(
          t.Object({
            path: t.String({ description: "Where, such as targets[0].port." }),
            expected: t.String(),
            found: t.Optional(t.String()),
          }),
        ),
      ),
    }),
  },
  { description: "Refused." },
);
const GATEWAY = t.Object(
  { id: t.String(), name: t.String(), status: t.String(), upstreams: t.Integer() },
  { description: "The one gateway, whatever id it was asked by." },
);
const NOTHING = t.Void({ description: "Removed." });

const described = (schema: TSchema, description: string): TSchema => ({ ...schema, description });
const refusal = (description: string): TSchema => described(REFUSAL, description);

const WRONG = {
  400: refusal("The body is wrong; every problem is told."),
  409: refusal("Another upstream has the name."),
  413: refusal("The body is too large."),
  415: refusal("The body is neither JSON nor YAML by its Content-Type."),
};
const UNSERVED = { 400: refusal("weir could not serve what would be left.") };
const UNWRITTEN = { 500: refusal("The state file could not be written; nothing has changed.") };
const UNKNOWN = { 404: refusal("There is no upstream of this id.") };
const MOVED = { 412: refusal("If-Match names another state of the upstream.") };
const KEYLESS = { 401: refusal("The admin key is missing or wrong.") };

const ADMIN = { security: [{ bearer: [] }, { header: [] }, { session: [] }], tags: ["upstreams"] };
const GATEWAYS = "/api/v1/gateways";
const UPSTREAMS = `${GATEWAYS}/:gateway/upstreams`;
const UPSTREAM = `${UPSTREAMS}/:upstream`;

/** The description's text. The plugin is loaded here, as few ever ask; its page is not served, for it loads a script from a CDN. */
export async function describeApi(schema: object): Promise<string> {
  const { openapi } = await import("@elysiajs/openapi");
  const body = schema as TSchema;
  const upstream = t.Intersect([t.Object({ id: t.String(), gateway_id: t.String() }), body], {
    description: "The upstream, its secrets masked. ETag names its state.",
  });
  const app = new Elysia()
    .use(openapi({ provider: null, documentation: DOCUMENTATION }))
    .get(GATEWAYS, nothing, {
      response: {
        200: t.Object({
          gateways: t.Array(GATEWAY),
          count: t.Integer(),
          offset: t.Integer(),
          limit: t.Integer(),
        }),
        ...KEYLESS,
      },
      detail: { ...ADMIN, summary: "List the one gateway" },
    })
    .get(`${GATEWAYS}/:gateway`, nothing, {
      response: { 200: GATEWAY, ...KEYLESS },
      detail: { ...ADMIN, summary: "Show the gateway" },
    })
    .get(UPSTREAMS, nothing, {
      response: { 200: t.Array(upstream), ...KEYLESS },
      detail: { ...ADMIN, summary: "List upstreams" },
    })
    .post(UPSTREAMS, nothing, {
      body,
      parse: "json",
      response: { 201: upstream, ...WRONG, ...UNWRITTEN, ...KEYLESS },
      detail: { ...ADMIN, summary: "Make an upstream; it serves at once" },
    })
    .get(UPSTREAM, nothing, {
      response: { 200: upstream, ...UNKNOWN, ...KEYLESS },
      detail: { ...ADMIN, summary: "Show an upstream" },
    })
    .put(UPSTREAM, nothing, {
      body,
      parse: "json",
      response: { 200: upstream, ...WRONG, ...UNWRITTEN, ...UNKNOWN, ...MOVED, ...KEYLESS },
      detail: { ...ADMIN, summary: "Replace an upstream; masked secrets stay as they are" },
    })
    .delete(UPSTREAM, nothing, {
      response: { 204: NOTHING, ...UNSERVED, ...UNKNOWN, ...MOVED, ...UNWRITTEN, ...KEYLESS },
      detail: { ...ADMIN, summary: "Remove an upstream" },
    });
  const response = await app.handle(new Request("http://localhost/openapi/json"));
  return response.text();
}

/** The routes are there to be described; pages.ts answers. */
const nothing = (): never => {
  throw new Error("this route is only described");
};

const DOCUMENTATION = {
  info: {
    title: "weir admin API",
    version: "1",
    description:
      "Upstreams over HTTP, with TrustGate's paths and bodies. Bodies may be JSON, JSON with comments, or YAML.",
  },
  components: {
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer" },
      header: { type: "apiKey", in: "header", name: "x-api-key" },
      session: {
        type: "apiKey",
        in: "cookie",
        name: "weir_session_8080",
        description: "What the page's login sets; the number is the port that the browser calls.",
      },
    },
  },
} as const;
