/**
 * The worker's side of a store: requests in, answers out, one group of requests per turn of the loop.
 *
 * W1. Answers leave in the order of their requests.
 * W2. The worker ends by itself after `close`, or when its parent goes away: its port is its only handle.
 */
import type { MessagePort } from "node:worker_threads";
import { type ErrorRecord, toErrorRecord } from "@glia-os/abi/errors";

/** The most requests one group holds when a store names no limit: how long the first waits for the last is bounded by it. */
export const GROUP_LIMIT = 256;

/** The answer to one request. */
export type Answer<Reply> = { readonly reply: Reply } | { readonly refused: ErrorRecord };

/** What the parent sends. */
export type ToWorker<Request> = { readonly requests: readonly Request[] } | { readonly close: true };

/** What the worker sends. `answers` belong to the oldest requests not answered yet (W1). */
export type FromWorker<Reply> =
  | { readonly ready: true }
  | { readonly refused: ErrorRecord }
  | { readonly answers: readonly Answer<Reply>[] };

/** An open store in its worker. */
export interface ServedStore<Request, Reply> {
  /**
   * Perform some requests, at least the first and none before an earlier one; what they changed is durable when this returns.
   * Those without an answer are asked again.
   */
  perform(requests: readonly Request[]): readonly Answer<Reply>[];
  /** Buffers in the answers that hold nothing else and go to the parent without a copy. */
  given?(answers: readonly Answer<Reply>[]): ArrayBuffer[];
  /** The most requests one group holds; default {@link GROUP_LIMIT}. */
  readonly groupLimit?: number;
  /** Called when no request waits: time for work that may be put off. */
  idle?(): void;
  close(): void;
}

/** Open a store and answer requests from `port` until it is closed. Reports a refusal to open and ends. */
export function serveStore<Request, Reply>(port: MessagePort, open: () => ServedStore<Request, Reply>): void {
  const send = (message: FromWorker<Reply>, given: ArrayBuffer[] = []): void =>
    port.postMessage(message, given);
  let store: ServedStore<Request, Reply>;
  try {
    store = open();
  } catch (error) {
    send({ refused: toErrorRecord(error) });
    port.close();
    return;
  }
  const waiting: Request[] = [];
  let closing = false;
  let scheduled = false;
  const turn = (): void => {
    scheduled = false;
    if (waiting.length > 0) {
      const answers = store.perform(waiting.slice(0, store.groupLimit ?? GROUP_LIMIT));
      waiting.splice(0, answers.length);
      send({ answers }, store.given?.(answers));
    }
    if (waiting.length > 0) {
      schedule();
    } else if (closing) {
      store.close();
      port.close();
    } else {
      store.idle?.();
    }
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  port.on("message", (message: ToWorker<Request>) => {
    if ("close" in message) closing = true;
    else waiting.push(...message.requests);
    schedule();
  });
  send({ ready: true });
}
