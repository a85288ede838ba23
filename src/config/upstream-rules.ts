// The rules for an upstream's body that no schema can say: names that must be known, and fields that belong together.
import { readStrategyName, STRATEGY_NAMES } from "../core/strategy.ts";
import type { UpstreamProblem } from "../core/upstream.ts";
import { quoted } from "./problem.ts";
import { suggestion } from "./readers.ts";

type Json = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The body may have any shape here: what of it has the right one is looked at. */
export function findDisagreements(body: Json): UpstreamProblem[] {
  const targets = Array.isArray(body["targets"]) ? body["targets"] : [];
  return [
    ...algorithmProblems(body["algorithm"]),
    ...targets.flatMap((target: unknown, at) =>
      isMap(target) ? targetProblems(target, `targets[${at}]`) : [],
    ),
  ];
}

/** A user's own strategy is a file that weir would load and run: no caller may name one. */
function algorithmProblems(algorithm: unknown): UpstreamProblem[] {
  if (typeof algorithm !== "string") return [];
  const known = readStrategyName(algorithm);
  if (known !== undefined && !known.startsWith("custom:")) return [];
  const expected = `one of ${STRATEGY_NAMES.join(", ")}${suggestion(algorithm, STRATEGY_NAMES)}`;
  return [{ path: "algorithm", expected, found: quoted(algorithm) }];
}

function targetProblems(target: Json, path: string): UpstreamProblem[] {
  const { credentials, headers } = target;
  return [
    ...hostProblems(target, path),
    ...(isMap(credentials) ? credentialProblems(credentials, `${path}.credentials`) : []),
    ...(isMap(headers) ? headerProblems(headers, `${path}.headers`) : []),
  ];
}

/** `999.1.1.1` has the form of a name, and no URL takes it. */
function hostProblems({ host }: Json, path: string): UpstreamProblem[] {
  if (typeof host !== "string" || host.includes(":") || URL.canParse(`http://${host}`)) return [];
  return [{ path: `${path}.host`, expected: "a host name or IP address", found: quoted(host) }];
}

function credentialProblems(credentials: Json, path: string): UpstreamProblem[] {
  const has = (name: string): boolean => credentials[name] !== undefined;
  const problems: UpstreamProblem[] = [];
  for (const [name, value] of [
    ["header_name", "header_value"],
    ["param_name", "param_value"],
  ] as const) {
    if (has(name) && !has(value))
      problems.push({ path: `${path}.${value}`, expected: `the value of ${name}`, found: "nothing" });
    if (has(value) && !has(name))
      problems.push({ path: `${path}.${name}`, expected: `where ${value} goes`, found: "nothing" });
  }
  if (has("header_name") && has("param_name"))
    problems.push({ path, expected: "a header or a parameter", found: "both" });
  if (credentials["param_location"] === "body" && FIELDS_OF_REQUESTS.has(String(credentials["param_name"])))
    problems.push({ path: `${path}.param_name`, expected: "a field of its own, not one of the request's" });
  problems.push(...reservedProblems(credentials["header_name"], `${path}.header_name`));
  for (const name of ["header_value", "param_value"])
    problems.push(...secretProblems(credentials[name], `${path}.${name}`));
  return problems;
}

/** A key in their place would be no request any more. */
const FIELDS_OF_REQUESTS = new Set(["model", "stream", "messages", "input", "prompt", "prompt_cache_key"]);

function headerProblems(headers: Json, path: string): UpstreamProblem[] {
  return Object.entries(headers).flatMap(([name, text]) => {
    const where = `${path}.${name}`;
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(name))
      return [{ path, expected: "names of headers", found: quoted(name) }];
    return [...reservedProblems(name, where), ...secretProblems(text, where)];
  });
}

/** What frames a message or belongs to one connection (RFC 9110 section 7.6.1) is weir's to write. */
const RESERVED =
  /^(host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|x-weir-.*)$/i;

function reservedProblems(name: unknown, path: string): UpstreamProblem[] {
  if (typeof name !== "string" || !RESERVED.test(name)) return [];
  return [{ path, expected: "a header that weir does not write itself", found: quoted(name) }];
}

function secretProblems(text: unknown, path: string): UpstreamProblem[] {
  if (typeof text !== "string") return [];
  if (/^(Bearer +)?\*\*\*/i.test(text))
    return [
      {
        path,
        expected:
          "the key itself; its masked form is taken only in a PUT that leaves the target's address as it was",
        found: "a masked one",
      },
    ];
  if (/\$\{\w*/.test(text))
    return [
      {
        path,
        expected: "the key itself, as variables are not expanded here",
        found: "a reference to a variable",
      },
    ];
  return [];
}
