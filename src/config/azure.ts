// Azure OpenAI: an endpoint of one's own, and a version in every query or none.
import type { Address } from "./base-url.ts";
import type { Endpoints } from "./endpoints.ts";
import { type Notes, quoted } from "./problem.ts";
import type { Provider } from "./providers.ts";
import { type Reading, value } from "./readers.ts";
import { findVariable, type Variables } from "./variables.ts";

export const AZURE_ENDPOINT = "AZURE_OPENAI_ENDPOINT";
export const AZURE_VERSION = "AZURE_OPENAI_API_VERSION";

/** https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle: dated ones, or the one without dates. */
export type AzureVersion =
  | { readonly kind: "dated"; readonly query: string }
  | { readonly kind: "v1"; readonly query?: string };

export function readAzureVersion(variables: Variables, notes: Notes): AzureVersion {
  const variable = findVariable(variables, AZURE_VERSION);
  if (variable === undefined) return { kind: "v1" };
  const { text, where } = variable;
  const reading = azureVersion(text.trim());
  if (reading.kind === "value") return reading.value;
  const { expected } = reading;
  notes.problems.push({ kind: "configuration", where, expected, found: quoted(text.trim()) });
  return { kind: "v1" };
}

export function azureVersion(written: string): Reading<AzureVersion> {
  const text = written.toLowerCase();
  if (text === "v1" || text === "latest") return value({ kind: "v1" });
  if (text === "preview") return value({ kind: "v1", query: "api-version=preview" });
  if (/^\d{4}-\d{2}-\d{2}(-[a-z0-9]+)?$/.test(text))
    return value({ kind: "dated", query: `api-version=${text}` });
  return { kind: "unread", expected: "a dated version such as 2024-10-21, or v1" };
}

/** The portal shows the endpoint bare, with `/openai`, and with `/openai/v1`; all mean the same. */
const USUAL_END = /\/openai(\/v1)?$/;

export function azureEndpointsAt(
  provider: Provider,
  { origin, path, variable }: Address,
  version: AzureVersion,
): Endpoints {
  const key = provider.families.openai?.key;
  if (key === undefined) return {};
  const isReplaced = path !== "" && !USUAL_END.test(path) && variable !== AZURE_ENDPOINT;
  const below = version.kind === "dated" ? "/openai" : "/openai/v1";
  const baseUrl = origin + (isReplaced ? path : path.replace(USUAL_END, "") + below);
  const query = version.query === undefined ? {} : { query: version.query };
  const modelPath = version.kind === "dated" ? { modelPath: "/deployments/{model}" } : {};
  return { openai: { baseUrl, key, ...modelPath, ...query } };
}
