// An upstream's body to its final form, or to all that is wrong with it: for the admin API, its state file and TrustGate's files.
import { isIP } from "node:net";
import type { Static } from "@sinclair/typebox";
import { Secret } from "../core/credential.ts";
import { readStrategyName } from "../core/strategy.ts";
import type {
  BodyValue,
  UpstreamBody,
  UpstreamHealth,
  UpstreamKey,
  UpstreamReading,
  UpstreamTarget,
} from "../core/upstream.ts";
import { findDisagreements, isMap } from "./upstream-rules.ts";
import { findProblems } from "./upstream-problems.ts";
import { UPSTREAM_SCHEMA } from "./upstream-schema.ts";

type Body = Static<typeof UPSTREAM_SCHEMA>;
type TargetBody = Body["targets"][number];

/** `value` is JSON, as a parser gives it. Nulls, and empty texts where text may be left out, count as absent, as Go writes them. */
export function readUpstream(value: unknown): UpstreamReading {
  const given = withoutBlanks(value);
  const shape = findProblems(UPSTREAM_SCHEMA, given);
  // Rules that no schema can say are looked at too, so that all is told at once; but no field twice.
  const told = new Set(shape.map(({ path }) => path));
  const rules = isMap(given) ? findDisagreements(given).filter(({ path }) => !told.has(path)) : [];
  const problems = [...shape, ...rules];
  if (problems.length > 0) return { kind: "problems", problems };
  const body = given as Body;
  return {
    kind: "upstream",
    spec: {
      name: body.name,
      strategy: readStrategyName(body.algorithm ?? DEFAULT_ALGORITHM) ?? DEFAULT_ALGORITHM,
      targets: body.targets.map(readTarget),
      health: readHealth(body.health_checks),
      unlistedModel: body.model_mismatch ?? "refuse",
    },
    body: sealBody(given as UpstreamBody),
  };
}

const DEFAULT_ALGORITHM = "round-robin";
const DEFAULT_THRESHOLD = 3;
const DEFAULT_INTERVAL_SECONDS = 60;
const DEFAULT_PRIORITY = 1;

function readTarget(target: TargetBody): UpstreamTarget {
  const { host, port, protocol = "https", path = "", default_model: defaultModel } = target;
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const name = isIP(bare) === 6 ? `[${bare}]` : bare;
  const { origin } = new URL(`${protocol}://${name}${port === undefined ? "" : `:${port}`}`);
  const key = readKey(target.credentials);
  return {
    origin,
    path: basePath(path),
    weight: target.weight ?? 1,
    priority: target.priority ?? DEFAULT_PRIORITY,
    models: target.models ?? [],
    headers: new Map(
      Object.entries(target.headers ?? {}).map(([header, text]) => [header.toLowerCase(), new Secret(text)]),
    ),
    ...(defaultModel === undefined ? {} : { defaultModel }),
    ...(key === undefined ? {} : { key }),
  };
}

/** TrustGate sends every request to the target's path as it stands, so its users write the operation along. */
const OPERATION = /\/(chat\/completions|completions|embeddings|responses|messages)$/;

const basePath = (path: string): string => path.replace(/\/+$/, "").replace(OPERATION, "");

function readKey(credentials: TargetBody["credentials"] = {}): UpstreamKey | undefined {
  const { header_name: header, header_value: text, param_name: name, param_value: value } = credentials;
  if (header !== undefined && text !== undefined) {
    const [, prefix = "", rest = text] = /^(Bearer +)(.+)$/i.exec(text) ?? [];
    return { secret: new Secret(rest), placement: { in: "header", name: header.toLowerCase(), prefix } };
  }
  if (name === undefined || value === undefined) return undefined;
  const { param_location: location = "query" } = credentials;
  return { secret: new Secret(value), placement: { in: location, name, prefix: "" } };
}

function readHealth(checks: Body["health_checks"]): UpstreamHealth {
  if (checks === undefined) return { kind: "general" };
  const { passive = true, threshold = DEFAULT_THRESHOLD, interval = DEFAULT_INTERVAL_SECONDS } = checks;
  return passive ? { kind: "own", threshold, restMs: Math.ceil(interval * 1000) } : { kind: "off" };
}

function withoutBlanks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBlanks);
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(
    ([name, each]) => each !== null && !(each === "" && name !== "name" && name !== "host"),
  );
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutBlanks(each)]));
}

const SECRET_FIELDS = new Set(["header_value", "param_value"]);

/** The same body with its secrets sealed; whatever `headers` holds counts as secret. */
function sealBody(body: UpstreamBody): UpstreamBody {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, seal(value, false)]));
}

function seal(value: BodyValue, secret: boolean): BodyValue {
  if (typeof value === "string") return secret ? new Secret(value) : value;
  if (typeof value !== "object" || value === null || value instanceof Secret) return value;
  if (Array.isArray(value)) return (value as readonly BodyValue[]).map((each) => seal(each, secret));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      seal(each, secret || name === "headers" || SECRET_FIELDS.has(name)),
    ]),
  );
}
