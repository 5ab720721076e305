/**
 * One machine of a simulation: it boots, crashes, stands still, and its clock is its own.
 *
 * SM1. Nothing happens to a machine that is down, and nothing of an earlier boot happens to a later one.
 * SM2. A machine that stands still does nothing. What comes due meanwhile happens at the end, in the order of its flavour. Of packets, at
 *      most {@link HELD_PACKETS_MAX} datagrams are kept, as in a socket's buffer.
 * SM3. A timer fires no earlier than its delay on the machine's own clock, whatever its drift becomes.
 */
import type { Random, TimerHandle, Timers, TrafficClass } from "@glia-os/abi/ports";
import { finite, LIMIT_MAX } from "../limits.ts";
import type { NodeClock } from "../node-clock.ts";
import type { VirtualTime } from "../virtual-time.ts";
import { type EventQueue, MachineEvent } from "./event-queue.ts";
import type { Boot, Machine, MachineProcess, MachineState } from "./machine.ts";
import type { StallFlavour } from "./machine-fault.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

/** Datagrams that a machine which stands still keeps. */
export const HELD_PACKETS_MAX = 2048;

/** What a machine needs from its run. */
export interface MachineHost<Message> {
  readonly machines: number;
  readonly time: VirtualTime;
  readonly queue: EventQueue;
  send(from: number, to: number, trafficClass: TrafficClass, message: Message): void;
}

/** The state of one machine. */
export class SimulatedMachine<Message, Process extends MachineProcess<Message>>
  implements MachineState<Process>
{
  readonly index: number;
  readonly clock: NodeClock;
  readonly disk: SimulatedDisk;
  readonly #host: MachineHost<Message>;
  readonly #random: Random;
  readonly #boot: Boot<Message, Process>;
  #held: MachineEvent[] = [];
  #heldPackets = 0;
  #flavour: StallFlavour | undefined;
  #stalls = 0;
  #drifts = false;
  #alive = false;
  generation = 0;
  process: Process | undefined;

  constructor(
    host: MachineHost<Message>,
    index: number,
    boot: Boot<Message, Process>,
    given: { readonly random: Random; readonly clock: NodeClock },
  ) {
    this.index = index;
    this.#host = host;
    this.#boot = boot;
    this.#random = given.random;
    this.clock = given.clock;
    this.disk = new SimulatedDisk(given.random.fork("disk"));
  }

  get stalled(): boolean {
    return this.#flavour !== undefined;
  }

  /** Start the program. */
  start(): void {
    if (this.#alive) return;
    this.#alive = true;
    const generation = ++this.generation;
    const { machines, send } = this.#host;
    const self = this.index;
    const machine: Machine<Message> = {
      index: self,
      machines,
      generation,
      clock: this.clock,
      timers: this.#timers(generation),
      random: this.#random.fork(`boot ${generation}`),
      disk: this.disk,
      send: (to, trafficClass, message) => {
        if (this.#alive && this.generation === generation) send(self, to, trafficClass, message);
      },
    };
    this.process = this.#boot(machine);
  }

  /** `kill -9`; whether it ran. */
  crash(): boolean {
    if (this.process === undefined) return false;
    this.#alive = false;
    this.process = undefined;
    this.#held = [];
    this.#heldPackets = 0;
    this.#flavour = undefined;
    this.disk.crash();
    return true;
  }

  /** Run at another rate from now on. */
  drift(ppm: number): void {
    this.clock.setDrift(ppm);
    this.#drifts = true;
  }

  /** Stand still (SM2); returns the end of it, whose result is what happens then, in order. */
  stall(flavour: StallFlavour): () => readonly MachineEvent[] {
    this.#flavour = flavour;
    const stall = ++this.#stalls;
    return () => {
      if (this.#stalls !== stall || this.#flavour === undefined) return [];
      this.#flavour = undefined;
      this.#heldPackets = 0;
      const held = this.#held;
      this.#held = [];
      const isTimer = ({ dueLocalMs }: MachineEvent): boolean => !Number.isNaN(dueLocalMs);
      const [timers, packets] = [held.filter(isTimer), held.filter((event) => !isTimer(event))];
      return flavour === "timers-first" ? [...timers, ...packets] : [...packets, ...timers];
    };
  }

  /** Whether an event is kept for later or dropped, because this machine stands still (SM2). */
  holds(event: MachineEvent): boolean {
    const flavour = this.#flavour;
    if (flavour === undefined) return false;
    const isPacket = Number.isNaN(event.dueLocalMs);
    if (flavour === "io-only" && !isPacket) return false;
    if (isPacket && event.trafficClass === "datagram" && ++this.#heldPackets > HELD_PACKETS_MAX) return true;
    this.#held.push(event);
    return true;
  }

  /** Whether a timer came early, because the clock slowed down after it was set; it is then set again (SM3). */
  early(event: MachineEvent): boolean {
    if (!this.#drifts || !(this.clock.monotonicMs() < event.dueLocalMs)) return false;
    const { fire } = event;
    const atMs = this.clock.trueMsOf(event.dueLocalMs);
    const again = new MachineEvent(
      { atMs, machine: this.index, generation: event.generation },
      event.dueLocalMs,
      () => {
        if (!event.cancelled) fire?.();
      },
    );
    this.#host.queue.push(again);
    return true;
  }

  #timers(generation: number): Timers {
    const { queue, time } = this.#host;
    const machine = this.index;
    return {
      schedule: (delayMs, fire): TimerHandle => {
        finite("the delay of a timer", delayMs, 0, LIMIT_MAX);
        const dueLocalMs = this.clock.monotonicMs() + delayMs;
        const atMs = this.#drifts ? this.clock.trueMsOf(dueLocalMs) : time.nowMs + delayMs;
        const event = new MachineEvent({ atMs, machine, generation }, dueLocalMs, fire);
        queue.push(event);
        return event;
      },
    };
  }
}
