// Calls over Bun's own client, for https: certificates, names and proxies as everywhere else.
import type { HeaderSet, Transport } from "./transport.ts";

export function createFetchTransport(url: string, headerSets: readonly HeaderSet[]): Transport {
  const heads = headerSets.map((set) => set.map(([name, value]): [string, string] => [name, value]));
  const counts = { opened: 0, resent: 0 };
  const running = new Set<AbortController>();
  return {
    send(ask, sink) {
      const abort = new AbortController();
      running.add(abort);
      const carry = async (): Promise<void> => {
        try {
          const answer = await fetch(url, {
            method: "POST",
            headers: heads[ask.headers] ?? [],
            body: ask.body,
            signal: abort.signal,
            redirect: "manual",
            decompress: false,
            timeout: false,
          });
          sink.onHead({
            status: answer.status,
            contentType: answer.headers.get("content-type") ?? "",
            keepsAlive: true,
          });
          for await (const bytes of answer.body ?? []) {
            if (abort.signal.aborted) return;
            sink.onBody(bytes, 0, bytes.length);
          }
          if (!abort.signal.aborted) sink.onEnd();
        } catch (error) {
          if (!abort.signal.aborted) sink.onFailure(reasonOf(error));
        } finally {
          running.delete(abort);
        }
      };
      void carry();
      return () => abort.abort();
    },
    close() {
      for (const abort of running) abort.abort();
    },
    counts: () => counts,
  };
}

/** The code only: messages carry the address. */
const reasonOf = (error: unknown): string =>
  `cannot call: ${error instanceof Error && "code" in error ? String(error.code) : "unknown reason"}`;
