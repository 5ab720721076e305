/**
 * A port between two threads that carries small plain messages by shared memory, and everything else as it always did.
 *
 * RP1. Messages arrive in the order in which they were posted, whichever way each went: every one has a number, and the reader takes the
 *      next number from wherever it is.
 * RP2. What the memory cannot carry goes by the port, which carries or refuses it as ever: what is no plain data, what is longer than 64 KiB,
 *      what is to be moved, what finds no room, and what has to wake the reader.
 * RP3. What was posted before the other thread ended arrives before its end does. When this end was closed nothing arrives any more.
 * RP4. The end that offers measures whether answers come sooner when both threads stay awake for them (`spin-choice.ts`); both do what it
 *      chose. So on a machine with nothing to spare they sleep, as threads with a port do.
 */

import { LONGEST_COUNTED, SpinChoice } from "../engines/spin-choice.ts";
import { BadOptionError } from "../errors.ts";
import { type Looked, lookoutHere } from "./lookout.ts";
import { RECORD_BYTES, RING_MEMORY_BYTES, RingReader, RingWriter } from "./thread-ring.ts";
import { ValueReader, ValueWriter } from "./thread-values.ts";

/**
 * A longer wait counts as this long unless the end that offers says otherwise (RP4). Waking one thread up takes less; what takes longer
 * computes, or did not get a processor, and says little about waking up.
 */
const WAIT_MS = 0.05;
/** Longest wait that may be counted, in milliseconds: whoever looks at all does not look for much longer (`lookout.ts`). */
const WAIT_MOST_MS = 1;
const WAIT_LEAST_MS = 0.01;

/** What a ring port is made over: a `Worker`, `parentPort` or a `MessagePort`. */
export interface PortLike {
  postMessage(message: unknown, transfer: never[]): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: string, listener: () => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
  off(event: string, listener: () => void): unknown;
  close?(): void;
}

/** Which side makes the memory: one of the two `offers` it, the other `accepts`. */
export type RingSide = "offers" | "accepts";

/** How a port is measured. */
export interface RingPortOptions {
  /**
   * On the end that offers: a longer wait for an answer counts as this long, 0.01 to 1 millisecond, default 0.05. It is to be longer than an
   * answer takes while no thread sleeps on its way, and all that wake up take. 0: the threads sleep at once and never look.
   */
  readonly waitMs?: number;
}

type Listener = (message: unknown) => void;

/** What goes by the port below. */
type Packet = Offer | Look | Numbered | { readonly ring: number; readonly refused: true };

interface Offer {
  readonly ring: "offer";
  readonly memory: SharedArrayBuffer;
}

/** There is something in the memory. */
interface Look {
  readonly ring: "look";
}

interface Numbered {
  readonly ring: number;
  readonly value: unknown;
  readonly refused?: undefined;
}

/** One writer per thread: a message is written through before the next begins, unless a getter of it posts another. */
const writer = new ValueWriter(RECORD_BYTES);
let writing = false;

function written(message: unknown): Uint8Array | undefined {
  if (writing) return undefined;
  writing = true;
  try {
    return writer.write(message);
  } finally {
    writing = false;
  }
}

/** The memory of this end. */
class Rings {
  readonly out: RingWriter;
  readonly in: RingReader;
  readonly values: ValueReader;
  readonly inAt: number;
  /** On the end that offers (RP4). */
  readonly #choice: SpinChoice | undefined;
  /** When what is waited for was posted; NaN: nothing is. */
  #sinceMs = Number.NaN;

  constructor(memory: SharedArrayBuffer, side: RingSide, waitMs: number) {
    this.inAt = side === "offers" ? RING_MEMORY_BYTES : 0;
    this.out = new RingWriter(memory, side === "offers" ? 0 : RING_MEMORY_BYTES);
    this.in = new RingReader(memory, this.inAt);
    this.values = new ValueReader(memory);
    if (side === "accepts") return;
    const longestMs = lookoutHere().mayLook ? waitMs / LONGEST_COUNTED : 0;
    this.#choice = new SpinChoice(longestMs, (looking) => {
      this.out.looking = looking;
    });
  }

  /** Something was posted. */
  posted(): void {
    const now = lookoutHere().nowMs();
    if (this.#choice !== undefined && Number.isNaN(this.#sinceMs)) this.#sinceMs = now;
    this.#expect(now);
  }

  /** Something came. */
  came(): void {
    const now = lookoutHere().nowMs();
    if (this.#choice !== undefined && !Number.isNaN(this.#sinceMs)) {
      this.#choice.waited(now - this.#sinceMs);
      this.#sinceMs = Number.NaN;
    }
    this.#expect(now);
  }

  #expect(nowMs: number): void {
    if (this.#choice?.looking ?? this.in.looking) lookoutHere().expect(nowMs);
  }
}

/** One end of a port with a ring in each direction. Both ends must be made with this. */
export class RingPort implements Looked {
  readonly #port: PortLike;
  readonly #side: RingSide;
  readonly #waitMs: number;
  readonly #listeners = new Set<Listener>();
  /** Numbered messages that came by the port and have predecessors in the ring. */
  readonly #early: Exclude<Packet, Offer | Look>[] = [];
  #rings: Rings | undefined;
  #sent = 0;
  #taken = 0;
  #closed = false;
  /** This end was closed by its own thread. */
  #deaf = false;

  /** @throws {BadOptionError} */
  constructor(port: PortLike, side: RingSide, { waitMs = WAIT_MS }: RingPortOptions = {}) {
    const isWait = typeof waitMs === "number" && waitMs >= WAIT_LEAST_MS && waitMs <= WAIT_MOST_MS;
    if (!isWait && waitMs !== 0)
      throw new BadOptionError("waitMs", waitMs, `0, or ${WAIT_LEAST_MS} to ${WAIT_MOST_MS}`);
    if (side !== "offers" && side !== "accepts") throw new BadOptionError("side", side, "offers or accepts");
    this.#port = port;
    this.#side = side;
    this.#waitMs = waitMs;
    const ended = (): void => this.#ended();
    port.on("close", ended);
    port.on("exit", ended);
    if (side === "offers") {
      const memory = new SharedArrayBuffer(2 * RING_MEMORY_BYTES);
      port.postMessage({ ring: "offer", memory } satisfies Packet, []);
      this.#open(memory);
    }
  }

  /** As `postMessage` of the port, which is used for what is no small plain data (RP2). @throws `DataCloneError` as the port does */
  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    const rings = this.#rings;
    const bytes =
      rings === undefined || transfer.length > 0 || rings.out.mustWake() ? undefined : written(message);
    const number = (this.#sent + 1) | 0;
    if (bytes === undefined || !rings!.out.write(number, bytes)) this.#byPort(message, transfer);
    else {
      this.#sent = number;
      if (rings!.out.mustWake()) this.#port.postMessage({ ring: "look" } satisfies Packet, []);
    }
    if (rings !== undefined && !this.#closed) rings.posted();
  }

  /**
   * The number is taken when the message has been copied: what its getters post goes before it (RP1). One that the port refuses leaves a number
   * to nothing, and wakes the reader all the same.
   */
  #byPort(message: unknown, transfer: readonly unknown[]): void {
    let number: number | undefined;
    const take = (): number => {
      number = this.#sent = (this.#sent + 1) | 0;
      return number;
    };
    const packet: Numbered = {
      value: message,
      get ring() {
        return take();
      },
    };
    try {
      this.#port.postMessage(packet, transfer as never[]);
    } catch (error) {
      this.#port.postMessage({ ring: number ?? take(), refused: true } satisfies Packet, []);
      throw error;
    }
  }

  /** As `on` of the port: `message` gives what the other end posted, in order (RP1). */
  on(event: string, listener: Listener): this {
    if (event !== "message") this.#port.on(event, listener as () => void);
    else {
      if (this.#listeners.size === 0) this.#port.on("message", this.#heard);
      this.#listeners.add(listener);
      if (this.#rings !== undefined && !this.#closed) lookoutHere().add(this);
    }
    return this;
  }

  /** As `off` of the port. */
  off(event: string, listener: Listener): this {
    if (event !== "message") this.#port.off(event, listener as () => void);
    else if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
      this.#port.off("message", this.#heard);
      lookoutHere().remove(this);
    }
    return this;
  }

  /** Close the port below, if it can be closed. Nothing arrives any more, not even what is there already (RP3). */
  close(): void {
    this.#deaf = true;
    this.#port.close?.();
    this.#ended();
  }

  // Looked

  take(endMs: number): boolean {
    const rings = this.#rings;
    if (rings === undefined || !this.#ready(rings)) return false;
    if (!this.#closed) rings.came();
    do {
      const number = (this.#taken + 1) | 0;
      if (this.#early[0]?.ring === number) this.#arrived(this.#early.shift()!);
      else {
        const value = rings.values.read(rings.in.first(rings.inAt));
        rings.in.done();
        this.#deliver(number, value);
      }
    } while (this.#ready(rings) && lookoutHere().nowMs() < endMs);
    return true;
  }

  get ready(): boolean {
    return this.#rings !== undefined && this.#ready(this.#rings);
  }

  /** Whether the next message is there (RP1), and somebody to hear it. */
  #ready(rings: Rings): boolean {
    if (this.#deaf || this.#listeners.size === 0) return false;
    const next = (this.#taken + 1) | 0;
    if (rings.in.first(rings.inAt) >= 0 && rings.in.sequence === next) return true;
    return this.#early[0]?.ring === next;
  }

  set asleep(asleep: boolean) {
    if (this.#rings !== undefined) this.#rings.in.asleep = asleep;
  }

  readonly #heard: Listener = (message) => {
    if (this.#deaf) return;
    const packet = message as Packet;
    if (packet.ring === "offer") {
      this.#open(packet.memory);
      return;
    }
    if (packet.ring !== "look") {
      if (this.#rings === undefined) {
        this.#arrived(packet);
        return;
      }
      this.#early.push(packet);
    }
    lookoutHere().woken(this);
  };

  #arrived(packet: Exclude<Packet, Offer | Look>): void {
    if (packet.refused === true) this.#taken = packet.ring;
    else this.#deliver(packet.ring, packet.value);
  }

  #open(memory: SharedArrayBuffer): void {
    this.#rings = new Rings(memory, this.#side, this.#waitMs);
    if (this.#listeners.size > 0 && !this.#closed) lookoutHere().add(this);
  }

  #deliver(number: number, value: unknown): void {
    this.#taken = number;
    for (const listener of this.#listeners) listener(value);
  }

  /** (RP3) */
  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    lookoutHere().remove(this);
    this.take(Number.POSITIVE_INFINITY);
  }
}
