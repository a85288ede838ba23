// Every option once. Help texts, the schema, the README table and the example file are printed from this or tested against it.
import type { Option } from "./option.ts";
import { SERVER_OPTIONS } from "./options-server.ts";
import { TRAFFIC_OPTIONS } from "./options-traffic.ts";

export const OPTIONS = [...SERVER_OPTIONS, ...TRAFFIC_OPTIONS] as const;

type Row = (typeof OPTIONS)[number];

export type OptionKey = Row["key"];

/** The value of every option: `values["server.port"]` is a number. */
export type OptionValues = {
  readonly [R in Row as R["key"]]: R extends Option<string, infer V> ? V : never;
};
