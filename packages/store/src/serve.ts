/**
 * The worker's side of a store: requests in, answers out, one group of requests at a time.
 *
 * W1. Answers leave in the order of their requests.
 * W2. A group holds what has arrived when it begins, up to its limit: what arrives during a flush shares the next one.
 * W3. The worker ends by itself after `close`, or when its parent goes away: its port is its only handle.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { type ErrorRecord, toErrorRecord } from "@glia-os/abi/errors";
import { SlotWorker } from "./shared-slot.ts";
import { WakefulLoop } from "./wakeful-loop.ts";
import { workerClock } from "./worker-clock.ts";

/** The most requests one group holds when a store names no limit: how long the first waits for the last is bounded by it. */
export const GROUP_LIMIT = 256;

/** The answer to one request. */
export type Answer<Reply> = { readonly reply: Reply } | { readonly refused: ErrorRecord };

/** What the parent sends. */
export type ToWorker<Request> =
  | { readonly requests: readonly Request[] }
  /** Requests in a form that crosses threads faster. */
  | { readonly packed: unknown }
  /** There is something in the slot. */
  | { readonly look: true }
  | { readonly close: true };

/** What the worker sends. `answers` belong to the oldest requests not answered yet (W1). */
export type FromWorker<Reply> =
  | { readonly ready: true }
  | { readonly refused: ErrorRecord }
  | { readonly answers: readonly Answer<Reply>[] }
  /** Replies in a form that crosses threads faster. */
  | { readonly replies: unknown }
  /** So many answers without a reply. */
  | { readonly done: number }
  /** Answers without a reply were counted in the slot. */
  | { readonly look: true };

/** An open store in its worker. */
export interface ServedStore<Request, Reply> {
  /**
   * Perform some requests, at least the first and none before an earlier one; what they changed is durable when this returns,
   * or when what it returns resolves.
   * Those without an answer are asked again.
   */
  perform(requests: readonly Request[]): readonly Answer<Reply>[] | Promise<readonly Answer<Reply>[]>;
  /** Buffers in the answers that hold nothing else and go to the parent without a copy. */
  given?(answers: readonly Answer<Reply>[]): ArrayBuffer[];
  /** The most requests one group holds; default {@link GROUP_LIMIT}. */
  readonly groupLimit?: number;
  /** Called when no request waits: time for work that may be put off. */
  idle?(): void;
  close(): void;
}

/** A store whose answers are there when `perform` returns. */
export interface SynchronousStore<Request, Reply> extends ServedStore<Request, Reply> {
  perform(requests: readonly Request[]): readonly Answer<Reply>[];
}

/** Other forms of requests and replies, which cross threads faster: the worker's side of the parent's `Load`. */
export interface Packing<Request, Reply> {
  /** Undoes `Load.pack`. */
  unpack(packed: unknown): readonly Request[];
  /** A reply in another form, which `Load.unpackReply` undoes, or as it is. Buffers that go along are added to `given`. */
  packReply(reply: Reply, given: ArrayBuffer[]): unknown;
  /** All replies of a group in another form, which `Load.unpackReplies` undoes; undefined to pack them one by one. */
  packReplies?(replies: readonly Reply[], given: ArrayBuffer[]): unknown;
  /** Undoes `Load.write`. */
  read?(bytes: Uint8Array): readonly Request[];
}

/** Open a store and answer requests from `port` until it is closed. Reports a refusal to open and ends. */
export function serveStore<Request, Reply>(
  port: MessagePort,
  open: () => ServedStore<Request, Reply>,
  packing?: Packing<Request, Reply>,
  memory?: SharedArrayBuffer,
): void {
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
  let waiting: Request[] = [];
  let closing = false;
  let scheduled = false;
  const slot = memory === undefined ? undefined : new SlotWorker(memory);
  /** Requests at the front that came by the slot. */
  let slotted = 0;
  const look = (): void => {
    const bytes = slot?.take();
    if (bytes === undefined) return;
    loop.came();
    const requests = packing?.read?.(bytes) ?? [];
    slotted = requests.length;
    for (const request of requests) waiting.push(request);
    if (!scheduled) turn();
  };
  const loop = new WakefulLoop({
    nowMs: workerClock.monotonicMs,
    nextTurn: setImmediate,
    look,
    awake: (awake) => {
      if (slot !== undefined) slot.isAwake = awake;
    },
  });

  const answer = (answers: readonly Answer<Reply>[]): void => {
    const given = store.given?.(answers) ?? [];
    const replies = answers.flatMap((one) => ("reply" in one ? [one.reply] : []));
    const together = replies.length === answers.length ? packing?.packReplies?.(replies, given) : undefined;
    if (together !== undefined) {
      send({ replies: together }, given);
      return;
    }
    const packed = answers.map((one) =>
      "reply" in one && packing !== undefined ? { reply: packing.packReply(one.reply, given) as Reply } : one,
    );
    send({ answers: packed }, given);
  };
  const turn = async (): Promise<void> => {
    scheduled = true;
    if (waiting.length > 0) {
      const limit = store.groupLimit ?? GROUP_LIMIT;
      const answers = await store.perform(waiting.length <= limit ? waiting : waiting.slice(0, limit));
      waiting = waiting.slice(answers.length);
      const bySlot = slotted === answers.length && slotted > 0;
      slotted = 0;
      if (!answers.every(isDone)) answer(answers);
      else if (!bySlot || slot === undefined) send({ done: answers.length });
      else if (slot.answer(answers.length)) send({ look: true });
    }
    scheduled = false;
    if (waiting.length > 0) {
      schedule();
    } else if (closing) {
      store.close();
      port.close();
    } else {
      store.idle?.();
      loop.expect();
    }
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  const take = (message: ToWorker<Request>): void => {
    if ("close" in message) closing = true;
    else if (!("look" in message)) {
      const requests = "packed" in message ? packing?.unpack(message.packed) : message.requests;
      for (const request of requests ?? []) waiting.push(request);
    }
  };

  port.on("message", (message: ToWorker<Request>) => {
    loop.came();
    // What is in the slot was asked before the message was sent.
    look();
    take(message);
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port))
      take(more.message as ToWorker<Request>);
    if (!scheduled) turn();
  });
  send({ ready: true });
}

function isDone(answer: Answer<unknown>): boolean {
  return "reply" in answer && answer.reply === undefined;
}
