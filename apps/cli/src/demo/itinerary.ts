/**
 * When the agent moves while it is being fed.
 *
 * IT1. Each move starts when its `start` share of the input was sent and must be over when its `settled` share was: so
 *      messages are sent before, during and after every move, whatever the size of the input.
 *      `arrived` is called once, when the last one is over.
 * IT2. A stage in which the input gave no message gets one from `pad`, so IT1 holds for a single empty file too.
 */

/** One move of the agent. Shares are of the whole input, from 0 to 1, in growing order over all moves. */
export interface Leg {
  readonly to: string;
  readonly start: number;
  readonly settled: number;
}

/** Edge to Core to Relay: the agent starts on `edge`. */
export const LEGS: readonly Leg[] = [
  { to: "core", start: 1 / 3, settled: 1 / 2 },
  { to: "relay", start: 2 / 3, settled: 5 / 6 },
];

/** What an itinerary needs from the run. */
export interface Traveller {
  /** Move the agent; resolves when the move is committed and the agent works again. */
  move(leg: Leg): Promise<void>;
  /** The last move is over. */
  arrived(): Promise<void>;
  /** Send one message that changes no count, and report it as sent. */
  pad(): Promise<void>;
}

/** The moves of one run (IT1, IT2). */
export class Itinerary {
  readonly #legs: readonly Leg[];
  readonly #traveller: Traveller;
  /** Even: legs not started yet; odd: the leg under way. */
  #stage = 0;
  #sentInStage = 0;
  #moving: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(traveller: Traveller, legs: readonly Leg[] = LEGS) {
    this.#traveller = traveller;
    this.#legs = legs;
  }

  /** Messages were sent; call after each. */
  sent(): void {
    this.#sentInStage++;
  }

  /** Call before each message with the share of the input sent so far: starts moves and waits for them. */
  async reached(share: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    for (let leg = this.#legs[this.#stage >> 1]; leg !== undefined; leg = this.#legs[this.#stage >> 1]) {
      const due = this.#stage % 2 === 0 ? leg.start : leg.settled;
      if (share < due) return;
      await this.#advance(leg);
    }
  }

  /** The input is over: what has not happened yet happens now, and one more message follows. */
  async finish(): Promise<void> {
    await this.reached(1);
    await this.#padIfSilent();
  }

  async #advance(leg: Leg): Promise<void> {
    await this.#padIfSilent();
    if (this.#stage % 2 === 0) {
      this.#moving = this.#traveller.move(leg);
      this.#moving.catch((error: unknown) => (this.#failure = { error }));
    } else await this.#moving;
    this.#stage++;
    this.#sentInStage = 0;
    if (this.#stage === 2 * this.#legs.length) await this.#traveller.arrived();
  }

  async #padIfSilent(): Promise<void> {
    if (this.#sentInStage === 0) await this.#traveller.pad();
  }
}
