/**
 * How a node gets in: every introducer or contact in turn, again after pauses that grow, until one answers or time is up.
 *
 * EN1. Somebody who answers and refuses ends the attempt at once: another contact of the same cluster would refuse too.
 * EN2. After {@link ROUNDS} rounds without an answer it ends with `mesh.introducer-unreachable`; after the timeout with
 *      `mesh.join-timeout`. Nothing goes on afterwards.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { IntroducerUnreachableError, JoinTimeoutError } from "../errors.ts";
import { Pauses } from "../peers/pauses.ts";
import { formatAddress } from "./join-line.ts";

/** Times every contact is tried. */
export const ROUNDS = 3;
/** Shortest and longest pause between rounds, in milliseconds. */
export const ROUND_PAUSE_MS = [200, 2000] as const;

/** One address to try, and who must answer there. */
export interface Contact {
  readonly address: HostPort;
  readonly expect: NodeId | undefined;
}

/** What an entrance needs. */
export interface EntranceOptions {
  readonly timers: Timers;
  readonly random: Random;
  readonly timeoutMs: number;
  dial(address: HostPort, expect: NodeId | undefined): Promise<NodeId>;
}

/** One attempt to get in. */
export class Entrance {
  readonly #o: EntranceOptions;
  #deadline: TimerHandle | undefined;
  #pause: { readonly timer: TimerHandle; readonly wake: () => void } | undefined;
  #over = false;

  constructor(options: EntranceOptions) {
    this.#o = options;
  }

  /** Run `steps` within the time. @throws {JoinTimeoutError}. */
  async within<Result>(steps: () => Promise<Result>): Promise<Result> {
    const { timers, timeoutMs } = this.#o;
    const late = new Promise<never>((_, reject) => {
      this.#deadline = timers.schedule(timeoutMs, () => reject(new JoinTimeoutError(timeoutMs)));
    });
    try {
      return await Promise.race([steps(), late]);
    } finally {
      this.end();
      late.catch(() => undefined);
    }
  }

  /** The first contact that admits this node. @throws {IntroducerUnreachableError}, the refusal of a contact. */
  async dial(contacts: readonly Contact[]): Promise<NodeId> {
    const pauses = new Pauses(this.#o.random, ...ROUND_PAUSE_MS);
    let last: unknown;
    for (let round = 0; round < ROUNDS && !this.#over; round++) {
      if (round > 0) await this.#wait(pauses.next());
      for (const { address, expect } of contacts) {
        if (this.#over) break;
        try {
          return await this.#o.dial(address, expect);
        } catch (error) {
          if (isRefusal(error)) throw error;
          last = error;
        }
      }
    }
    throw new IntroducerUnreachableError(
      contacts.map(({ address }) => formatAddress(address)).join(", "),
      last,
    );
  }

  /** Stop trying. */
  end(): void {
    this.#over = true;
    this.#deadline?.cancel();
    this.#pause?.timer.cancel();
    this.#pause?.wake();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { timer: this.#o.timers.schedule(delayMs, resolve), wake: resolve };
    });
  }
}

/** Whether somebody answered and said no, as opposed to nobody answering. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && !code.startsWith("wire.") && code !== "mesh.peer-unreachable";
}
