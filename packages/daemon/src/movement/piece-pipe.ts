/** Hands pieces from one side to the other, one at a time: `push` comes back when its piece was taken. */

/** A pipe. */
export class PiecePipe {
  #piece: Uint8Array | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /** Hand a piece over. @throws what the other side failed with */
  async push(piece: Uint8Array): Promise<void> {
    this.#refuse();
    this.#piece = piece;
    this.#wake();
    while (this.#piece !== undefined) await this.#change();
    this.#refuse();
  }

  /** No piece comes any more. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Both sides are to give up. Idempotent. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#piece = undefined;
    this.#wake();
  }

  /** The next piece; undefined at the end. @throws what the other side failed with */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#refuse();
      const piece = this.#piece;
      this.#piece = undefined;
      if (piece !== undefined) {
        this.#wake();
        return piece;
      }
      if (this.#ended) return undefined;
      await this.#change();
    }
  }

  #refuse(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
