/**
 * The log lines and events of a node as they come, as server-sent events (WHATWG HTML, section 9.2): `GET /events`.
 *
 * HE1. Each has the number of its entry as `id`; a reader that comes back with `Last-Event-ID` goes on after it, and hears of what was not kept.
 * HE2. At most {@link READERS_MAX} readers. One that does not read is ended when {@link BEHIND_BYTES} wait for it; it may come back (HE1).
 * HE3. A comment is sent when nothing happened for {@link WAIT_MS}, so that both sides notice a connection that is gone.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpAnswer } from "./http-guard.ts";
import type { LogEntry } from "./logs/log-ring.ts";
import type { LogsApi } from "./logs/logs-service.ts";

/** The path. */
export const EVENTS_PATH = "/events";
/** Readers at once (HE2). */
export const READERS_MAX = 16;
/** What may wait for a reader, in bytes (HE2). */
export const BEHIND_BYTES: number = 1024 * 1024;
/** Between two comments, in milliseconds (HE3). */
export const WAIT_MS = 10_000;

/** Streams to readers. */
export class HttpEvents {
  readonly #node: LogsApi;
  readonly #readers = new Set<ServerResponse>();

  constructor(node: LogsApi) {
    this.#node = node;
  }

  /** Stream until the reader leaves; or an answer that refuses it (HE2). */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<HttpAnswer | undefined> {
    if (this.#readers.size >= READERS_MAX)
      return {
        status: 503,
        body: `${READERS_MAX} readers are here already\n`,
        headers: { "retry-after": "5" },
      };
    const after = numberOf(request.headers["last-event-id"]);
    this.#readers.add(response);
    response.on("close", () => this.#readers.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.flushHeaders();
    if (request.method === "HEAD") response.end();
    else await this.#stream(response, after);
    return undefined;
  }

  async #stream(response: ServerResponse, from: number): Promise<void> {
    try {
      for (let after = from; this.#readers.has(response); ) {
        const { entries, next, missed } = await this.#node.logs({ after, waitMs: WAIT_MS });
        if (response.writableLength > BEHIND_BYTES) break;
        if (missed > 0) response.write(`event: missed\ndata: ${missed}\n\n`);
        if (entries.length === 0) response.write(":\n\n");
        for (const entry of entries) response.write(textOf(entry));
        after = next;
      }
    } catch {
      // The node has ended: so does the stream.
    }
    response.destroy();
  }
}

function textOf({ event, ...entry }: LogEntry): string {
  const [name, data] = event === undefined ? ["log", entry] : ["node-event", { ...entry, event }];
  return `id: ${entry.seq}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The number in `Last-Event-ID`; 0, which is everything, for what is none. */
function numberOf(header: string | string[] | undefined): number {
  return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : 0;
}
