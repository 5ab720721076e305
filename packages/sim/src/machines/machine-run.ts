/** One run of simulated machines: its events, one after the other. The rules are those of `simulate-machines.ts`. */
import type { Random, TrafficClass } from "@glia-os/abi/ports";
import { NodeClock } from "../node-clock.ts";
import { VirtualTime } from "../virtual-time.ts";
import { EventQueue, MachineEvent, NOBODY } from "./event-queue.ts";
import type { Boot, MachineProcess, MachinesWorld } from "./machine.ts";
import type { MachineFault } from "./machine-fault.ts";
import { MachineTrace } from "./machine-trace.ts";
import { type NetworkModel, networkModel, QUIET_NETWORK } from "./network-model.ts";
import { SimulatedMachine } from "./simulated-machine.ts";
import { SimulatedNetwork } from "./simulated-network.ts";

/** What a run left behind. */
export interface MachinesSimulation<Process> {
  readonly seed: number | string;
  readonly outcome: "time" | "events" | "violation";
  /** What does not hold, and since when. */
  readonly violation: { readonly atMs: number; readonly what: string } | undefined;
  /** 64 bits as 16 hexadecimal digits (SR2). */
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Timers, packets and faults that happened. */
  readonly events: number;
  /** Messages handed to the network, and what became of datagrams. */
  readonly messages: MessageCounts;
  /** The schedule; with it as `faults`, the seed gives the same run. */
  readonly faults: readonly MachineFault[];
  /** The machines at the end. */
  readonly world: MachinesWorld<Process>;
}

/** Counts of one run. */
export interface MessageCounts {
  readonly sent: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly corrupted: number;
}

/** Checked options of a run. */
export interface MachineRunOptions<Message, Process extends MachineProcess<Message>> {
  readonly seed: number | string;
  readonly random: Random;
  readonly nodes: number;
  readonly boot: Boot<Message, Process>;
  readonly durationMs: number;
  readonly faults: readonly MachineFault[];
  readonly network: Partial<NetworkModel>;
  readonly eventsMax: number;
  readonly bootEveryMs: number;
  readonly wallStartMs: number;
  readonly checkEveryMs: number;
  readonly check: ((world: MachinesWorld<Process>) => string | undefined) | undefined;
  readonly digest: ((message: Message) => number) | undefined;
  readonly corrupt: ((message: Message, random: Random) => Message | undefined) | undefined;
  readonly onMessage:
    | ((from: number, to: number, trafficClass: TrafficClass, message: Message) => void)
    | undefined;
}

const TELL_RESET_MS = 1;

/** A run. `step` until it says false. */
export class MachineRun<Message, Process extends MachineProcess<Message>> implements MachinesWorld<Process> {
  readonly machines: readonly SimulatedMachine<Message, Process>[];
  readonly #o: MachineRunOptions<Message, Process>;
  readonly #time: VirtualTime = new VirtualTime();
  readonly #queue: EventQueue = new EventQueue();
  readonly #network: SimulatedNetwork;
  readonly #corruption: Random;
  readonly #trace: MachineTrace<Message>;
  readonly #counts = { sent: 0, delivered: 0, lost: 0, duplicated: 0, corrupted: 0 };
  #ongoing = 0;
  #events = 0;
  #violation: { readonly atMs: number; readonly what: string } | undefined;
  disturbedMs = 0;

  constructor(options: MachineRunOptions<Message, Process>) {
    this.#o = options;
    const { random, nodes } = options;
    this.#network = new SimulatedNetwork(
      nodes,
      networkModel(QUIET_NETWORK, options.network),
      random.fork("network"),
    );
    this.#corruption = random.fork("corruption");
    this.#trace = new MachineTrace(options.digest);
    const host = {
      machines: nodes,
      time: this.#time,
      queue: this.#queue,
      send: (from: number, to: number, trafficClass: TrafficClass, message: Message): void =>
        this.#send(from, to, trafficClass, message),
    };
    this.machines = Array.from({ length: nodes }, (_, index) => {
      const clock = new NodeClock(this.#time, { wallStartMs: options.wallStartMs });
      return new SimulatedMachine(host, index, options.boot, {
        random: random.fork(`machine ${index}`),
        clock,
      });
    });
    for (const { index } of this.machines) this.#at(index * options.bootEveryMs, () => this.#boot(index));
    for (const fault of options.faults) this.#at(fault.atMs, () => this.#strike(fault));
    if (options.check !== undefined) this.#at(options.checkEveryMs, () => this.#checkAgain());
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  get calm(): boolean {
    return this.#ongoing === 0;
  }

  get faults(): readonly MachineFault[] {
    return this.#o.faults;
  }

  passes(from: number, to: number): boolean {
    return this.#network.passes(from, to);
  }

  /** Do the next thing; false at the end. */
  step(): boolean {
    const { durationMs, eventsMax } = this.#o;
    if (this.#violation !== undefined || this.#events >= eventsMax) return false;
    if (this.#queue.nextMs > durationMs) {
      this.#time.advanceTo(durationMs);
      this.#check();
      return false;
    }
    const event = this.#queue.pop();
    if (event === undefined || event.cancelled) return true;
    this.#time.advanceTo(event.atMs);
    this.#events++;
    if (event.machine === NOBODY) event.fire?.();
    else this.#happen(event);
    return true;
  }

  /** What there is so far. */
  result(): MachinesSimulation<Process> {
    const violation = this.#violation;
    return {
      seed: this.#o.seed,
      outcome: violation !== undefined ? "violation" : this.#events >= this.#o.eventsMax ? "events" : "time",
      violation,
      traceHash: this.#trace.hex(),
      virtualMs: this.#time.nowMs,
      events: this.#events,
      messages: { ...this.#counts },
      faults: this.#o.faults,
      world: this,
    };
  }

  #at(atMs: number, fire: () => void): void {
    this.#queue.push(new MachineEvent({ atMs, machine: NOBODY, generation: 0 }, Number.NaN, fire));
  }

  #happen(event: MachineEvent): void {
    const machine = this.machines[event.machine] as SimulatedMachine<Message, Process>;
    const { process } = machine;
    if (process === undefined || event.cancelled) return;
    const isPacket = Number.isNaN(event.dueLocalMs);
    // A packet is for whoever runs there; a timer is of one boot.
    if (!isPacket && event.generation !== machine.generation) return;
    if (machine.holds(event)) return;
    if (!isPacket && machine.early(event)) return;
    try {
      if (event.fire !== undefined) event.fire();
      else this.#deliver(process, event);
    } catch (error) {
      this.#fail(`machine ${event.machine} threw ${describe(error)}`);
    }
  }

  #deliver(process: Process, { machine, from, trafficClass, message }: MachineEvent): void {
    this.#counts.delivered++;
    this.#trace.message(this.#time.nowMs, from, machine, message as Message);
    this.#o.onMessage?.(from, machine, trafficClass, message as Message);
    process.receive(from, trafficClass, message as Message);
  }

  #send(from: number, to: number, trafficClass: TrafficClass, message: Message): void {
    const counts = this.#counts;
    counts.sent++;
    const nowMs = this.#time.nowMs;
    const { delayMs, againMs, corrupt, breakMs } = this.#network.pass(from, to, trafficClass, nowMs);
    if (breakMs !== Number.POSITIVE_INFINITY) {
      this.#at(nowMs + breakMs, () => this.#reset(from, to));
      return;
    }
    if (delayMs === Number.POSITIVE_INFINITY) counts.lost++;
    else {
      const arrives = corrupt ? this.#corrupted(message) : message;
      if (arrives !== undefined) this.#put(nowMs + delayMs, { from, trafficClass, message: arrives }, to);
    }
    if (againMs !== Number.POSITIVE_INFINITY) {
      counts.duplicated++;
      this.#put(nowMs + againMs, { from, trafficClass, message }, to);
    }
  }

  #put(
    atMs: number,
    packet: { readonly from: number; readonly trafficClass: TrafficClass; readonly message: Message },
    machine: number,
  ): void {
    this.#queue.push(new MachineEvent({ atMs, machine, generation: 0 }, Number.NaN, undefined, packet));
  }

  #corrupted(message: Message): Message | undefined {
    this.#counts.corrupted++;
    const { corrupt } = this.#o;
    if (corrupt !== undefined) return corrupt(message, this.#corruption);
    if (!(message instanceof Uint8Array) || message.length === 0) return undefined;
    const changed = message.slice();
    const bit = this.#corruption.uint32() % (8 * changed.length);
    changed[bit >>> 3] = (changed[bit >>> 3] as number) ^ (1 << (bit & 7));
    return changed as Message & Uint8Array;
  }

  #strike(fault: MachineFault): void {
    this.disturbedMs = this.#time.nowMs;
    switch (fault.kind) {
      case "crash":
        this.#crash(fault.machine, fault.reset === true);
        return;
      case "restart":
        this.#restart(fault.machine, fault.amnesia === true);
        return;
      case "reset":
        this.#reset(fault.a, fault.b);
        return;
      case "address":
        for (const { index } of this.machines) if (index !== fault.machine) this.#reset(fault.machine, index);
        return;
      case "wall-step":
        this.#machine(fault.machine).clock.stepWall(fault.byMs);
        return;
      case "drift":
        this.#machine(fault.machine).drift(fault.ppm);
        return;
      case "act":
        this.#act(fault.machine, fault.name);
        return;
      case "bit-rot":
        this.#machine(fault.machine).disk.rot();
        return;
      default:
        this.#lasting(fault.forMs, this.#begin(fault));
    }
  }

  /** Begin a fault that lasts; what is returned ends it. */
  #begin(fault: Extract<MachineFault, { readonly forMs: number }>): () => void {
    switch (fault.kind) {
      case "partition":
        return this.#network.partition(fault.groups);
      case "block":
        return this.#network.block(fault.from, fault.to);
      case "weather":
        return this.#network.weather(fault.network);
      case "clog":
        this.#network.clog(fault.from, fault.to, this.#time.nowMs + fault.forMs);
        return () => undefined;
      case "stall": {
        const machine = this.#machine(fault.machine);
        const end = machine.stall(fault.flavour);
        return () => {
          for (const event of end()) this.#happen(event);
        };
      }
      case "disk-error": {
        const { disk } = this.#machine(fault.machine);
        disk.error = fault.code;
        return () => {
          disk.error = undefined;
        };
      }
    }
  }

  #lasting(forMs: number, end: () => void): void {
    this.#ongoing++;
    this.#at(this.#time.nowMs + forMs, () => {
      this.#ongoing--;
      this.disturbedMs = this.#time.nowMs;
      end();
    });
  }

  #boot(index: number): void {
    this.disturbedMs = this.#time.nowMs;
    this.#trace.event(this.#time.nowMs, index, 1);
    try {
      this.#machine(index).start();
    } catch (error) {
      this.#fail(`machine ${index} threw ${describe(error)} at its boot`);
    }
  }

  #crash(index: number, reset: boolean): void {
    if (!this.#machine(index).crash()) return;
    this.#trace.event(this.#time.nowMs, index, 2);
    if (!reset) return;
    for (const other of this.machines)
      if (other.index !== index && this.passes(index, other.index)) this.#tellReset(other.index, index);
  }

  #restart(index: number, amnesia: boolean): void {
    const machine = this.#machine(index);
    if (machine.process !== undefined || machine.generation === 0) return;
    if (amnesia) machine.disk.wipe();
    this.#boot(index);
  }

  #reset(a: number, b: number): void {
    this.#trace.event(this.#time.nowMs, a, 3 + b);
    this.#tellReset(a, b);
    this.#tellReset(b, a);
  }

  #tellReset(index: number, peer: number): void {
    const { process, generation } = this.#machine(index);
    if (process?.reset === undefined) return;
    const atMs = this.#time.nowMs + TELL_RESET_MS;
    const tell = (): void => {
      const machine = this.#machine(index);
      if (machine.generation === generation) machine.process?.reset?.(peer);
    };
    const packet = { from: peer, trafficClass: "request", message: undefined } as const;
    this.#queue.push(new MachineEvent({ atMs, machine: index, generation }, Number.NaN, tell, packet));
  }

  #act(index: number, name: string): void {
    this.#trace.event(this.#time.nowMs, index, -1);
    try {
      this.#machine(index).process?.act?.(name);
    } catch (error) {
      this.#fail(`machine ${index} threw ${describe(error)} when asked to ${name}`);
    }
  }

  #machine(index: number): SimulatedMachine<Message, Process> {
    return this.machines[index] as SimulatedMachine<Message, Process>;
  }

  #checkAgain(): void {
    this.#check();
    this.#at(this.#time.nowMs + this.#o.checkEveryMs, () => this.#checkAgain());
  }

  #check(): void {
    const what = this.#o.check?.(this);
    if (what !== undefined) this.#fail(what);
  }

  #fail(what: string): void {
    this.#violation ??= { atMs: this.#time.nowMs, what };
  }
}

function describe(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return [code, message].filter((part) => typeof part === "string").join(": ") || String(error);
}
