/** Why a connection was lost, as a sentence: the first error of the socket, or that the peer ended it. */

/** Remembers the first error. */
export class ConnectionLostReason {
  #first: Error | undefined;

  /** An error of the socket. */
  note(error: Error): void {
    this.#first ??= error;
  }

  /** The sentence. */
  get text(): string {
    if (this.#first === undefined) return "the connection ended";
    const { code } = this.#first as NodeJS.ErrnoException;
    return `the connection broke: ${code ?? this.#first.message}`;
  }
}
