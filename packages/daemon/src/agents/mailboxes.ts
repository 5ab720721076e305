/**
 * Mailboxes of a node: addresses of programs outside that take part in the talk of agents.
 *
 * MB1. A mailbox has an id that names its node (mesh-core, mailbox-id.ts), a link table and a desk of its own. It does not move.
 * MB2. What is taken out is not in it any more; a program that fails between taking and handling has lost it.
 * MB3. At most {@link MAILBOXES_MAX} are open; at most {@link MESSAGES_MAX} messages and {@link BYTES_MAX} bytes wait in one, and what does not
 *      fit waits with its sender. One that nobody asked for {@link ABANDONED_MS} is closed.
 * MB4. However a mailbox is closed, that is told once: nobody waits on for one that is not there.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { type LinkMessage, LinkTable, type LinkVerdict } from "@glia-os/mesh-core";
import type { Desk } from "./desk.ts";
import { MailboxGoneError, TooManyMailboxesError } from "./errors.ts";

/** Mailboxes of one node. */
export const MAILBOXES_MAX = 4096;
/** Messages that wait in one mailbox. */
export const MESSAGES_MAX = 1000;
/** Bytes that wait in one mailbox, unless it is one message. */
export const BYTES_MAX: number = 8 * 1024 * 1024;
/** How long a mailbox is kept that nobody takes from. */
export const ABANDONED_MS = 60_000;
/** Longest wait for messages in one call. */
export const TAKE_MS_MAX = 30_000;
const RETRY_MS = 5;

interface Mailbox {
  readonly desk: Desk;
  readonly table: LinkTable;
  queue: Uint8Array[];
  bytes: number;
  waiter: (() => void) | undefined;
  abandoned: TimerHandle | undefined;
}

/** The mailboxes of one node. */
export class Mailboxes {
  readonly #timers: Timers;
  readonly #closed: (id: AgentId) => void;
  readonly #boxes = new Map<AgentId, Mailbox>();

  /** `closed` hears of each that is closed (MB4). */
  constructor(timers: Timers, closed: (id: AgentId) => void) {
    this.#timers = timers;
    this.#closed = closed;
  }

  /** Open one. @throws {TooManyMailboxesError} */
  open(id: AgentId, desk: Desk): void {
    if (this.#boxes.size >= MAILBOXES_MAX) throw new TooManyMailboxesError(MAILBOXES_MAX);
    const box: Mailbox = {
      desk,
      table: new LinkTable(),
      queue: [],
      bytes: 0,
      waiter: undefined,
      abandoned: undefined,
    };
    this.#boxes.set(id, box);
    this.#watch(id, box);
  }

  /** Its desk. @throws {MailboxGoneError} */
  desk(id: AgentId): Desk {
    return this.#here(id).desk;
  }

  /** Those whose desk subscribes to a topic. */
  subscribers(topic: string): readonly AgentId[] {
    return [...this.#boxes].filter(([, { desk }]) => desk.topics.has(topic)).map(([id]) => id);
  }

  /** Close one. Idempotent. */
  close(id: AgentId): void {
    const box = this.#boxes.get(id);
    if (box === undefined) return;
    this.#boxes.delete(id);
    box.abandoned?.cancel();
    box.desk.close();
    box.waiter?.();
    this.#closed(id);
  }

  closeAll(): void {
    for (const id of [...this.#boxes.keys()]) this.close(id);
  }

  /** One message of a link; undefined for what is no mailbox here. */
  deliver({ agent, link, seq, floor, ask, payload }: LinkMessage): LinkVerdict | undefined {
    const box = this.#boxes.get(agent);
    if (box === undefined) return undefined;
    const full = box.queue.length >= MESSAGES_MAX || box.bytes + payload.length > BYTES_MAX;
    if (full && box.queue.length > 0) return { kind: "retry", retryAfterMs: RETRY_MS };
    const verdict = box.table.offer(link, seq, floor, ask);
    if (verdict.kind !== "accepted") return verdict;
    box.queue.push(payload.slice());
    box.bytes += payload.length;
    box.waiter?.();
    return verdict;
  }

  /** All that waits; when nothing does, what comes within a time. Of two calls at once the earlier gives nothing. @throws {MailboxGoneError} */
  async take(id: AgentId, waitMs: number): Promise<readonly Uint8Array[]> {
    const box = this.#here(id);
    box.abandoned?.cancel();
    box.waiter?.();
    if (box.queue.length === 0 && waitMs > 0) await this.#something(box, Math.min(waitMs, TAKE_MS_MAX));
    if (this.#boxes.get(id) !== box) throw new MailboxGoneError(id);
    const { queue } = box;
    box.queue = [];
    box.bytes = 0;
    if (box.waiter === undefined) this.#watch(id, box);
    return queue;
  }

  #something(box: Mailbox, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        if (box.waiter === done) box.waiter = undefined;
        resolve();
      };
      const timer = this.#timers.schedule(waitMs, done);
      box.waiter = done;
    });
  }

  #watch(id: AgentId, box: Mailbox): void {
    box.abandoned?.cancel();
    box.abandoned = this.#timers.schedule(ABANDONED_MS, () => this.close(id));
  }

  #here(id: AgentId): Mailbox {
    const box = this.#boxes.get(id);
    if (box === undefined) throw new MailboxGoneError(id);
    return box;
  }
}
