/**
 * Two dials to one address, the second with a delay (the shape of RFC 8305).
 *
 * DR1. The second starts when the first has failed or after its head start, whichever comes first.
 * DR2. The first stream that is proved wins; the other dial is abandoned, and a stream it still brings is destroyed.
 * DR3. It fails when both have failed, with the error of the second.
 * DR4. A first that is still silent when the second has failed gets a last respite, no more: over UDP an address where nobody listens is
 *      silent for seconds, while TCP says so at once.
 */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Handshake, ProvenStream } from "./carrier.ts";

/** What a race is made from. */
export interface DialRaceParts {
  readonly first: Handshake;
  /** Start the second dial. */
  readonly second: () => Handshake;
  readonly headStartMs: number;
  /** What the first still gets when the second has failed (DR4). */
  readonly respiteMs: number;
  readonly timers: Timers;
  /** Told when the second has won. */
  readonly secondWon: () => void;
}

/** One handshake out of two. */
export function raceDials(parts: DialRaceParts): Handshake {
  const race = new DialRace(parts);
  return {
    carrier: parts.first.carrier,
    remote: parts.first.remote,
    complete: () => race.run(),
    abandon: () => race.abandon(),
  };
}

class DialRace {
  readonly #parts: DialRaceParts;
  readonly #won = Promise.withResolvers<ProvenStream>();
  #second: Handshake | undefined;
  #headStart: TimerHandle | undefined;
  #respite: TimerHandle | undefined;
  #failed = 0;
  #over = false;

  constructor(parts: DialRaceParts) {
    this.#parts = parts;
  }

  run(): Promise<ProvenStream> {
    const { first, timers, headStartMs } = this.#parts;
    this.#headStart = timers.schedule(headStartMs, () => this.#startSecond());
    first.complete().then(
      (stream) => this.#take(stream, () => this.#second?.abandon()),
      (error: unknown) => {
        this.#startSecond();
        this.#lose(error);
      },
    );
    return this.#won.promise;
  }

  abandon(): void {
    this.#over = true;
    this.#cancelTimers();
    this.#parts.first.abandon();
    this.#second?.abandon();
  }

  #startSecond(): void {
    this.#headStart?.cancel();
    if (this.#over || this.#second !== undefined) return;
    const second = this.#parts.second();
    this.#second = second;
    second.complete().then(
      (stream) => {
        const other = () => {
          this.#parts.first.abandon();
          this.#parts.secondWon();
        };
        this.#take(stream, other);
      },
      (error: unknown) => this.#lose(error, true),
    );
  }

  /** (DR2) */
  #take(stream: ProvenStream, abandonOther: () => void): void {
    if (this.#over) {
      stream.stream.destroy();
      return;
    }
    this.#over = true;
    this.#cancelTimers();
    abandonOther();
    this.#won.resolve(stream);
  }

  /** (DR3, DR4); an abandoned race fails with whatever fails first. */
  #lose(error: unknown, second = false): void {
    this.#failed++;
    if (second) this.#secondError = error;
    if (this.#over || this.#failed === 2) {
      this.#cancelTimers();
      this.#won.reject(this.#secondError ?? error);
    } else if (second) {
      this.#respite = this.#parts.timers.schedule(this.#parts.respiteMs, () => {
        this.#over = true;
        this.#parts.first.abandon();
        this.#won.reject(error);
      });
    }
  }

  #cancelTimers(): void {
    this.#headStart?.cancel();
    this.#respite?.cancel();
  }

  #secondError: unknown;
}
