/** The trace hash of a run of machines: two FNV-1a-like 32-bit words over times, places and messages. It finds differences only. */

/** A running hash. */
export class MachineTrace<Message> {
  readonly #digest: ((message: Message) => number) | undefined;
  #high = 0x811c_9dc5;
  #low = 0x01b3_6f2d;

  constructor(digest: ((message: Message) => number) | undefined) {
    this.#digest = digest;
  }

  /** A message arrived. */
  message(nowMs: number, from: number, to: number, message: Message): void {
    this.event(nowMs, from, to);
    if (this.#digest !== undefined) this.#word(this.#digest(message));
    else if (message instanceof Uint8Array) {
      this.#word(message.length);
      for (let i = 0; i < message.length; i++) this.#word(message[i] as number);
    }
  }

  /** Something else happened. */
  event(nowMs: number, place: number, what: number): void {
    // Times are far below 2^53 microseconds; both halves count.
    const micros = Math.floor(nowMs * 1000);
    this.#word(micros | 0);
    this.#word((micros / 0x1_0000_0000) | 0);
    this.#word(place);
    this.#word(what);
  }

  /** 16 hexadecimal digits. */
  hex(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #word(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x0100_0193);
    this.#low = Math.imul(this.#low + word, 0x85eb_ca6b) ^ (this.#low >>> 15) ^ (this.#high >>> 17);
  }
}
