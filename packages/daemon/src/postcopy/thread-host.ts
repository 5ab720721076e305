/**
 * What a guest in a thread of its own may ask for without waiting.
 *
 * TH1. What it does with its capabilities, and its replies, are noted in their order, and told before anything that follows from them; it holds what it
 *      brought and was offered, and nothing else. With {@link GUEST_NOTES} notes that are not told nothing more is bound.
 */
import { GUEST_NOTES, type GuestCapability, type GuestHost, type GuestNote } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { createSystemClock, createSystemRandom } from "@glia-os/hal";
import { CapabilityMirror } from "@glia-os/wasm";
import type { FromGuestThread } from "./guest-words.ts";

/** Longest reply: the largest payload of a link. */
const REPLY_BYTES_MAX: number = 1024 * 1024;

/** One guest's. */
export class ThreadHost implements GuestHost {
  readonly #say: (message: FromGuestThread) => void;
  readonly #clock = createSystemClock();
  readonly #random = createSystemRandom();
  readonly capabilities: CapabilityMirror;
  #notes: GuestNote[] = [];
  mayReply = false;

  constructor(offered: readonly GuestCapability[], say: (message: FromGuestThread) => void) {
    this.#say = say;
    const full = (): boolean => this.#notes.length >= GUEST_NOTES;
    this.capabilities = new CapabilityMirror(offered, false, {
      get full() {
        return full();
      },
      note: (note) => void this.#notes.push(note),
    });
  }

  /** Tell what is noted (TH1). */
  tellNotes(): void {
    const notes = this.#notes;
    if (notes.length === 0) return;
    this.#notes = [];
    this.#say({ notes });
  }

  log(level: number, text: string): void {
    this.#say({ log: [level, text] });
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  random(target: Uint8Array): void {
    this.#random.bytes(target);
  }

  reply(payload: Uint8Array): number {
    if (!this.mayReply) return GUEST_ERRORS.E_STATE;
    if (payload.length > REPLY_BYTES_MAX) return GUEST_ERRORS.E_LIMIT;
    this.mayReply = false;
    this.#notes.push({ kind: "reply", payload: payload.slice() });
    return 0;
  }
}
