// The usual failure drills as scripts, each with a sentence on what it shows; `weir fake --examples` prints them.

export interface Example {
  readonly name: string;
  readonly about: string;
  /** The script, as YAML. */
  readonly yaml: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "429-storm",
    about: "Four of five keys answer 429 for every call; the fifth must carry the traffic within its limit.",
    yaml: `keys:
  sk-storm-1: {}
  sk-storm-2: {}
  sk-storm-3: {}
  sk-storm-4: {}
  sk-calm-5: { rpm: 60 }
latency: { p50: 40ms, p99: 200ms }
rules:
  - match: { key: "sk-storm-*" }
    do: { error: rate_limit, retry_after: 20s }
`,
  },
  {
    name: "dead-key",
    about: "One key is revoked and one is out of money; neither may be tried again and again.",
    yaml: `keys:
  sk-good-1: {}
  sk-good-2: {}
  sk-dead-3: { revoked: true }
  sk-broke-4: { quota_exhausted: true }
latency: 50ms
`,
  },
  {
    name: "slow-provider",
    about: "Answers are slow and now and then hang before their first byte; time-outs and failover must act.",
    yaml: `latency: { p50: 800ms, p99: 6s }
ttft: { p50: 1500ms, p99: 8s }
tokens_per_second: { min: 8, max: 25 }
tokens: 40
rules:
  - probability: 0.1
    do: hang_headers
`,
  },
  {
    name: "mid-stream-cuts",
    about:
      "Streams are reset, fall silent or end without their last event; no client may take them for complete.",
    yaml: `ttft: 100ms
gap: 50ms
tokens: 30
rules:
  - match: { stream: true }
    probability: 0.15
    do: { fault: reset, after: 8 }
  - match: { stream: true }
    probability: 0.15
    do: { fault: early_end, after: 8 }
  - match: { stream: true }
    probability: 0.05
    do: { fault: hang_stream, after: 8 }
`,
  },
  {
    name: "in-band-errors",
    about: "Status 200 and then an error: as the first event (may be retried) or after some (may not).",
    yaml: `ttft: 100ms
gap: 30ms
tokens: 30
rules:
  - match: { stream: true }
    probability: 0.2
    do: { fault: error_first, error: overloaded }
  - match: { stream: true }
    probability: 0.2
    do: { fault: error_later, after: 10, error: server_error }
`,
  },
  {
    name: "flaky-500",
    about: "One call in five fails with 500, one in twenty with 503; retries must stay within their budget.",
    yaml: `latency: { p50: 60ms, p99: 400ms }
rules:
  - probability: 0.05
    do: 503
  - probability: 0.2
    do: 500
`,
  },
];

/** All examples as one text to read and to copy from. */
export function printExamples(): string {
  return EXAMPLES.map(({ name, about, yaml }) => `# ${name}.yaml\n# ${about}\n${yaml}`).join("\n");
}
