// Options of the way to the providers: choosing, retrying, resting, waiting, holding. Defaults: contract, section 7.
import { option } from "./option.ts";
import { duration, integer, list, path, percent, proxy, size, strategy, value } from "./readers.ts";

export const TRAFFIC_OPTIONS = [
  option({
    key: "strategy",
    flag: "strategy",
    read: strategy,
    default: "least-used",
    sentence: "How a backend is chosen among the usable ones; engines have least-waiting unless this is set.",
  }),
  option({
    key: "retry.max",
    read: integer(0, 100),
    default: "3",
    sentence: "Further attempts after failures that are not a key's; 0 means none.",
  }),
  option({
    key: "retry.budget",
    read: percent,
    default: "20%",
    sentence:
      "Share of all requests that may be retries; 0% leaves the ten a second that are always allowed.",
    change: "restart",
  }),
  option({
    key: "retry.backoff",
    read: duration("0s"),
    default: "500ms",
    sentence:
      "Wait before the first retry when no other backend is free, doubling after that; 0s waits not at all.",
  }),
  option({
    key: "retry.max_backoff",
    read: duration("0s"),
    default: "5s",
    sentence: "Longest wait before a retry; 0s waits not at all.",
  }),
  option({
    key: "cooldown.threshold",
    read: integer(1, 1000),
    default: "3",
    sentence: "Failures in a row until a backend rests; at least 1.",
  }),
  option({
    key: "cooldown.first",
    read: duration("1ms"),
    default: "5s",
    sentence: "First rest after failures, or after a 429 that names no time; later ones double. Not zero.",
  }),
  option({
    key: "cooldown.max",
    read: duration("1ms"),
    default: "60s",
    sentence: "Longest of these rests. Not zero.",
  }),
  option({
    key: "cooldown.revoked",
    read: duration("1ms"),
    default: "5m",
    sentence: "First rest of a key that was refused with 401 or 403, doubling up to an hour. Not zero.",
  }),
  option({
    key: "cooldown.quota",
    read: duration("1ms"),
    default: "1h",
    sentence: "Rest of a key whose quota is used up, unless the provider names its end. Not zero.",
  }),
  option({
    key: "cooldown.jitter",
    read: percent,
    default: "20%",
    sentence: "Rests are lengthened by a random share of themselves up to this; 0% keeps them exact.",
  }),
  option({
    key: "timeouts.connect",
    read: duration("1ms"),
    default: "10s",
    sentence: "Longest wait for a connection to a backend. Not zero.",
  }),
  option({
    key: "timeouts.first_byte",
    read: duration("1ms"),
    default: "600s",
    sentence: "Longest wait for the answer to a request without streaming. Not zero.",
  }),
  option({
    key: "timeouts.stream_first_byte",
    read: duration("1ms"),
    default: "120s",
    sentence: "Longest wait for the first byte of a stream. Not zero.",
  }),
  option({
    key: "timeouts.idle",
    read: duration("1ms"),
    default: "120s",
    sentence: "Longest silence within an answer, or within a file on its way up. Not zero.",
  }),
  option({
    key: "timeouts.total",
    read: duration("1ms"),
    default: "3600s",
    sentence: "Longest time that one request may take altogether. Not zero.",
  }),
  option({
    key: "queue.max_wait",
    read: duration("0s"),
    default: "0s",
    sentence: "How long a request may wait, in order, while every key is limited; 0s answers 429 at once.",
  }),
  option({
    key: "queue.max_size",
    read: integer(0, 1_000_000),
    default: "1000",
    sentence: "Requests that may wait at the same time; 0 lets none.",
  }),
  option({
    key: "default_fallbacks",
    read: list((text) => value(text)),
    default: "",
    sentence:
      "Models to go on with, in order, when one cannot be served and has no fallbacks; empty means none.",
  }),
  option({
    key: "buffers.request",
    read: size,
    default: "32MiB",
    sentence: "Longest request body that is read before routing; longer ones are answered 413. Not zero.",
  }),
  option({
    key: "buffers.all_requests",
    read: size,
    default: "256MiB",
    sentence: "Memory for all request bodies together; when it is full, requests are answered 503. Not zero.",
  }),
  option({
    key: "upstream.proxy",
    read: proxy,
    default: "env",
    sentence:
      "Proxy to hosted providers and webhooks: env takes HTTPS_PROXY and NO_PROXY, none goes without, or its URL.",
  }),
  option({
    key: "upstream.ca_file",
    read: path,
    default: "",
    sentence: "PEM file of further certificate authorities, such as a company's; empty adds none.",
  }),
] as const;
