// The usual failure drills as scripts, each with a sentence on what it shows and the weir to run it against;
// `weir fake --examples` prints them.

export interface Example {
  readonly name: string;
  readonly about: string;
  /** How to start weir for it, beside a fake on port 9000. */
  readonly run: string;
  /** The script, as YAML. */
  readonly yaml: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "429-storm",
    about: "Four of five keys answer 429 for every call; the fifth must carry the traffic within its limit.",
    run: "OPENAI_API_KEYS=sk-storm-1,sk-storm-2,sk-storm-3,sk-storm-4,sk-calm-5 OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
    run: "OPENAI_API_KEYS=sk-good-1,sk-good-2,sk-dead-3,sk-broke-4 OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
    run: "WEIR_TIMEOUTS_STREAM_FIRST_BYTE=3s WEIR_TIMEOUTS_FIRST_BYTE=10s OPENAI_API_KEYS=sk-one,sk-two OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
    run: "WEIR_TIMEOUTS_IDLE=2s OPENAI_API_KEYS=sk-one,sk-two OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
    run: "OPENAI_API_KEYS=sk-one,sk-two OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
    run: "OPENAI_API_KEYS=sk-one,sk-two,sk-three OPENAI_BASE_URL=http://127.0.0.1:9000 weir",
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
  return EXAMPLES.map(({ name, about, run, yaml }) => `# ${name}.yaml\n# ${about}\n# ${run}\n${yaml}`).join(
    "\n",
  );
}
