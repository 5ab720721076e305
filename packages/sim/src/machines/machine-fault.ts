/**
 * What can be made to go wrong with machines and their network, as data: the whole schedule of a faulty run is a list, so it can be
 * replayed and shrunk.
 *
 * MF1. A fault has a moment of true time and needs nothing that happened before: leaving one out leaves the others as they are.
 * MF2. A fault that lasts ends by itself after `forMs`; later ones of the same kind on the same place replace it.
 */
import { BadFaultError } from "../errors.ts";
import { FAULTS_MAX, LIMIT_MAX, whole } from "../limits.ts";
import type { NetworkModel } from "./network-model.ts";

interface Moment {
  /** Milliseconds of true time after the start. */
  readonly atMs: number;
}

interface Lasting extends Moment {
  readonly forMs: number;
}

/** How a machine that stood still goes on. `io-only`: its timers ran all the time, only packets waited. */
export type StallFlavour = "timers-first" | "packets-first" | "io-only";

/** One fault. Machines are numbers from 0. */
export type MachineFault =
  /** `kill -9`. Writes that were not flushed are lost, torn or kept. With `reset`, peers see their streams break at once. */
  | (Moment & { readonly kind: "crash"; readonly machine: number; readonly reset?: boolean })
  /** Boot a machine that is down. With `amnesia`, from an empty disk. */
  | (Moment & { readonly kind: "restart"; readonly machine: number; readonly amnesia?: boolean })
  /** SIGSTOP and SIGCONT, or a long turn of the event loop. */
  | (Lasting & { readonly kind: "stall"; readonly machine: number; readonly flavour: StallFlavour })
  /** Machines of different groups cannot talk; those in no group form one more. */
  | (Lasting & { readonly kind: "partition"; readonly groups: readonly (readonly number[])[] })
  /** Nothing gets from one of `from` to one of `to`: one-way when not given twice. */
  | (Lasting & { readonly kind: "block"; readonly from: readonly number[]; readonly to: readonly number[] })
  /** What goes from `from` to `to` waits until it is over, then arrives all at once. */
  | (Lasting & { readonly kind: "clog"; readonly from: number; readonly to: number })
  /** The network is worse for a while. */
  | (Lasting & { readonly kind: "weather"; readonly network: Partial<NetworkModel> })
  /** Streams between two machines break. */
  | (Moment & { readonly kind: "reset"; readonly a: number; readonly b: number })
  /** The machine's address changes: all its streams break, its old address leads nowhere. */
  | (Moment & { readonly kind: "address"; readonly machine: number })
  | (Moment & { readonly kind: "wall-step"; readonly machine: number; readonly byMs: number })
  | (Moment & { readonly kind: "drift"; readonly machine: number; readonly ppm: number })
  /** Writes and flushes of the machine's disk fail. */
  | (Lasting & { readonly kind: "disk-error"; readonly machine: number; readonly code: "EIO" | "ENOSPC" })
  /** Not a fault: the program is asked to do something. */
  | (Moment & { readonly kind: "act"; readonly machine: number; readonly name: string })
  /** One bit of what the disk keeps changes. */
  | (Moment & { readonly kind: "bit-rot"; readonly machine: number });

const LASTING = new Set(["stall", "partition", "block", "clog", "weather", "disk-error"]);
const ONE_MACHINE = new Set([
  "crash",
  "restart",
  "stall",
  "address",
  "wall-step",
  "drift",
  "disk-error",
  "bit-rot",
  "act",
]);
const KINDS = new Set([...LASTING, ...ONE_MACHINE, "reset"]);

/** Check a schedule for `machines` machines; it may come from a file. @throws {BadFaultError} {BadOptionError} */
export function checkMachineFaults(faults: readonly MachineFault[], machines: number): void {
  whole("the number of faults", faults.length, 0, FAULTS_MAX);
  for (const [index, fault] of faults.entries()) checkOne(fault, index, machines);
}

/** The last moment at which a schedule does something. */
export function endOfFaults(faults: readonly MachineFault[]): number {
  return faults.reduce((end, fault) => Math.max(end, fault.atMs + ("forMs" in fault ? fault.forMs : 0)), 0);
}

function checkOne(fault: MachineFault, index: number, machines: number): void {
  const refuse = (why: string): never => {
    throw new BadFaultError(index, why);
  };
  if (typeof fault !== "object" || fault === null) refuse("it is no object");
  const fields = fault as unknown as Readonly<Record<string, unknown>>;
  const { kind } = fault;
  if (!KINDS.has(kind)) refuse(`its kind is ${String(kind)}`);
  const duration = (name: string, least: number): void => {
    const value = fields[name];
    if (typeof value !== "number" || !(value >= least && value <= LIMIT_MAX))
      refuse(`its ${name} is ${String(value)}, not a number from ${least} to ${LIMIT_MAX}`);
  };
  const machine = (value: unknown): void => {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= machines)
      refuse(`${String(value)} is none of its machines 0 to ${machines - 1}`);
  };
  const list = (value: unknown): void => {
    if (!Array.isArray(value)) refuse("its machines are no list");
    for (const item of value as unknown[]) machine(item);
  };
  duration("atMs", 0);
  if (LASTING.has(kind)) duration("forMs", 0);
  if (ONE_MACHINE.has(kind)) machine(fields["machine"]);
  switch (fault.kind) {
    case "partition":
      if (!Array.isArray(fault.groups)) refuse("its groups are no list");
      for (const group of fault.groups) list(group);
      break;
    case "block":
      list(fault.from);
      list(fault.to);
      break;
    case "clog":
      machine(fault.from);
      machine(fault.to);
      break;
    case "reset":
      machine(fault.a);
      machine(fault.b);
      break;
    case "stall":
      if (!["timers-first", "packets-first", "io-only"].includes(fault.flavour))
        refuse(`its flavour is ${String(fault.flavour)}`);
      break;
    case "wall-step":
      duration("byMs", -LIMIT_MAX);
      break;
    case "drift":
      if (!(Math.abs(fault.ppm) <= 100_000)) refuse("its ppm is not from -100000 to 100000");
      break;
    case "disk-error":
      if (fault.code !== "EIO" && fault.code !== "ENOSPC") refuse("its code is neither EIO nor ENOSPC");
      break;
    case "act":
      if (typeof fault.name !== "string") refuse("its name is no text");
      break;
    case "weather":
      if (typeof fault.network !== "object" || fault.network === null) refuse("its network is no object");
  }
}
