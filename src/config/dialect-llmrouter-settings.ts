// LLMRouter's settings as weir's options, with the defaults of its code where the file is silent.
import { Secret } from "../core/credential.ts";
import { WEBHOOK_DEFAULTS, type WebhookConfig } from "../core/webhook.ts";
import { type FieldReader, given, implied } from "./dialect-fields.ts";
import type { DraftHealth, DraftTerms } from "./draft.ts";
import { definedOf } from "./draft-backends.ts";
import type { OptionKey } from "./options.ts";
import type { Given } from "./resolve-options.ts";
import { isLoopback, plainHost } from "./network.ts";
import { describePlace, type Node, valueAt } from "./tree.ts";
import { findVariable } from "./variables.ts";
import { webhook } from "./webhooks.ts";

type Options = Map<OptionKey, Given>;
type Make = (node: Node, value: number) => Given;

const DEFAULT_REQUEST_SECONDS = 3600;

export function readSettings(root: Node, terms: DraftTerms, reader: FieldReader): Options {
  const options: Options = new Map();
  const at = (section: string, key: string): Node | undefined => valueAt(valueAt(root, section), key);
  const text = (option: OptionKey, node: Node | undefined): void => {
    const placed = reader.placed(node);
    if (placed !== undefined) options.set(option, given(placed));
  };
  /** Zero asks for no bound, or for the default, there; the options have none of it. */
  const number = (option: OptionKey, node: Node | undefined, make: Make): void => {
    const value = reader.number(node);
    if (node !== undefined && value !== undefined && value > 0) options.set(option, make(node, value));
  };
  const where = `${describePlace(root.at)} (LLMRouter's default)`;
  options.set("strategy", implied("simple-shuffle", where));
  options.set("retry.max", implied("3", where));
  // One bound for the whole exchange: an engine with a long queue answers late, and is not to be given up before.
  for (const option of WHOLE_EXCHANGE) options.set(option, implied(`${DEFAULT_REQUEST_SECONDS}s`, where));
  text("strategy", at("routing", "strategy"));
  text("retry.max", at("routing", "num_retries"));
  number("retry.backoff", at("retry", "base_delay_ms"), inUnits("ms"));
  number("retry.max_backoff", at("retry", "max_delay_ms"), inUnits("ms"));
  for (const option of WHOLE_EXCHANGE) number(option, at("http_client", "request_timeout"), inUnits("s"));
  number("timeouts.connect", at("http_client", "connect_timeout"), inUnits("s"));
  text("log.level", at("log", "level"));
  text("log.dir", at("log", "dir"));
  number("log.max_size", at("log", "max_size_mb"), inUnits("MiB"));
  number("log.max_files", at("log", "max_backups"), inUnits(""));
  number("log.max_age", at("log", "max_age_days"), inUnits("d"));
  text("server.host", at("server", "host"));
  text("server.port", at("server", "port"));
  readDashboard(at("dashboard", "enabled"), at("dashboard", "web_port"), { options, reader });
  openWhereAsked(options, at("server", "host"), { terms, reader });
  traceWhereAsked(options, terms);
  return options;
}

const WHOLE_EXCHANGE = ["timeouts.total", "timeouts.first_byte", "timeouts.stream_first_byte"] as const;

const inUnits =
  (unit: string): Make =>
  (node, amount) => ({ text: `${amount}${unit}`, where: describePlace(node.at) });

interface Sink {
  readonly options: Options;
  readonly reader: FieldReader;
}

/** LLMRouter makes 80 of 0, so that its page cannot be turned off; here 0 is the server's own port. */
function readDashboard(enabled: Node | undefined, port: Node | undefined, { options, reader }: Sink): void {
  if (enabled !== undefined && reader.boolean(enabled) === false)
    options.set("dashboard.enabled", { text: "false", where: describePlace(enabled.at) });
  const placed = reader.placed(port);
  if (placed === undefined || Number(placed.value) <= 0) return;
  options.set("dashboard.port", given(placed));
  // There it is opened beside the API, not taken from it.
  options.set("dashboard.also_on_server", { ...given(placed), text: "true" });
}

interface Openness {
  readonly terms: DraftTerms;
  readonly reader: FieldReader;
}

/** Its files know no tokens, so that a public address is public to all; warnOfOpenness says so where it comes to that. */
function openWhereAsked(options: Options, host: Node | undefined, { terms, reader }: Openness): void {
  const placed = reader.placed(host);
  if (placed === undefined || isLoopback(plainHost(placed.value))) return;
  if (findVariable(terms.variables, "WEIR_ACCESS_KEYS") !== undefined) return;
  options.set("server.open", { text: "true", where: describePlace(placed.at) });
}

/** A folder there, a file here. */
function traceWhereAsked(options: Options, { variables }: DraftTerms): void {
  const folder = findVariable(variables, "LLM_ROUTER_TRACE");
  if (folder === undefined) return;
  options.set("trace", {
    text: `${folder.text.trim().replace(/\/+$/, "")}/trace.jsonl`,
    where: folder.where,
  });
}

export function readHealth(root: Node, reader: FieldReader): DraftHealth {
  const check = valueAt(root, "health_check");
  const ms = (node: Node | undefined): number | undefined => {
    const seconds = reader.number(node);
    return seconds === undefined || seconds === 0 ? undefined : Math.ceil(seconds * 1000);
  };
  return definedOf({
    intervalMs: ms(valueAt(check, "interval")),
    timeoutMs: ms(valueAt(check, "timeout")),
    threshold: reader.number(valueAt(check, "failure_threshold"), 1),
    metricsIntervalMs: ms(valueAt(valueAt(root, "monitor"), "collect_interval")),
  });
}

/** Both `enabled` and `url` are needed. Messages are in the form of WeCom, whatever the host. */
export function readWebhooks(
  root: Node,
  reader: FieldReader,
): { readonly webhooks?: readonly WebhookConfig[] } {
  const section = valueAt(root, "webhook");
  const url = reader.placed(valueAt(section, "url"));
  if (url === undefined || reader.boolean(valueAt(section, "enabled")) !== true) return {};
  const reading = webhook(`wecom+${url.value}`);
  if (reading.kind === "unread") {
    reader.refuse(url.at, reading.expected, new Secret(url.value).toString());
    return {};
  }
  const ms = (key: string, otherwise: number): number => {
    const seconds = reader.number(valueAt(section, key));
    return seconds === undefined ? otherwise : Math.ceil(seconds * 1000);
  };
  const config = {
    ...reading.value,
    cooldownMs: ms("cooldown_seconds", WEBHOOK_DEFAULTS.cooldownMs),
    batchMs: ms("batch_interval", WEBHOOK_DEFAULTS.batchMs),
    reportMs: ms("report_interval_active", WEBHOOK_DEFAULTS.reportMs),
    reportIdleMs: ms("report_interval_idle", WEBHOOK_DEFAULTS.reportIdleMs),
  };
  return { webhooks: [config] };
}
