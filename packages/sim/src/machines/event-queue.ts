/**
 * What will happen to the machines of a simulation, in order.
 *
 * EQ1. Events come out by time; those of one time in the order they were put in.
 * EQ2. At most {@link EVENTS_PENDING_MAX} wait. A cancelled one waits until its time and is then skipped.
 */
import type { TimerHandle, TrafficClass } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";

/** Events that may wait at once. */
export const EVENTS_PENDING_MAX = 2_097_152;

/** Control events belong to no machine. */
export const NOBODY = -1;

/** One event. One class for all kinds, so that the loop stays monomorphic. */
export class MachineEvent implements TimerHandle {
  readonly atMs: number;
  /** The machine it happens to, or {@link NOBODY}. */
  readonly machine: number;
  /** The boot of that machine it belongs to; it does not happen to a later one. */
  readonly generation: number;
  /** A timer's due time on the machine's own clock; NaN for packets. */
  readonly dueLocalMs: number;
  /** Sender of a packet. */
  readonly from: number;
  readonly trafficClass: TrafficClass;
  readonly message: unknown;
  fire: (() => void) | undefined;
  cancelled = false;

  constructor(
    place: { readonly atMs: number; readonly machine: number; readonly generation: number },
    dueLocalMs: number,
    fire: (() => void) | undefined,
    packet?: { readonly from: number; readonly trafficClass: TrafficClass; readonly message: unknown },
  ) {
    this.atMs = place.atMs;
    this.machine = place.machine;
    this.generation = place.generation;
    this.dueLocalMs = dueLocalMs;
    this.fire = fire;
    this.from = packet === undefined ? NOBODY : packet.from;
    this.trafficClass = packet === undefined ? "datagram" : packet.trafficClass;
    this.message = packet === undefined ? undefined : packet.message;
  }

  cancel(): void {
    this.cancelled = true;
    this.fire = undefined;
  }
}

/** A binary heap of events (EQ1). Times lie in an array of their own: comparing them touches no event. */
export class EventQueue {
  readonly #atMs: number[] = [];
  readonly #order: number[] = [];
  readonly #events: MachineEvent[] = [];
  #put = 0;

  /** Events that wait. */
  get size(): number {
    return this.#events.length;
  }

  /** When the next one happens; Infinity without one. */
  get nextMs(): number {
    return this.#events.length === 0 ? Number.POSITIVE_INFINITY : (this.#atMs[0] as number);
  }

  /** O(log size). @throws {BadOptionError} when too many wait (EQ2). */
  push(event: MachineEvent): void {
    if (this.#events.length >= EVENTS_PENDING_MAX)
      throw new BadOptionError(
        "the number of events that wait",
        EVENTS_PENDING_MAX + 1,
        `at most ${EVENTS_PENDING_MAX}`,
      );
    const [times, orders, events] = [this.#atMs, this.#order, this.#events];
    const { atMs } = event;
    let at = events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // Later in order, so only an earlier time goes up.
      if (!(atMs < (times[parent] as number))) break;
      times[at] = times[parent] as number;
      orders[at] = orders[parent] as number;
      events[at] = events[parent] as MachineEvent;
      at = parent;
    }
    times[at] = atMs;
    orders[at] = this.#put++;
    events[at] = event;
  }

  /** Take the next one; undefined without one. O(log size). */
  pop(): MachineEvent | undefined {
    const [times, orders, events] = [this.#atMs, this.#order, this.#events];
    const top = events[0];
    const last = events.pop();
    if (top === undefined || last === undefined) return undefined;
    const lastMs = times.pop() as number;
    const lastOrder = orders.pop() as number;
    if (events.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && this.#before(child + 1, child)) child++;
      const childMs = times[child] as number;
      if (childMs > lastMs || (childMs === lastMs && (orders[child] as number) > lastOrder)) break;
      times[at] = childMs;
      orders[at] = orders[child] as number;
      events[at] = events[child] as MachineEvent;
      at = child;
    }
    times[at] = lastMs;
    orders[at] = lastOrder;
    events[at] = last;
    return top;
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#atMs[a] as number, this.#atMs[b] as number];
    return left < right || (left === right && (this.#order[a] as number) < (this.#order[b] as number));
  }
}
