/**
 * Acknowledgements that wait a moment for the reply to what they acknowledge, so that one message carries both.
 *
 * HA1. One waits for {@link HELD_MS} at most, and only that of a lone ask that was taken; the next message of its link sends it at once. So a
 *      sender with more to say never waits for it.
 * HA2. At most {@link HELD_MOST} wait; beyond that none does.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { LinkId } from "./link-table.ts";
import type { LinkAck } from "./messages.ts";

/** How long an acknowledgement waits, in milliseconds: longer than an agent that answers at once takes, far below any time-out of a sender. */
export const HELD_MS = 2;
/** Acknowledgements that wait at once. */
export const HELD_MOST = 1024;

interface Held {
  readonly to: NodeId;
  readonly attempt: number;
  readonly ack: LinkAck;
  readonly timer: TimerHandle;
}

/** Sends an acknowledgement to a node. */
export type SendAck = (to: NodeId, attempt: number, ack: LinkAck) => void;

/** The acknowledgements of one node that wait. */
export class HeldAnswers {
  readonly #timers: Timers;
  readonly #send: SendAck;
  readonly #held = new Map<LinkId, Held>();

  constructor(timers: Timers, send: SendAck) {
    this.#timers = timers;
    this.#send = send;
  }

  /** Keep the acknowledgement of a lone ask for a moment (HA1). */
  hold(to: NodeId, attempt: number, ack: LinkAck): void {
    if (this.#held.size >= HELD_MOST) {
      this.#send(to, attempt, ack);
      return;
    }
    const timer = this.#timers.schedule(HELD_MS, () => this.release(ack.link));
    this.#held.set(ack.link, { to, attempt, ack, timer });
  }

  /** Send what waits for a link, if anything does. */
  release(link: LinkId): void {
    const held = this.#take(link);
    if (held !== undefined) this.#send(held.to, held.attempt, held.ack);
  }

  /** Send a reply, with the acknowledgement of its link if that waits for the same node. */
  reply(to: NodeId, agent: AgentId, link: LinkId, reply: LinkAck["replies"][number]): void {
    const held = this.#take(link);
    if (held?.to === to && held.ack.agent === agent)
      this.#send(to, held.attempt, { ...held.ack, replies: [reply] });
    else {
      if (held !== undefined) this.#send(held.to, held.attempt, held.ack);
      this.#send(to, 0, { link, agent, next: 0, status: { kind: "ok" }, replies: [reply] });
    }
  }

  /** Forget all: the node stops. */
  stop(): void {
    for (const { timer } of this.#held.values()) timer.cancel();
    this.#held.clear();
  }

  #take(link: LinkId): Held | undefined {
    const held = this.#held.get(link);
    if (held === undefined) return undefined;
    held.timer.cancel();
    this.#held.delete(link);
    return held;
  }
}
