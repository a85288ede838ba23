// What the example file shows, as comments, of the keys that are no options: providers, routes, fallbacks, webhooks.
// The sentences come from the schema; a test holds that no key of it is missing here.

export const EXAMPLE_PARTS = `
providers:
  openai:
    api_keys:
      - "\${OPENAI_API_KEYS}"
      - key: "\${BIG_KEY}"
        weight: 3
        limits: { rpm: 500 }
        models: ["gpt-4*"]
        quota_group: org-b
    api_keys_file: /run/secrets/openai
    limits:
      rpm: 60
      tpm: 100000
      rpd: 10000
      tpd: 5000000
      concurrency: 20
    quota_group: org-a
    models: ["gpt-*", "text-embedding-*"]
    headers: { x-team: search }
    terminal_event: required
  azure-eu:
    type: azure
    base_url: https://x.openai.azure.com
    api_version: 2024-10-21
    api_key: "\${AZURE_KEY}"
  gpu:
    type: vllm
    base_urls:
      - http://10.0.0.1:8000/v1
      - url: http://10.0.0.2:8000/v1
        weight: 2
    limits: { concurrency: 256 }
    health_check:
      interval: 30s
      fast_interval: 5s
      timeout: 10s
      threshold: 3
    engine_metrics:
      interval: 3s

routes:
  gpt-4o:
    targets:
      - openai
      - provider: azure-eu
        model: my-gpt4o-deployment
        weight: 1
        priority: 2
        limits: { rpm: 300 }
        price:
          input: 2.5
          output: 10
    strategy: smooth-weighted-round-robin
    timeouts:
      connect: 5s
      first_byte: 120s
      stream_first_byte: 60s
      idle: 60s
      total: 600s
    retry:
      max: 1
  "qwen/*":
    targets: [gpu]
    affinity: session
  chat:
    alias: gpt-4o
    hidden: true

fallbacks:
  gpt-4o: [qwen/qwen3-32b]

context_window_fallbacks:
  gpt-4o: [gpt-4.1]

content_policy_fallbacks:
  gpt-4o: [qwen/qwen3-32b]

webhooks:
  - url: "\${WECOM_URL}"
    format: wecom
    events: [failure, recovery, key, reload]
    batch: 60s
    cooldown: 300s
    report: 1h
    report_idle: 3h
    allow_private: false
`.trimStart();

/** What its references need. */
export const EXAMPLE_ENV = {
  OPENAI_API_KEYS: "sk-1,sk-2*3",
  BIG_KEY: "sk-big",
  AZURE_KEY: "azure-1",
  WECOM_URL: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1",
};
