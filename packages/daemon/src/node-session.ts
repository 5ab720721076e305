/**
 * A node's lease on existing, kept alive.
 *
 * NS1. The lease is renewed at half of its time, because each renewal wakes the anchor and its disk. Calls to the anchor are repeated by
 *      themselves; a renewal that fails is tried again after a second.
 * NS2. A lease that ran out or was replaced is not used any more: a new session is opened, with a higher fence.
 * NS3. While it is held back nothing is renewed, so the lease ends by itself; released, it is renewed at once.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Coordination, Logger, NodeSession, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { requestId } from "./request-id.ts";

/** How long a node's lease lasts. */
export const LEASE_MS = 15_000;
/** How long it lasts in the profile `fast`. */
export const FAST_LEASE_MS = 5000;
/** After which share of its time a lease is renewed (NS1). */
export const RENEW_AFTER = 0.5;
const RETRY_MS = 1000;

/** What keeping a session needs. */
export interface SessionKeeperParts {
  readonly node: NodeId;
  readonly coordination: Coordination;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** How long the lease lasts, in milliseconds. Default {@link LEASE_MS}. */
  readonly leaseMs?: number;
  /** Told of every session that is opened. */
  readonly onSession: (session: NodeSession) => void;
}

/** Opens a session and renews it until it is closed. */
export class SessionKeeper {
  readonly #parts: SessionKeeperParts;
  #session: NodeSession | undefined;
  #timer: TimerHandle | undefined;
  #closed = false;
  #held = false;

  constructor(parts: SessionKeeperParts) {
    this.#parts = parts;
  }

  get #leaseMs(): number {
    return this.#parts.leaseMs ?? LEASE_MS;
  }

  /** The session in force. Empty before {@link open}. */
  get sessionId(): string {
    return this.#session?.sessionId ?? "";
  }

  /** Open the first session. */
  async open(): Promise<void> {
    const { node, coordination, random, onSession } = this.#parts;
    const session = await coordination.openSession(node, this.#leaseMs, requestId(random));
    this.#session = session;
    onSession(session);
    this.#again(RENEW_AFTER * this.#leaseMs);
  }

  /** Renew nothing until `release` (NS3). Idempotent. */
  hold(): void {
    this.#held = true;
    this.#timer?.cancel();
  }

  /** Renew again, at once (NS3). Idempotent. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (!this.#closed) void this.#renew();
  }

  /** End the session. Idempotent; an anchor that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    await this.#parts.coordination.closeSession(session.sessionId).catch((error: unknown) => {
      this.#parts.logger.log("debug", "session not closed", { code: errorCodeOf(error) });
    });
  }

  #again(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#closed || this.#held) return;
    this.#timer = this.#parts.timers.schedule(delayMs, () => void this.#renew(), {
      toleranceMs: delayMs / 10,
    });
  }

  async #renew(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    try {
      await this.#parts.coordination.renewSession(session.sessionId);
      this.#again(RENEW_AFTER * this.#leaseMs);
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    this.#parts.logger.log("warn", "lease not renewed", { code: errorCodeOf(error) });
    if (this.#closed) return;
    if (errorCodeOf(error) !== "store.session-expired") {
      this.#again(RETRY_MS);
      return;
    }
    await this.open().catch(() => this.#again(RETRY_MS));
  }
}
