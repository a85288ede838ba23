// The upstream of the benchmark: a fixed 1 KB answer, or a stream of 150-byte events at a steady pace.
// Started by against-nginx.ts as a process of its own; prints its port.
const ANSWER = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  model: "gpt-4o",
  choices: [{ index: 0, message: { role: "assistant", content: "x".repeat(780) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 250, completion_tokens: 195, total_tokens: 445 },
});
const encoder = new TextEncoder();
const EVENT = encoder.encode(
  `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":" words"}}],"pad":"${"x".repeat(16)}"}\n\n`,
);
const DONE = encoder.encode("data: [DONE]\n\n");

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  development: false,
  idleTimeout: 0,
  async fetch(request, self) {
    self.timeout(request, 0);
    const { search, pathname } = new URL(request.url);
    if (pathname.endsWith("/models")) return Response.json({ data: [{ id: "gpt-4o" }] });
    await request.arrayBuffer();
    const query = new URLSearchParams(search);
    const chunks = Number(query.get("chunks") ?? 0);
    if (chunks === 0) return new Response(ANSWER, { headers: { "content-type": "application/json" } });
    const gapMs = Number(query.get("gap") ?? 0);
    const started = performance.now();
    let sent = 0;
    const body = new ReadableStream({
      async pull(controller) {
        const due = started + sent * gapMs;
        const wait = due - performance.now();
        if (wait > 0) await Bun.sleep(wait);
        controller.enqueue(sent < chunks ? EVENT : DONE);
        sent += 1;
        if (sent > chunks) controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
});
console.log(server.port);
