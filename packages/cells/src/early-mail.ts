/**
 * Messages for a cell that is built here and does not run yet. They are in its mailbox when it runs, and are acknowledged only then.
 *
 * EM1. Nothing that was taken early is acknowledged before the cell runs: until the move is committed its source may go on with it, and then
 *      nothing that was taken here ever happened.
 * EM2. A cell that is dropped takes what it took with it: its senders are told to try again.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { LinkOffer, LinkVerdict } from "@glia-os/mesh-core";
import { NotHereError } from "./errors.ts";

/** What waits until a cell runs. */
export class EarlyMail {
  readonly #runs = Promise.withResolvers<void>();

  constructor() {
    // Nobody may have sent anything.
    this.#runs.promise.catch(() => undefined);
  }

  /** An answer that holds once the cell runs (EM1). */
  held(offer: LinkOffer): LinkVerdict {
    return { ...offer, kept: this.#runs.promise };
  }

  /** The cell runs. */
  runs(): void {
    this.#runs.resolve();
  }

  /** The cell is dropped (EM2). */
  lost(agent: AgentId): void {
    this.#runs.reject(new NotHereError(agent));
  }
}
