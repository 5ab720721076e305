/**
 * The network between simulated machines.
 *
 * SN1. A `datagram` may be lost, doubled, changed, delayed and overtaken. Messages of `request` and `bulk` arrive once and in order per
 *      direction and class, or their stream breaks and both ends are told.
 * SN2. Whether a packet passes is decided when it is sent; what was under way when a fault began still arrives.
 * SN3. Every draw comes from one source, in the order of sending.
 */
import type { Random, TrafficClass } from "@glia-os/abi/ports";
import { exponential } from "./exponential.ts";
import { type NetworkModel, networkModel } from "./network-model.ts";

const UINT32 = 0x1_0000_0000;
const SLOW_MS = 3000;
const RETRANSMIT_MS = 200;
const RETRANSMITS_MAX = 7;
const CUT_OFF_MS = 1500;

/** What becomes of one message: when it arrives, when again, or that its stream breaks. */
export interface Passage {
  /** Milliseconds from now; Infinity: never. */
  delayMs: number;
  /** A second arrival; Infinity: none. */
  againMs: number;
  /** The first arrival is changed. */
  corrupt: boolean;
  /** The stream breaks, this many milliseconds from now; Infinity: it does not. */
  breakMs: number;
}

/** State of the network of one run. */
export class SimulatedNetwork {
  readonly #machines: number;
  readonly #random: Random;
  readonly #base: NetworkModel;
  readonly #groups: Int32Array;
  /** By `from * machines + to`: how many blocks hold. Made when needed. */
  #blocked: Uint8Array | undefined;
  readonly #clogs = new Map<number, number>();
  readonly #lastArrivalMs = new Map<number, number>();
  readonly #passage: Passage = { delayMs: 0, againMs: 0, corrupt: false, breakMs: 0 };
  #partition = 0;
  /** As it is now. */
  model: NetworkModel;

  constructor(machines: number, model: NetworkModel, random: Random) {
    this.#machines = machines;
    this.#base = model;
    this.model = model;
    this.#random = random;
    this.#groups = new Int32Array(machines);
  }

  /** Whether something sent from one machine now may reach another. */
  passes(from: number, to: number): boolean {
    if (this.#partition !== 0 && this.#groups[from] !== this.#groups[to]) return false;
    return this.#blocked === undefined || this.#blocked[from * this.#machines + to] === 0;
  }

  /** Decide over one message (SN1-SN3). The result is overwritten by the next call. */
  pass(from: number, to: number, trafficClass: TrafficClass, nowMs: number): Passage {
    return trafficClass === "datagram"
      ? this.#datagram(from, to, nowMs)
      : this.#stream(from, to, trafficClass, nowMs);
  }

  /** Worse for a while; returns how to undo it. */
  weather(change: Partial<NetworkModel>): () => void {
    const worse = networkModel(this.#base, change);
    this.model = worse;
    return () => {
      if (this.model === worse) this.model = this.#base;
    };
  }

  /** Let only machines of one group talk; returns how to undo it. */
  partition(groups: readonly (readonly number[])[]): () => void {
    const id = ++this.#partition;
    this.#groups.fill(0);
    for (const [index, group] of groups.entries())
      for (const machine of group) this.#groups[machine] = index + 1;
    return () => {
      if (this.#partition === id) this.#partition = 0;
    };
  }

  /** Let nothing pass from some to others; returns how to undo it. */
  block(from: readonly number[], to: readonly number[]): () => void {
    this.#blocked ??= new Uint8Array(this.#machines * this.#machines);
    const blocked = this.#blocked;
    const each = (by: number): void => {
      for (const a of from)
        for (const b of to)
          blocked[a * this.#machines + b] = (blocked[a * this.#machines + b] as number) + by;
    };
    each(1);
    return () => each(-1);
  }

  /** Hold back what goes from one machine to another until `untilMs`. */
  clog(from: number, to: number, untilMs: number): void {
    this.#clogs.set(from * this.#machines + to, untilMs);
  }

  #datagram(from: number, to: number, nowMs: number): Passage {
    const { loss, duplication, corruption } = this.model;
    const passage = this.#passage;
    passage.delayMs = passage.againMs = passage.breakMs = Number.POSITIVE_INFINITY;
    passage.corrupt = false;
    if (loss > 0 && this.#chance(loss)) return passage;
    if (!this.passes(from, to)) return passage;
    const heldMs = this.#heldMs(from, to, nowMs);
    passage.delayMs = heldMs + this.#delay();
    if (duplication > 0 && this.#chance(duplication))
      passage.againMs = heldMs + this.#delay() + this.#delay();
    passage.corrupt = corruption > 0 && this.#chance(corruption);
    return passage;
  }

  #stream(from: number, to: number, trafficClass: TrafficClass, nowMs: number): Passage {
    const { loss, breaks } = this.model;
    const passage = this.#passage;
    passage.delayMs = passage.againMs = passage.breakMs = Number.POSITIVE_INFINITY;
    passage.corrupt = false;
    if (!this.passes(from, to) || !this.passes(to, from)) {
      passage.breakMs = CUT_OFF_MS;
      return passage;
    }
    if (breaks > 0 && this.#chance(breaks)) {
      passage.breakMs = this.#delay();
      return passage;
    }
    let lateMs = this.#heldMs(from, to, nowMs);
    for (let tries = 0, waitMs = RETRANSMIT_MS; loss > 0 && this.#chance(loss); tries++, waitMs *= 2) {
      if (tries === RETRANSMITS_MAX) {
        passage.breakMs = lateMs;
        return passage;
      }
      lateMs += waitMs;
    }
    const key = (from * this.#machines + to) * 2 + (trafficClass === "bulk" ? 1 : 0);
    const arriveMs = Math.max(nowMs + lateMs + this.#delay(), this.#lastArrivalMs.get(key) ?? 0);
    this.#lastArrivalMs.set(key, arriveMs);
    passage.delayMs = arriveMs - nowMs;
    return passage;
  }

  #heldMs(from: number, to: number, nowMs: number): number {
    if (this.#clogs.size === 0) return 0;
    return Math.max(0, (this.#clogs.get(from * this.#machines + to) ?? 0) - nowMs);
  }

  #delay(): number {
    const { delayMs, jitterMs, slow } = this.model;
    const more = jitterMs === 0 ? 0 : jitterMs * exponential(this.#random);
    return delayMs + more + (slow > 0 && this.#chance(slow) ? SLOW_MS : 0);
  }

  #chance(rate: number): boolean {
    return this.#random.uint32() < rate * UINT32;
  }
}
