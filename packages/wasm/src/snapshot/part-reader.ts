/** Cuts a stream that arrives in pieces of any size into parts whose length is known one part ahead. */

/** Hands whole parts to its owner, which says after each one how long the next is. */
export class PartReader<Owner> {
  readonly #owner: Owner;
  #waiting: Uint8Array = new Uint8Array();
  /** Memory for parts that their reader does not keep. */
  #lent: Uint8Array = new Uint8Array();
  #keeps = true;
  #have = 0;
  #need: number;
  #read: (this: Owner, part: Uint8Array) => void;

  /** The first part has `bytes` bytes and goes to `read`, a method of `owner`. */
  constructor(owner: Owner, bytes: number, read: (this: Owner, part: Uint8Array) => void) {
    this.#owner = owner;
    this.#need = bytes;
    this.#read = read;
  }

  /** The next part has `bytes` bytes and goes to `read`, which keeps no view of it unless `keeps`. */
  expect(bytes: number, read: (this: Owner, part: Uint8Array) => void, keeps = true): void {
    this.#keeps = keeps;
    this.#need = bytes;
    this.#read = read;
  }

  /** Use up to what the current part needs; what is left comes back. A part that lies whole in `rest` is not copied. */
  take(rest: Uint8Array): Uint8Array {
    const wanted = this.#need - this.#have;
    if (this.#have === 0 && rest.length >= wanted) {
      this.#read.call(this.#owner, rest.subarray(0, wanted));
      return rest.subarray(wanted);
    }
    if (this.#have === 0) this.#waiting = this.#keeps ? new Uint8Array(this.#need) : this.#lend(this.#need);
    this.#waiting.set(rest.subarray(0, wanted), this.#have);
    this.#have += Math.min(wanted, rest.length);
    if (this.#have === this.#need) {
      this.#have = 0;
      this.#read.call(this.#owner, this.#waiting);
    }
    return rest.subarray(wanted);
  }

  #lend(bytes: number): Uint8Array {
    if (this.#lent.length < bytes) this.#lent = new Uint8Array(bytes);
    return this.#lent.subarray(0, bytes);
  }

  /** Let go of the part that is not whole. */
  forget(): void {
    this.#lent = new Uint8Array();
    this.#waiting = new Uint8Array();
  }
}
