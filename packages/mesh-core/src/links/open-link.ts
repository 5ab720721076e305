/** An {@link AgentLink} over a {@link LinkSender}: promises, timeouts and closing. */
import type { AgentId } from "@glia-os/abi/ids";
import type { Timers } from "@glia-os/abi/ports";
import { LinkBrokenError, LinkLimitError, LinkTimeoutError, MeshStoppedError } from "../errors.ts";
import type { AgentLink, LinkStats } from "./agent-link.ts";
import { LinkSender, type LinkSenderOptions } from "./link-sender.ts";
import { PAYLOAD_MAX } from "./link-table.ts";

/** Sends of one link that wait for room. */
export const WAITING_MAX = 4096;
const CLOSE_MS = 1000;

/** What an open link needs beyond its sender's needs. */
export interface OpenLinkOptions extends Omit<LinkSenderOptions, "onRoom" | "onProgress" | "onBroken"> {
  /** The link is closed or broken: forget it; when `tell`, say so to the agent's node. */
  onEnd(tell: boolean): void;
}

interface Waiting {
  readonly payload: Uint8Array;
  readonly complete: ((reply: Uint8Array) => void) | undefined;
  readonly accepted: (seq: number) => void;
  readonly refused: (error: Error) => void;
}

interface Flush {
  readonly upTo: number;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** One open link. */
export class OpenLink implements AgentLink {
  readonly agent: AgentId;
  readonly sender: LinkSender;
  readonly #timers: Timers;
  readonly #onEnd: (tell: boolean) => void;
  #waiting: Waiting[] = [];
  #flushes: Flush[] = [];
  readonly #unanswered = new Set<(error: Error) => void>();
  #ended: Error | undefined;

  constructor(options: OpenLinkOptions) {
    this.agent = options.agent;
    this.#timers = options.timers;
    this.#onEnd = options.onEnd;
    this.sender = new LinkSender({
      ...options,
      onRoom: () => this.#admitWaiting(),
      onProgress: () => this.#finishFlushes(),
      onBroken: (error) => this.#end(error, false),
    });
  }

  async send(payload: Uint8Array): Promise<void> {
    await this.#accept(payload, undefined);
  }

  async ask(payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      let seq = 0;
      const settle = (): void => {
        deadline.cancel();
        this.#unanswered.delete(fail);
      };
      const fail = (error: Error): void => {
        settle();
        if (seq > 0) this.sender.abandon(seq);
        reject(error);
      };
      const deadline = this.#timers.schedule(timeoutMs, () =>
        fail(new LinkTimeoutError(this.agent, "the reply", timeoutMs)),
      );
      this.#unanswered.add(fail);
      const complete = (reply: Uint8Array): void => {
        settle();
        this.#admitWaiting();
        resolve(reply);
      };
      this.#accept(payload, complete).then((given) => {
        seq = given;
      }, fail);
    });
  }

  async flush(timeoutMs: number): Promise<LinkStats> {
    if (this.#ended !== undefined) throw this.#ended;
    const upTo = this.sender.stats().sent + this.#waiting.length;
    if (this.sender.stats().acknowledged >= upTo) return this.stats();
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => {
        deadline.cancel();
        this.#flushes = this.#flushes.filter((other) => other !== flush);
        reject(error);
      };
      const done = (): void => {
        deadline.cancel();
        resolve();
      };
      const flush: Flush = { upTo, done, failed };
      const deadline = this.#timers.schedule(timeoutMs, () =>
        failed(new LinkTimeoutError(this.agent, "the acknowledgement", timeoutMs)),
      );
      this.#flushes.push(flush);
    });
    return this.stats();
  }

  stats(): LinkStats {
    return this.sender.stats();
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    try {
      await this.flush(CLOSE_MS);
    } catch {
      // What could not be acknowledged in time stays unknown, as close() says.
    }
    this.#end(new LinkBrokenError(this.agent, "it was closed"), true);
  }

  /** The mesh stops. */
  stop(): void {
    this.#end(new MeshStoppedError(), true);
  }

  #accept(payload: Uint8Array, complete: ((reply: Uint8Array) => void) | undefined): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (payload.length > PAYLOAD_MAX)
      return Promise.reject(new LinkLimitError("the payload of one message, in bytes,", PAYLOAD_MAX));
    if (this.#waiting.length >= WAITING_MAX)
      return Promise.reject(new LinkLimitError("the number of sends that wait for room", WAITING_MAX));
    const seq = this.#waiting.length === 0 ? this.sender.offer(payload, complete) : 0;
    if (seq > 0) return Promise.resolve(seq);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((accepted, refused) => {
      this.#waiting.push({ payload, complete, accepted, refused });
    });
  }

  #admitWaiting(): void {
    let first = this.#waiting[0];
    while (first !== undefined) {
      const seq = this.sender.offer(first.payload, first.complete);
      if (seq === 0) return;
      this.#waiting.shift();
      first.accepted(seq);
      first = this.#waiting[0];
    }
  }

  #finishFlushes(): void {
    const { acknowledged } = this.sender.stats();
    const done = this.#flushes.filter(({ upTo }) => acknowledged >= upTo);
    this.#flushes = this.#flushes.filter(({ upTo }) => acknowledged < upTo);
    for (const flush of done) flush.done();
  }

  #end(error: Error, tell: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#onEnd(tell);
    this.sender.stop();
    for (const { refused } of this.#waiting.splice(0)) refused(error);
    for (const { failed } of [...this.#flushes]) failed(error);
    for (const fail of [...this.#unanswered]) fail(error);
  }
}
