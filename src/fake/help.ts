// The text on running a failure drill: the fake's own page, and what `weir fake` prints on request.
import { FAULTS, faultRow } from "./faults.ts";
import { ERROR_NAMES, FORM_NAMES } from "./forms/form.ts";
import type { FaultName } from "./faults.ts";

const FAULT_LINES = (Object.keys(FAULTS) as FaultName[]).map((name) => {
  const { does, takes } = faultRow(name);
  const parameters = Object.entries(name === "reset" ? { after: "" } : takes).map(([key]) =>
    key === "intervalMs" ? "interval" : key,
  );
  return `  ${name.padEnd(16)} ${does}${parameters.length === 0 ? "" : ` (${parameters.join(", ")})`}`;
});

export const FAKE_HELP = `weir fake: a provider that fails on purpose.

It speaks the OpenAI, Anthropic and Gemini families, streaming and not, under any base path,
and misbehaves as its script says. Run a failure drill in three steps:

  1. Start it with a script (weir fake --examples prints some):
       weir fake --port 9000 --script drill.yaml
  2. Point weir at it, with keys and time-outs as the script says, and send traffic:
       OPENAI_API_KEYS=sk-storm-1,sk-calm-5 OPENAI_BASE_URL=http://127.0.0.1:9000 weir
       for i in $(seq 50); do curl -sN http://127.0.0.1:8080/v1/chat/completions -d \\
         '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}' & done; wait
  3. Compare what the clients saw with what the provider saw:
       curl http://127.0.0.1:9000/__ledger

While it runs:
  PUT /__script      a new script (YAML or JSON), at once; counts and limits start anew
  GET /__ledger      counters and calls (?last=N): key, path, headers, body hash, state, chunks, times
  DELETE /__ledger   forget the calls so far
  x-fake: {"fault": "reset", "after": 3}     on a request: do this, whatever the script says

A script:
  keys:                        # accepted keys; without this any key is
    sk-a: { rpm: 10, tpm: 5000, rpd: 1000, window: sliding }
    sk-b: { revoked: true }    # also: quota_exhausted, models: ["gpt-4*"], form: azure
  form: openai                 # ${FORM_NAMES.join(" ")}
  latency: 50ms                # or { p50: 40ms, p99: 2s }, { mean: 1s, stddev: 200ms }, { min: 1s, max: 2s }
  ttft: 200ms                  # to the first event of a stream
  gap: 20ms                    # between chunks; or tokens_per_second: 50
  tokens: 30                   # chunks of an answer; reply: "the text"
  models: [gpt-4o]             # any other is answered 404
  metrics: vllm                # or vllm-old, sglang, { engine: vllm, running: [3, 4], waiting: [0, 7] }
  accept: { mode: refuse, for: 10s }   # also close, reset, hang: what happens to new connections
  rules:                       # the first that matches and strikes is done
    - match: { key: "sk-*", model: "gpt-*", stream: true, call: "3-7" }
      probability: 0.5
      times: 10
      do: { fault: reset, after: 5 }   # or a name, or a status: do: quota, do: 503

Faults:
${FAULT_LINES.join("\n")}

Errors (each with its provider's own status, headers and body):
  ${ERROR_NAMES.join(" ")}
`;
