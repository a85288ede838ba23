// The options of the own format, from their table: `server.port` is `port` below `server`.
import { leaf, leafList } from "./leaf.ts";
import type { Option } from "./option.ts";
import { type OptionKey, OPTIONS } from "./options.ts";
import type { Reader } from "./readers.ts";
import type { Report } from "./report.ts";
import type { Given } from "./resolve-options.ts";
import { type Field, field, fieldsOf, type Shape } from "./shape.ts";
import { describePlace, type Node } from "./tree.ts";

/** An option as this file gives it. */
export type GivenOption = readonly [OptionKey, Given];

/** Those that have a form of their own in files: webhooks are rows there. */
const APART: ReadonlySet<string> = new Set(["webhooks"]);

const rows: readonly Option[] = OPTIONS.filter(({ key }) => !APART.has(key));

/** Every option by its place in the file: single ones, and sections of them. */
export function optionFields(): Readonly<Record<string, Field<readonly GivenOption[]>>> {
  const fields: Record<string, Field<readonly GivenOption[]>> = {};
  for (const row of rows) {
    const [section = "", name] = row.key.split(".");
    if (name === undefined) fields[section] = field(describeOption(row), optionShape(row));
    else fields[section] ??= field(describeSection(section), sectionShape(section));
  }
  return fields;
}

function sectionShape(section: string): Shape<readonly GivenOption[]> {
  const inside = rows.filter(({ key }) => key.startsWith(`${section}.`));
  const map = fieldsOf(
    Object.fromEntries(
      inside.map((row) => [row.key.slice(section.length + 1), field(describeOption(row), optionShape(row))]),
    ),
  );
  return {
    ...map,
    read: (node, report) =>
      Object.values(map.read(node, report)?.values ?? {}).flatMap((given) => given ?? []),
  };
}

const describeSection = (section: string): string =>
  `Options of ${section}: ${rows
    .filter(({ key }) => key.startsWith(`${section}.`))
    .map(({ key }) => key.slice(section.length + 1))
    .join(", ")}.`;

const describeOption = ({ sentence, default: usual, change }: Option): string =>
  `${sentence}${usual === "" ? "" : ` Default: ${usual}.`}${change === "restart" ? " Needs a restart." : ""}`;

/** Told at the item that is wrong; handed on as the text that the option's own reader understands. */
function optionShape(row: Option): Shape<readonly GivenOption[]> {
  const { read, secret } = row;
  const shape = read.shape;
  const terms = { isSecret: secret };
  const texts: Shape<readonly string[]> =
    shape?.kind === "list" ? leafList(keepText(shape.item), terms) : oneText(leaf(keepText(read), terms));
  return {
    schema: texts.schema,
    read(node: Node, report: Report) {
      const given = texts.read(node, report);
      if (given === undefined) return undefined;
      return [[row.key as OptionKey, { text: given.join(","), where: describePlace(node.at) }]];
    },
  };
}

/** Reads, and gives the text back. */
function keepText(reader: Reader<unknown>): Reader<string> {
  const keep = (text: string) => {
    const reading = reader(text);
    return reading.kind === "value" ? ({ kind: "value", value: text } as const) : reading;
  };
  return reader.shape === undefined ? keep : Object.assign(keep, { shape: reader.shape });
}

const oneText = (shape: Shape<string>): Shape<readonly string[]> => ({
  schema: shape.schema,
  read(node, report) {
    const text = shape.read(node, report);
    return text === undefined ? undefined : [text];
  },
});
