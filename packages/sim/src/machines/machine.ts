/** What a program on a simulated machine gets, and what it gives. */
import type { Random, Timers, TrafficClass } from "@glia-os/abi/ports";
import type { NodeClock } from "../node-clock.ts";
import type { MachineFault } from "./machine-fault.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** One machine as its program sees it, for one boot. Everything here stops working when the machine crashes. */
export interface Machine<Message = unknown> {
  /** From 0. */
  readonly index: number;
  /** How many machines there are. */
  readonly machines: number;
  /** 1 at the first boot, one more at each later one. */
  readonly generation: number;
  /** This machine's own idea of time: it drifts, and its wall time can be stepped. */
  readonly clock: NodeClock;
  /** Timers on that clock: no earlier than the delay. */
  readonly timers: Timers;
  /** A source of this boot. */
  readonly random: Random;
  /** Survives crashes. */
  readonly disk: SimulatedDisk;
  /** Send a message; to itself too. Without promise: classes as in the transport port. The message must not be changed afterwards. */
  send(to: number, trafficClass: TrafficClass, message: Message): void;
}

/** A program on a machine. Nothing of it may throw: that ends the run as a violation. */
export interface MachineProcess<Message = unknown> {
  /** A message arrived. */
  receive(from: number, trafficClass: TrafficClass, message: Message): void;
  /** The streams to another machine broke. */
  reset?(peer: number): void;
  /** The schedule asks the program to do something it has a name for, such as `leave`. */
  act?(name: string): void;
}

/** Starts the program of a machine; called at every boot. */
export type Boot<Message, Process extends MachineProcess<Message>> = (machine: Machine<Message>) => Process;

/** One machine as checks see it. */
export interface MachineState<Process> {
  readonly index: number;
  /** 0 before the first boot. */
  readonly generation: number;
  /** Undefined while the machine is down. */
  readonly process: Process | undefined;
  /** Whether it stands still or hears nothing right now. */
  readonly stalled: boolean;
  readonly clock: NodeClock;
  readonly disk: SimulatedDisk;
}

/** The machines of a run, as checks see them. */
export interface MachinesWorld<Process> {
  /** True time since the start. */
  readonly nowMs: number;
  /** The last moment at which a fault began or ended. */
  readonly disturbedMs: number;
  /** Whether no fault goes on that lasts. Machines may be down. */
  readonly calm: boolean;
  /** The whole schedule of faults. */
  readonly faults: readonly MachineFault[];
  readonly machines: readonly MachineState<Process>[];
  /** Whether something sent from one machine now may reach the other. */
  passes(from: number, to: number): boolean;
}
