// Reads the names from a provider's list of models, in any of the three families' shapes.

/** Longer lists are cut: the largest aggregators have some hundreds. */
const MOST_MODELS = 5000;
const LONGEST_NAME = 256;

/** `data[].id` (OpenAI, Anthropic), a bare array of those (Together), or `models[].name` after `models/` (Gemini). */
export function readModelList(json: unknown): readonly string[] {
  const rows = Array.isArray(json) ? json : (arrayAt(json, "data") ?? arrayAt(json, "models"));
  if (rows === undefined) throw new TypeError("cannot read list of models: expected data or models");
  const names = rows.slice(0, MOST_MODELS).flatMap((row) => textAt(row, "id") ?? textAt(row, "name") ?? []);
  return [...new Set(names.map((name) => name.replace(/^models\//, "")).filter(isUsable))];
}

/** Names go to displays and to clients: nothing that could be more than a name. */
const isUsable = (name: string): boolean =>
  name.length > 0 && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name);

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function arrayAt(value: unknown, name: string): readonly unknown[] | undefined {
  const found = field(value, name);
  return Array.isArray(found) ? found : undefined;
}

function textAt(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}
