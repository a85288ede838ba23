// Invents values that fit a JSON schema, for tool arguments and structured answers.
import { jsonOf, listOf } from "./answer.ts";

const DEEPEST = 6;

/** A small value that fits the common parts of JSON Schema. */
export function sample(schema: unknown, depth = 0): unknown {
  const form = jsonOf(schema);
  if (form === undefined || depth > DEEPEST) return {};
  if ("const" in form) return form["const"];
  const first = listOf(form["enum"])[0];
  if (first !== undefined) return first;
  const choice = listOf(form["anyOf"] ?? form["oneOf"] ?? form["allOf"])[0];
  if (choice !== undefined) return sample(choice, depth + 1);
  const type = Array.isArray(form["type"]) ? form["type"][0] : form["type"];
  switch (String(type ?? "object").toLowerCase()) {
    case "string":
      return "weir";
    case "integer":
    case "number":
      return typeof form["minimum"] === "number" ? form["minimum"] : 1;
    case "boolean":
      return true;
    case "array":
      return [sample(form["items"], depth + 1)];
    case "null":
      return null;
    default: {
      const properties = Object.entries(jsonOf(form["properties"]) ?? {});
      return Object.fromEntries(properties.map(([name, inner]) => [name, sample(inner, depth + 1)]));
    }
  }
}
