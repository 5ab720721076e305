/**
 * Budgets: how much of the processor a task, or a group of tasks, may use per period. The scheduler asks them at every turn of a task
 * that has one; tasks without a budget are not measured.
 *
 * B1. A turn is charged as a whole when it ends: the syscalls it made, and for a budget in milliseconds the time between two readings
 *     of the clock around it. Nothing is measured inside a turn.
 * B2. A task whose budget is used up runs no code: at its next turn it becomes throttled, until the period ends that pays for what
 *     it used. Cleaning up after a kill is not charged and not held back.
 * B3. What was used beyond the limit is owed: each period pays back one limit. What was not used is not saved up. So over n periods
 *     a budget lets through at most n limits and the rest of one turn of each task that shares it.
 * B4. A child spends from every budget of its parent and from its own, if it is given one. So spawning buys nothing.
 * B5. Except of a budget made with `each`: that one limits every task alone, and a child gets a new one with the same limits.
 */
import { BadOptionError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { ShareRequest } from "./share-group.ts";

/** Most budgets one task may be charged to. */
const DEPTH_LIMIT = 16;
const SYSCALLS_MOST = 1_000_000_000;
const MS_MOST = 1_000_000_000;
const QUANTUM_MOST = 1_000_000;

/** The limits of a budget. At least one of `syscalls` and `cpuMs`. */
export interface BudgetOptions {
  /** Length of a period in milliseconds: more than 0, at most 1e9. The first begins with the first turn that is charged. */
  readonly periodMs: number;
  /** Syscalls per period: a whole number from 1 to 1e9, or Infinity to measure without a limit. */
  readonly syscalls?: number;
  /**
   * Milliseconds of running per period: more than 0, at most 1e9, or Infinity to measure without a limit. Costs two readings of the
   * clock per turn of such a task.
   */
  readonly cpuMs?: number;
  /**
   * Whether a child of a task with this budget gets a budget of its own with the same limits, instead of spending from this one. So
   * every task has the same allowance, and the number of tasks is not limited by it. Default false.
   */
  readonly each?: boolean;
}

/** What a budget has let through since it was made. */
export interface Spending {
  readonly syscalls: number;
  /** 0 unless the budget was given `cpuMs`. */
  readonly cpuMs: number;
  readonly turns: number;
}

/** A share of the processor. Give the same one to several tasks and they share it. */
export class Budget {
  readonly periodMs: number;
  /** Syscalls per period; Infinity without a limit. */
  readonly syscalls: number;
  /** Milliseconds of running per period; Infinity without a limit. */
  readonly cpuMs: number;
  /** Whether turns are timed. */
  readonly timed: boolean;
  /** Whether each child gets one of its own. */
  readonly each: boolean;
  #periodStartMs = Number.NaN;
  #owedSyscalls = 0;
  #owedMs = 0;
  #syscalls = 0;
  #cpuMs = 0;
  #turns = 0;

  /** @throws {BadOptionError} */
  constructor(options: BudgetOptions) {
    checkOptions("the options of a budget", options);
    const { periodMs, syscalls = Number.POSITIVE_INFINITY, cpuMs = Number.POSITIVE_INFINITY } = options;
    positive("budget periodMs", periodMs, MS_MOST);
    if (options.syscalls === undefined && options.cpuMs === undefined)
      throw new BadOptionError("budget", "without a limit", "given syscalls, cpuMs or both");
    if (
      syscalls !== Number.POSITIVE_INFINITY &&
      !(Number.isInteger(syscalls) && syscalls >= 1 && syscalls <= SYSCALLS_MOST)
    )
      throw new BadOptionError("budget syscalls", syscalls, `a whole number from 1 to ${SYSCALLS_MOST}`);
    if (cpuMs !== Number.POSITIVE_INFINITY) positive("budget cpuMs", cpuMs, MS_MOST);
    this.periodMs = periodMs;
    this.syscalls = syscalls;
    this.cpuMs = cpuMs;
    this.timed = options.cpuMs !== undefined;
    this.each = options.each === true;
  }

  /** What a child of a task with this budget is charged to: this one, or with `each` a new one (B5). */
  forChild(): Budget {
    if (!this.each) return this;
    const { periodMs, syscalls, cpuMs, timed } = this;
    return new Budget({ periodMs, syscalls, ...(timed ? { cpuMs } : {}), each: true });
  }

  /** What it has let through since it was made. */
  get spent(): Spending {
    return { syscalls: this.#syscalls, cpuMs: this.#cpuMs, turns: this.#turns };
  }

  /** Pay back for the periods that ended. Returns when a turn may start: 0 for at once, else a monotonic time after `nowMs`. */
  admit(nowMs: number): number {
    if (Number.isNaN(this.#periodStartMs)) this.#periodStartMs = nowMs;
    const ended = Math.floor((nowMs - this.#periodStartMs) / this.periodMs);
    if (ended > 0) {
      this.#periodStartMs += ended * this.periodMs;
      this.#owedSyscalls = payBack(this.#owedSyscalls, ended, this.syscalls);
      this.#owedMs = payBack(this.#owedMs, ended, this.cpuMs);
    }
    const periods = Math.max(
      Math.floor(this.#owedSyscalls / this.syscalls),
      Math.floor(this.#owedMs / this.cpuMs),
    );
    return periods === 0 ? 0 : this.#periodStartMs + periods * this.periodMs;
  }

  /** Syscalls left in this period. */
  get left(): number {
    return this.syscalls - this.#owedSyscalls;
  }

  /** Charge a turn (B1). */
  charge(syscalls: number, ms: number): void {
    this.#owedSyscalls += syscalls;
    this.#owedMs += ms;
    this.#syscalls += syscalls;
    this.#cpuMs += ms;
    this.#turns++;
  }
}

/** What the scheduler measures a task by: its budgets (B4) and its quantum. Shared by children that bring nothing of their own. */
export class Allowance {
  readonly budgets: readonly Budget[];
  /** Syscalls per turn; 0 for the kernel's own figure. */
  readonly quantum: number;
  /** Whether turns are timed. */
  readonly timed: boolean;

  constructor(budgets: readonly Budget[], quantum: number, timed = false) {
    this.budgets = budgets;
    this.quantum = quantum;
    this.timed = timed || budgets.some((budget) => budget.timed);
  }

  /** When a turn may start by every budget: 0 for at once. */
  admit(nowMs: number): number {
    let until = 0;
    for (const budget of this.budgets) until = Math.max(until, budget.admit(nowMs));
    return until;
  }

  /** Syscalls the turn may make before it ends at its next blocking call. */
  fuel(usual: number): number {
    let fuel = this.quantum === 0 ? usual : this.quantum;
    for (const budget of this.budgets) fuel = Math.min(fuel, budget.left);
    return fuel;
  }

  /** Charge a turn to every budget. */
  charge(syscalls: number, ms: number): void {
    for (const budget of this.budgets) budget.charge(syscalls, ms);
  }
}

/** What a spawn asks for. */
export interface AllowanceRequest {
  readonly budget?: Budget | readonly Budget[];
  readonly quantum?: number;
  readonly share?: ShareRequest;
}

/**
 * The allowance of a new task: its parent's, narrowed. `usualQuantum` is the kernel's figure, or null when the shell spawns: a task
 * may only lower the quantum of its children.
 * @throws {BadOptionError}
 */
export function allowanceOf(
  inherited: Allowance | null,
  { budget, quantum, share }: AllowanceRequest,
  usualQuantum: number | null,
): Allowance | null {
  if (budget === undefined && quantum === undefined && share === undefined) return forChild(inherited);
  const most = usualQuantum === null ? QUANTUM_MOST : inherited?.quantum || usualQuantum;
  if (quantum !== undefined && !(Number.isInteger(quantum) && quantum >= 1 && quantum <= most))
    throw new BadOptionError("quantum", quantum, `a whole number from 1 to ${most} syscalls`);
  const timed = inherited?.timed === true || share?.group.charge === "cpuMs";
  return new Allowance(
    budgetsOf(forChild(inherited)?.budgets ?? [], budget),
    quantum ?? inherited?.quantum ?? 0,
    timed,
  );
}

/** What a child that brings nothing of its own is measured by. */
function forChild(parent: Allowance | null): Allowance | null {
  if (parent === null || !parent.budgets.some(({ each }) => each)) return parent;
  const budgets = parent.budgets.map((budget) => budget.forChild());
  return new Allowance(budgets, parent.quantum, parent.timed);
}

function budgetsOf(inherited: readonly Budget[], own: Budget | readonly Budget[] = []): readonly Budget[] {
  const budgets = new Set(inherited);
  for (const budget of Array.isArray(own) ? own : [own]) {
    if (!(budget instanceof Budget))
      throw new BadOptionError("budget", budget, "made with new Budget({ ... })");
    budgets.add(budget);
  }
  if (budgets.size > DEPTH_LIMIT) throw new BadOptionError("budgets", budgets.size, `at most ${DEPTH_LIMIT}`);
  return budgets.size === inherited.length ? inherited : [...budgets];
}

function payBack(owed: number, periods: number, limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? 0 : Math.max(0, owed - periods * limit);
}

function positive(option: string, value: number, most: number): void {
  if (!(typeof value === "number" && value > 0 && value <= most))
    throw new BadOptionError(option, value, `more than 0 and at most ${most}`);
}
