// Run by test/scenario/health.test.ts as a process of its own: it must end by itself once weir has stopped.
import { startWeir } from "./weir.ts";

const [good = "", deaf = ""] = process.argv.slice(2);
const weir = startWeir({
  discover: true,
  providers: [{ name: "vllm", urls: [good, deaf, "http://127.0.0.1:1", "http://engines.test:8000"] }],
  health: { lookUp: () => new Promise(() => undefined) },
});
while (!weir.events.some(({ kind }) => kind === "engine_up")) await Bun.sleep(1);
await weir.app.stop({ skipDelay: true });
console.log("stopped");
