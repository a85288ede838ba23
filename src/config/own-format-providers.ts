// `providers` of the own format: who can be called, each address and each key written once.
import { definedOf } from "./draft-backends.ts";
import type { DraftHealth, DraftProvider, DraftTerms } from "./draft.ts";
import { lacksVersion } from "./endpoints.ts";
import { distinctAddresses } from "./own-format-addresses.ts";
import { distinctKeys, keysInFile } from "./own-format-keys.ts";
import type { ReadProvider } from "./own-format-provider-fields.ts";
import { findProvider, type Provider, PROVIDERS } from "./providers.ts";
import { suggestion } from "./readers.ts";
import { type Report, shownKey } from "./report.ts";
import { describePlace, type Entry } from "./tree.ts";

/** Every provider, also one with mistakes in it: what refers to it is not wrong for that. */
export function readFileProviders(
  rows: readonly (readonly [Entry, ReadProvider])[],
  terms: DraftTerms,
  report: Report,
): readonly DraftProvider[] {
  const seen = new Map<string, Entry>();
  return rows.flatMap(([entry, read]) => {
    const name = entry.key.toLowerCase();
    const before = seen.get(name);
    if (before !== undefined) {
      report.tell(
        entry.keyAt,
        `a name of its own (line ${before.keyAt.line} has it too, case does not matter)`,
        shownKey(entry),
      );
      return [];
    }
    seen.set(name, entry);
    if (report.isFull()) return [];
    if (!/^[a-z][a-z0-9._-]*$/.test(name))
      report.tell(
        entry.keyAt,
        "a name of letters, digits, dots, - and _ that begins with a letter",
        shownKey(entry),
      );
    return [readProvider({ name, entry, read }, terms, report)];
  });
}

interface Row {
  readonly name: string;
  readonly entry: Entry;
  readonly read: ReadProvider;
}

function readProvider(row: Row, terms: DraftTerms, report: Report): DraftProvider {
  const { name, entry, read } = row;
  const { values, has } = read;
  const addresses = distinctAddresses([...(values.base_url ?? []), ...(values.base_urls ?? [])]);
  const hasAddress = has("base_url") || has("base_urls");
  const base = baseOf(row, hasAddress, report);
  const { notes, readFile } = terms;
  const file = values.api_keys_file;
  const inFile = file === undefined ? [] : keysInFile(file, { readFile, notes, report });
  const keys = distinctKeys([...(values.api_key ?? []), ...(values.api_keys ?? []), ...inFile], notes);
  if (base !== undefined) complainOfLack(row, { base, hasAddress, hasKeys: keys.length > 0 }, report);
  const used = base ?? GENERIC;
  for (const address of addresses)
    if (lacksVersion(used, address))
      notes.warnings.push(
        `${describePlace(address.at)} does not end in a version: weir appends /messages to ` +
          `${address.origin}${address.path}; write ${address.origin}${address.path}/v1 if that is meant`,
      );
  return {
    name,
    at: entry.keyAt,
    base: used,
    addresses,
    keys,
    limits: values.limits ?? {},
    models: values.models ?? [],
    isOffered: true,
    ...definedOf({
      quotaGroup: values.quota_group,
      azureVersion: isAzure(used) ? (values.api_version ?? ({ kind: "v1" } as const)) : undefined,
      headers: values.headers,
      terminalEvent: values.terminal_event === "optional" ? ("optional" as const) : undefined,
      health: healthOf(values),
    }),
  };
}

const isAzure = ({ prefixes }: Provider): boolean => prefixes.includes("AZURE_OPENAI");

/** Stands in for a type that could not be read, which was told. */
const [GENERIC] = PROVIDERS as readonly [Provider, ...Provider[]];

/** The row of the table; somebody else's address has its protocol, not the names of its models. */
function baseOf({ name, entry, read }: Row, hasAddress: boolean, report: Report): Provider | undefined {
  const byName = findProvider(name);
  if (!read.has("type")) {
    if (byName !== undefined) return byName;
    const names = PROVIDERS.map((provider) => provider.name);
    const expected = `a type in it, or the name of a known provider${suggestion(name, names)}`;
    report.tell(entry.keyAt, expected, shownKey(entry));
    return undefined;
  }
  const { type } = read.values;
  if (type === undefined || type === byName || !hasAddress) return type;
  return { ...type, owns: [] };
}

/** What each key alone cannot know. */
function complainOfLack(
  { entry, read }: Row,
  {
    base,
    hasAddress,
    hasKeys,
  }: { readonly base: Provider; readonly hasAddress: boolean; readonly hasKeys: boolean },
  report: Report,
): void {
  const { has } = read;
  const isGiven = has("api_key") || has("api_keys") || has("api_keys_file");
  const needsAddress = base.origin === undefined;
  if (needsAddress && !hasAddress)
    report.tell(entry.keyAt, `base_url or base_urls in it: ${base.name} has no address of its own`);
  const needsKey = base.kind === "hosted" && (!hasAddress || isAzure(base));
  if (needsKey && !isGiven) report.tell(entry.keyAt, "api_key, api_keys or api_keys_file in it");
  const isEmpty = [read.entry("api_key"), read.entry("api_keys")].some(
    (each) => each?.value.kind === "list" && each.value.items.length === 0,
  );
  if (isEmpty && !hasKeys && !has("api_keys_file")) report.tell(entry.keyAt, "at least one key in its list");
  const tellExtra = (key: "api_version" | "health_check" | "engine_metrics", whose: string) => {
    const extra = read.entry(key);
    if (extra !== undefined) report.tell(extra.keyAt, `no ${key} here: only ${whose} one`, base.name);
  };
  if (!isAzure(base)) tellExtra("api_version", "azure has");
  if (base.kind === "hosted") {
    tellExtra("health_check", "engines (vllm, sglang, ollama, llamacpp) have");
    tellExtra("engine_metrics", "engines (vllm, sglang, ollama, llamacpp) have");
  }
}

function healthOf({
  health_check: check,
  engine_metrics: metrics,
}: ReadProvider["values"]): DraftHealth | undefined {
  if (check === undefined && metrics === undefined) return undefined;
  return definedOf({
    intervalMs: check?.values.interval,
    fastIntervalMs: check?.values.fast_interval,
    timeoutMs: check?.values.timeout,
    threshold: check?.values.threshold,
    metricsIntervalMs: metrics?.values.interval,
  });
}
