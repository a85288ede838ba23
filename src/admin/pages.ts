// The admin API: upstreams over HTTP, at the paths and with the bodies that TrustGate has. There is one gateway, of any name.
import { type Page, pathOf } from "../core/page.ts";
import type { Refusal } from "../core/refusal.ts";
import type { UpstreamProblem } from "../core/upstream.ts";
import { readBody } from "./body.ts";
import { maskBody } from "./mask.ts";
import { describeApi } from "./openapi.ts";
import { answer, refuseProblems, refuseWith } from "./reply.ts";
import type { Change, Precondition, StoredUpstream, UpstreamStore } from "./store.ts";

export interface AdminTerms {
  readonly store: UpstreamStore;
  /** Text to JSON. */
  readonly parse: (
    text: string,
  ) =>
    | { readonly kind: "value"; readonly value: unknown }
    | { readonly kind: "problems"; readonly problems: readonly UpstreamProblem[] };
  /** JSON Schema of an upstream, for the description. */
  readonly schema: object;
}

const GATEWAYS = "/api/v1/gateways";
const UPSTREAMS = `${GATEWAYS}/:gateway/upstreams`;
const UPSTREAM = `${UPSTREAMS}/:upstream`;

export function adminPages({ store, parse, schema }: AdminTerms): readonly Page[] {
  let description: Promise<string> | undefined;
  const change = async (
    request: Request,
    act: (value: unknown) => Promise<Change>,
  ): Promise<Change | Response> => {
    const body = await readBody(request);
    if (body.kind === "refused") return refuseWith(body.refusal);
    const parsed = parse(body.text);
    return parsed.kind === "problems" ? refuseProblems(parsed.problems) : act(parsed.value);
  };
  const known = (
    request: Request,
    use: (upstream: StoredUpstream, gateway: string) => Response,
  ): Response => {
    const { gateway, upstream } = namesIn(request);
    const found = store.find(upstream);
    return found === undefined ? refuseWith(UNKNOWN) : use(found, gateway);
  };
  return [
    page("GET", GATEWAYS, () => {
      const gateways = [viewGateway("weir", store)];
      return answer(200, { gateways, count: gateways.length, offset: 0, limit: gateways.length });
    }),
    page("GET", `${GATEWAYS}/:gateway`, (request) =>
      answer(200, viewGateway(namesIn(request).gateway, store)),
    ),
    page("GET", UPSTREAMS, (request) => {
      const { gateway } = namesIn(request);
      return answer(
        200,
        store.list().map((upstream) => viewUpstream(upstream, gateway)),
      );
    }),
    page("POST", UPSTREAMS, async (request) => {
      const changed = await change(request, store.create);
      const { gateway } = namesIn(request);
      return reply(changed, (upstream) =>
        tell(201, upstream, gateway, {
          location: `${GATEWAYS}/${encodeURIComponent(gateway)}/upstreams/${upstream.id}`,
        }),
      );
    }),
    page("GET", UPSTREAM, (request) => known(request, (upstream, gateway) => tell(200, upstream, gateway))),
    page("PUT", UPSTREAM, async (request) => {
      const { gateway, upstream: id } = namesIn(request);
      const changed = await change(request, (value) => store.replace(id, value, preconditionOf(request)));
      return reply(changed, (upstream) => tell(200, upstream, gateway));
    }),
    page("DELETE", UPSTREAM, async (request) => {
      const changed = await store.remove(namesIn(request).upstream, preconditionOf(request));
      return reply(changed, () => new Response(null, { status: 204 }));
    }),
    page("GET", "/api/v1/openapi.json", async () => {
      description ??= describeApi(schema);
      const headers = { "content-type": "application/json", "cache-control": "no-cache" };
      return new Response(await description, { headers });
    }),
  ];
}

const page = (method: Page["method"], path: string, respond: Page["respond"]): Page => ({
  method,
  path,
  respond,
});

/** `/api/v1/gateways/{gateway}/upstreams/{upstream}` */
function namesIn(request: Request): { readonly gateway: string; readonly upstream: string } {
  const [, , , , gateway = "", , upstream = ""] = pathOf(request.url).split("/");
  return { gateway: decoded(gateway), upstream: decoded(upstream) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a broken escape: no name of ours
  }
}

const viewGateway = (id: string, store: UpstreamStore) => ({
  id,
  name: "weir",
  status: "active",
  upstreams: store.list().length,
});

/** Ids are weir's to give, whatever the body says. */
function viewUpstream({ id, body }: StoredUpstream, gateway: string): object {
  const { id: _, gateway_id: __, ...rest } = maskBody(body);
  return { id, gateway_id: gateway, ...rest };
}

const tagOf = ({ id, revision }: StoredUpstream): string => `"${id}-${revision}"`;

function tell(
  status: number,
  upstream: StoredUpstream,
  gateway: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return answer(status, viewUpstream(upstream, gateway), { etag: tagOf(upstream), ...headers });
}

/** RFC 9110 section 13.1.1. */
function preconditionOf({ headers }: Request): Precondition {
  const asked = headers
    .get("if-match")
    ?.split(",")
    .map((tag) => tag.trim());
  return (upstream) => asked === undefined || asked.includes("*") || asked.includes(tagOf(upstream));
}

function reply(changed: Change | Response, use: (upstream: StoredUpstream) => Response): Response {
  if (changed instanceof Response) return changed;
  switch (changed.kind) {
    case "stored":
      return use(changed.upstream);
    case "problems":
      return refuseProblems(changed.problems);
    case "taken":
      return refuseWith({ ...TAKEN, message: `an upstream named "${changed.name}" is there already` });
    case "unknown":
      return refuseWith(UNKNOWN);
    case "moved":
      return refuseWith(MOVED);
    case "full":
      return refuseWith(FULL);
    case "unwritten":
      return refuseWith({
        ...UNWRITTEN,
        message: `cannot write admin.state_file (${changed.reason}); nothing has changed`,
      });
  }
}

const UNKNOWN: Refusal = {
  status: 404,
  code: "upstream_not_found",
  message: "there is no upstream of this id",
};
const TAKEN = { status: 409, code: "name_taken", param: "name" };
const FULL: Refusal = {
  status: 409,
  code: "too_many_upstreams",
  message: "there is no room for another upstream",
};
const MOVED: Refusal = {
  status: 412,
  code: "upstream_changed",
  message: "the upstream has changed since it was read; read it again",
};
const UNWRITTEN = { status: 500, code: "state_not_written" };
