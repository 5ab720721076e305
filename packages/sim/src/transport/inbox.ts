/**
 * Messages of one class on their way to the one receiver of a session.
 *
 * IB1. One message is handled at a time, in the order they came; while its promise is pending, or there is no receiver yet, the rest waits.
 * IB2. `paid` is called with the bytes that came while nothing was held back, or as soon as that is so again.
 * IB3. With `keep`, at most so many messages wait; the oldest gives way.
 */

/** Takes a message; returning a promise holds the class back. */
export type Receive = (message: Uint8Array) => void | Promise<void>;

/** The inbox of one class. */
export class Inbox {
  readonly #waiting: Uint8Array[] = [];
  readonly #paid: (bytes: number) => void;
  readonly #failed: (error: unknown) => void;
  readonly #keep: number;
  #parts: Uint8Array[] = [];
  #receive: Receive | undefined;
  #busy = false;
  #owed = 0;
  #idle: (() => void) | undefined;

  constructor(
    paid: (bytes: number) => void,
    failed: (error: unknown) => void,
    keep: number = Number.POSITIVE_INFINITY,
  ) {
    this.#paid = paid;
    this.#failed = failed;
    this.#keep = keep;
  }

  /** A part came; with nothing left of its message, the message is whole. */
  part(bytes: Uint8Array, left: number): void {
    this.#parts.push(bytes);
    this.#owed += bytes.length;
    if (left === 0) {
      this.#waiting.push(joined(this.#parts));
      this.#parts = [];
      if (this.#waiting.length > this.#keep) this.#waiting.shift();
    }
    this.#next();
  }

  /** Whoever receives from now on. */
  receiver(receive: Receive): void {
    this.#receive = receive;
    this.#next();
  }

  /** Resolves when nothing waits. */
  drained(): Promise<void> {
    if (!this.#busy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #next(): void {
    while (!this.#busy && this.#receive !== undefined) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      this.#handle(this.#receive, message);
    }
    if (this.#busy || (this.#receive === undefined && this.#waiting.length > 0)) return;
    const owed = this.#owed;
    this.#owed = 0;
    if (owed > 0) this.#paid(owed);
    this.#idle?.();
  }

  #handle(receive: Receive, message: Uint8Array): void {
    try {
      const held = receive(message);
      if (held === undefined) return;
      this.#busy = true;
      held.then(
        () => {
          this.#busy = false;
          this.#next();
        },
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
