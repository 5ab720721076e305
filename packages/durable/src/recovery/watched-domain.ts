/**
 * A domain with a policy for its failures: one domain to whoever holds it, over all its restarts.
 *
 * WD1. Its result is that of the last incarnation, or why there is none.
 * WD2. What comes in while it is restarted waits, and is acknowledged by the incarnation that took it.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Domain } from "../domain.ts";
import type { DomainState } from "../domain-setup.ts";
import type { DurableDomain } from "../durable-domain.ts";
import { DomainLostError } from "../errors.ts";

/** Restarts a domain that failed: resolves with it as it goes on. @throws what it ends with */
export type Restarter = (failed: Domain, error: unknown) => Promise<Domain>;

/** One domain. */
export class WatchedDomain implements DurableDomain {
  readonly name: string;
  readonly result: Promise<unknown>;
  readonly #restart: Restarter;
  readonly #ended: PromiseWithResolvers<unknown> = Promise.withResolvers<unknown>();
  #current: Domain;
  /** Settles when the restart that is under way is over. */
  #restarting: Promise<void> | undefined;
  readonly #stopping: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #stopped = false;
  /** It ended by a failure that nobody has decided about. */
  #undecided: boolean;

  constructor(domain: Domain, restart: Restarter, undecided: boolean) {
    this.#undecided = undecided;
    this.name = domain.name;
    this.result = this.#ended.promise;
    this.result.catch(() => {});
    this.#restart = restart;
    this.#current = domain;
    this.#follow();
  }

  get state(): DomainState {
    if (this.#restarting === undefined && !this.#undecided) return this.#current.state;
    return this.#stopped ? "stopped" : "running";
  }

  get pressured(): boolean {
    return this.#current.pressured;
  }

  get mailbox(): DurableDomain["mailbox"] {
    return this.#current.mailbox;
  }

  tell(payload: unknown): Promise<void> {
    return this.#put((domain) => domain.tell(payload));
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#put((domain) => domain.cancel(reason));
  }

  /** Restart it no more. Its current incarnation is stopped by its owner. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve();
    this.#ended.reject(new DomainLostError(this.name, "it was stopped here"));
    await this.#restarting;
  }

  /** Resolves when it is stopped: a restart under way is left where it is. */
  get stopping(): Promise<void> {
    return this.#stopping.promise;
  }

  /** Whether it was. */
  get stopped(): boolean {
    return this.#stopped;
  }

  async #put(put: (domain: Domain) => Promise<void>): Promise<void> {
    for (;;) {
      await this.#restarting;
      const domain = this.#current;
      try {
        await put(domain);
        return;
      } catch (error) {
        // Its end is told after it is durable, and its restart begins then.
        if (errorCodeOf(error) !== ENDED) throw error;
        await domain.result.catch(() => {});
        if (this.#restarting === undefined && this.#current === domain) throw error;
      }
    }
  }

  #follow(): void {
    this.#current.result.then(this.#ended.resolve, (error: unknown) => {
      this.#undecided = false;
      if (this.#stopped || this.#current.state !== "ended") this.#ended.reject(error);
      else this.#restarting = this.#goOn(error);
    });
  }

  async #goOn(error: unknown): Promise<void> {
    try {
      this.#current = await this.#restart(this.#current, error);
      this.#restarting = undefined;
      this.#follow();
    } catch (last) {
      this.#restarting = undefined;
      this.#ended.reject(last);
    }
  }
}

const ENDED = "durable.domain-ended";
