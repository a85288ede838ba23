// Options of weir itself: where it listens, who may call, what it says, how it ends.
import { option } from "./option.ts";
import {
  boolean,
  browserOrigin,
  duration,
  host,
  hostHeader,
  integer,
  list,
  oneOf,
  path,
  port,
  size,
  token,
  value,
  type Reading,
} from "./readers.ts";
import { webhook } from "./webhooks.ts";
import type { Secret } from "../core/credential.ts";

/** A token, or nothing at all. */
const tokenOrNone = (text: string): Reading<Secret | undefined> =>
  text === "" ? value(undefined) : token(text);

export const SERVER_OPTIONS = [
  option({
    key: "server.host",
    variables: ["WEIR_HOST"],
    flag: "host",
    read: host,
    default: "127.0.0.1",
    sentence: "Address to listen on; anything but loopback needs access keys or server.open.",
    change: "restart",
  }),
  option({
    key: "server.port",
    variables: ["WEIR_PORT", "PORT"],
    flag: "port",
    read: port,
    default: "8080",
    sentence: "Port to listen on; 0 takes any free one.",
    change: "restart",
  }),
  option({
    key: "server.open",
    variables: ["WEIR_OPEN"],
    flag: "open",
    isSwitch: true,
    read: boolean,
    default: "false",
    sentence: "Allows a public address without access keys: whoever can reach weir can use your keys.",
  }),
  option({
    key: "server.allowed_hosts",
    read: list(hostHeader),
    default: "",
    sentence: "Further names that clients may call weir by; empty adds none.",
  }),
  option({
    key: "server.allowed_origins",
    read: list(browserOrigin),
    default: "",
    sentence: "Origins of browser apps that may call weir, * for all; empty refuses pages of other sites.",
  }),
  option({
    key: "server.response_headers",
    read: oneOf(["weir", "none", "litellm"]),
    default: "weir",
    sentence: "Which headers weir adds to answers: its own, none, or its own and LiteLLM's names.",
  }),
  option({
    key: "access_keys",
    read: list(token),
    default: "",
    sentence:
      "Tokens of which clients must send one as their API key; empty means no check, on loopback only.",
    secret: true,
  }),
  option({
    key: "admin.key",
    read: tokenOrNone,
    default: "",
    sentence: "Token for dashboard, metrics and admin; empty opens them to this machine only.",
    secret: true,
  }),
  option({
    key: "admin.state_file",
    read: path,
    default: "./upstreams.json",
    sentence:
      "File that keeps upstreams made over HTTP, written at the first one; empty keeps them until the end.",
    change: "restart",
  }),
  option({
    key: "dashboard.enabled",
    read: boolean,
    default: "true",
    sentence: "Whether the dashboard and the JSON behind it are served; metrics and admin stay without them.",
    change: "restart",
  }),
  option({
    key: "dashboard.port",
    read: port,
    default: "0",
    sentence: "Port of its own for the dashboard, with metrics and admin too; 0 is the server's port.",
    change: "restart",
  }),
  option({
    key: "dashboard.also_on_server",
    read: boolean,
    default: "false",
    sentence: "Whether a dashboard with a port of its own is on the server's port as well.",
    change: "restart",
  }),
  option({
    key: "shutdown.delay",
    read: duration("0s"),
    default: "1s",
    sentence: "How long requests are still taken after SIGTERM while readiness says no; 0s skips it.",
  }),
  option({
    key: "shutdown.grace",
    read: duration("0s"),
    default: "25s",
    sentence: "How long running requests may take to finish after that; 0s ends them at once.",
  }),
  option({
    key: "log.level",
    flag: "log-level",
    read: oneOf(["debug", "info", "warn", "error"]),
    default: "info",
    sentence: "Least level that is logged.",
    change: "restart",
  }),
  option({
    key: "log.format",
    read: oneOf(["auto", "text", "json"]),
    default: "auto",
    sentence: "Form of log lines; auto is text on a terminal and json otherwise.",
    change: "restart",
  }),
  option({
    key: "log.dir",
    read: path,
    default: "",
    sentence: "Folder for log files, in json and beside what is printed; empty writes none.",
    change: "restart",
  }),
  option({
    key: "log.max_size",
    read: size,
    default: "100MiB",
    sentence: "Size at which a new log file is begun.",
    change: "restart",
  }),
  option({
    key: "log.max_files",
    read: integer(1, 10_000),
    default: "10",
    sentence: "How many log files of weir are kept in that folder; older ones are deleted.",
    change: "restart",
  }),
  option({
    key: "log.max_age",
    read: duration("0s"),
    default: "7d",
    sentence: "Age at which a log file of weir is deleted; 0s keeps them whatever their age.",
    change: "restart",
  }),
  option({
    key: "trace",
    flag: "trace",
    read: path,
    default: "",
    sentence: "File that gets a line of JSON for every attempt and request; empty writes none.",
    change: "restart",
  }),
  option({
    key: "webhooks",
    read: list(webhook),
    default: "",
    sentence:
      "URLs that are told of starts, failures, recoveries, keys and reloads; before a URL wecom+, slack+ or json+ names its form.",
    secret: true,
  }),
] as const;
