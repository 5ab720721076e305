/**
 * What can be made to go wrong, as data: a list of faults is the whole input of a faulty run, so it can be replayed and shrunk.
 *
 * FA1. A fault names a place that is the same in every run of the same program: a call of a task path, a message of a pipe.
 * FA2. Faults drawn from a menu are reported as such a list; the same seed with that list is the same run.
 */
import type { Random } from "@glia-os/abi/ports";
import { BadFaultError } from "./errors.ts";
import { FAULTS_MAX, finite, LIMIT_MAX, whole } from "./limits.ts";

/** One fault. */
export type Fault =
  | {
      readonly kind: "kill";
      /** The task's path. */
      readonly task: string;
      /** Which of its syscalls, from 0. */
      readonly call: number;
      /** `before` the call is made, or `inside` it: while it waits, or before the next call when it did not wait. */
      readonly when: "before" | "inside";
    }
  | { readonly kind: "drop" | "duplicate"; readonly pipe: string; readonly message: number }
  | { readonly kind: "delay"; readonly pipe: string; readonly message: number; readonly byMs: number };

/** How often each fault is drawn. Rates are from 0 (default) to 1. */
export interface FaultMenu {
  /** Chance that a task is killed at a syscall; half of the kills come before it, half inside. */
  readonly killRate?: number;
  /** Kills of one run: 0 to 10,000; default 1. */
  readonly killsMax?: number;
  /** Chances for each message of a pipe. The first that strikes is taken. */
  readonly dropRate?: number;
  readonly duplicateRate?: number;
  readonly delayRate?: number;
  /** Longest delay in milliseconds; default 1000. */
  readonly delayMsMax?: number;
}

type MessageFault = Exclude<Fault, { readonly kind: "kill" }>;
type Kill = Extract<Fault, { readonly kind: "kill" }>;

const UINT32 = 0x1_0000_0000;

/** Decides what goes wrong where. One per run. */
export class FaultPlan {
  /** Faults that happened, in order. */
  readonly applied: Fault[] = [];
  readonly #listed = new Map<string, Fault>();
  readonly #menu: Required<FaultMenu> | null;
  readonly #random: Random;
  readonly #sources = new Map<string, Random>();
  #kills = 0;

  /** @throws {BadFaultError} {BadOptionError} */
  constructor(faults: readonly Fault[], menu: FaultMenu | undefined, random: Random) {
    whole("the number of faults", faults.length, 0, FAULTS_MAX);
    for (const [index, fault] of faults.entries()) this.#listed.set(placeOf(fault, index), fault);
    this.#menu = menu === undefined ? null : checked(menu);
    this.#random = random;
  }

  /** Listed faults whose place the run did not reach. */
  get missed(): readonly Fault[] {
    const reached = new Set<Fault>(this.applied);
    return [...this.#listed.values()].filter((fault) => !reached.has(fault));
  }

  /** Whether a task dies at a call. */
  kill(task: string, call: number): Kill | undefined {
    const listed = this.#listed.get(`kill ${task} ${call}`) as Kill | undefined;
    return this.#apply(listed ?? this.#drawKill(task, call));
  }

  /** What happens to a message of a pipe. */
  message(pipe: string, message: number): MessageFault | undefined {
    const listed = this.#listed.get(`message ${pipe} ${message}`) as MessageFault | undefined;
    return this.#apply(listed ?? this.#drawMessage(pipe, message));
  }

  #apply<Kind extends Fault>(fault: Kind | undefined): Kind | undefined {
    if (fault === undefined) return undefined;
    // A run that was drawn must be replayable from its list.
    if (this.applied.length >= FAULTS_MAX) return undefined;
    this.applied.push(fault);
    return fault;
  }

  #drawKill(task: string, call: number): Kill | undefined {
    const menu = this.#menu;
    if (menu === null || menu.killRate === 0 || this.#kills >= menu.killsMax) return undefined;
    const source = this.#source(`kill ${task}`);
    const [strike, before] = [chance(source), chance(source)];
    if (strike >= menu.killRate) return undefined;
    this.#kills++;
    return { kind: "kill", task, call, when: before < 0.5 ? "before" : "inside" };
  }

  #drawMessage(pipe: string, message: number): MessageFault | undefined {
    const menu = this.#menu;
    if (menu === null) return undefined;
    const source = this.#source(`pipe ${pipe}`);
    const [drop, duplicate, delay, length] = [chance(source), chance(source), chance(source), chance(source)];
    if (drop < menu.dropRate) return { kind: "drop", pipe, message };
    if (duplicate < menu.duplicateRate) return { kind: "duplicate", pipe, message };
    if (delay < menu.delayRate) return { kind: "delay", pipe, message, byMs: length * menu.delayMsMax };
    return undefined;
  }

  #source(label: string): Random {
    let source = this.#sources.get(label);
    if (source === undefined) {
      source = this.#random.fork(label);
      this.#sources.set(label, source);
    }
    return source;
  }
}

/** A number from 0 to just below 1. */
function chance(random: Random): number {
  return random.uint32() / UINT32;
}

function checked(menu: FaultMenu): Required<FaultMenu> {
  return {
    killRate: finite("killRate", menu.killRate ?? 0, 0, 1),
    killsMax: whole("killsMax", menu.killsMax ?? 1, 0, FAULTS_MAX),
    dropRate: finite("dropRate", menu.dropRate ?? 0, 0, 1),
    duplicateRate: finite("duplicateRate", menu.duplicateRate ?? 0, 0, 1),
    delayRate: finite("delayRate", menu.delayRate ?? 0, 0, 1),
    delayMsMax: finite("delayMsMax", menu.delayMsMax ?? 1000, 0, LIMIT_MAX),
  };
}

/** The place of a fault as a key; two faults at one place cannot both happen, so the later one counts. */
function placeOf(fault: Fault, index: number): string {
  const known = fault as Partial<Record<string, unknown>> | null;
  if (typeof known !== "object" || known === null) throw new BadFaultError(index, "it is no object");
  const text = (key: string): string => {
    if (typeof known[key] !== "string") throw new BadFaultError(index, `its ${key} is no text`);
    return known[key];
  };
  const count = (key: string): number => {
    const value = known[key];
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw new BadFaultError(index, `its ${key} is ${String(value)}, not a whole number from 0`);
    return value as number;
  };
  switch (known["kind"]) {
    case "kill":
      if (known["when"] !== "before" && known["when"] !== "inside")
        throw new BadFaultError(index, "its when is neither before nor inside");
      return `kill ${text("task")} ${count("call")}`;
    case "delay":
      if (typeof known["byMs"] !== "number" || !(known["byMs"] >= 0 && known["byMs"] <= LIMIT_MAX))
        throw new BadFaultError(index, "its byMs is no duration");
      return `message ${text("pipe")} ${count("message")}`;
    case "drop":
    case "duplicate":
      return `message ${text("pipe")} ${count("message")}`;
    default:
      throw new BadFaultError(index, `its kind is ${String(known["kind"])}`);
  }
}
