/**
 * The one road every syscall takes: authorize -> meter -> journal -> perform -> trace.
 *
 * A1. Authorization comes first: a refused call changes nothing, is counted as refused and is traced as refused.
 * A2. Counting is one array increment; a `Meter` port gets the differences once per slice, never inside a syscall.
 * A4. A call of a service reserves what it may cost before it starts (`budget/account.ts`); one that cannot pay changes nothing.
 * A3. Journal and trace are on by default and never fail a syscall.
 */
import type { Meter } from "@glia-os/abi/ports";
import { hasRights, type Rights } from "@glia-os/abi/syscalls";
import type { CapabilityTable, KernelObject } from "./capability-table.ts";
import { DeadHandleError, MissingRightError, WrongObjectError } from "./errors.ts";
import { OPCODE_NAMES, OPCODES } from "./opcodes.ts";
import type { OutcomeJournal } from "./outcome-journal.ts";
import type { Task, TaskId } from "./task.ts";
import { REFUSED, type TraceRing } from "./trace-ring.ts";

/** Events counted besides syscalls. */
export interface KernelCounters {
  /** Tasks made. */
  spawned: number;
  /** Tasks that ended, by how. */
  finished: number;
  failed: number;
  cancelled: number;
  killed: number;
  /** Times a task was given the processor. */
  switches: number;
  /** Syscalls that authorization refused. */
  refused: number;
  /** Calls of services that an account refused. */
  unaffordable: number;
  /** Times a sender was parked by back-pressure. */
  pauses: number;
  /** Times a task used up its turn. */
  turnsUsedUp: number;
  /** Times a task was throttled because its budget was used up. */
  throttled: number;
  /** Messages dropped from full mailboxes. */
  dropped: number;
}

/** The stages around a syscall. */
export class Seam {
  readonly calls: Float64Array = new Float64Array(OPCODES);
  readonly counters: KernelCounters = {
    spawned: 0,
    finished: 0,
    failed: 0,
    cancelled: 0,
    killed: 0,
    switches: 0,
    refused: 0,
    unaffordable: 0,
    pauses: 0,
    turnsUsedUp: 0,
    throttled: 0,
    dropped: 0,
  };
  declare readonly trace: TraceRing;
  declare readonly journal: OutcomeJournal;
  /** Hears of refusals (`KernelOptions.onRefused`). */
  onRefused: ((task: TaskId, op: number) => void) | undefined = undefined;
  readonly #capabilities: CapabilityTable;
  readonly #meter: Meter | null;
  /** What the meter had before; null without one. */
  readonly #published: Float64Array | null;
  #last: KernelCounters | null;

  constructor(capabilities: CapabilityTable, trace: TraceRing, journal: OutcomeJournal, meter: Meter | null) {
    this.#capabilities = capabilities;
    this.trace = trace;
    this.journal = journal;
    this.#meter = meter;
    this.#published = meter === null ? null : new Float64Array(OPCODES);
    this.#last = meter === null ? null : { ...this.counters };
  }

  /** Authorize: the object behind a handle of `task`. @throws when dead, of another kind, or without the rights (A1). */
  authorize(
    op: number,
    task: Task,
    handle: number,
    rights: Rights,
    kind: KernelObject["kind"],
  ): KernelObject {
    const object = this.#capabilities.find(handle, task, rights);
    if (object === null || object.kind !== kind) throw this.refusal(op, task, handle, rights, kind, object);
    return object;
  }

  /** Authorize an operation on the capability itself. */
  authorizeHandle(op: number, task: Task, handle: number, rights: Rights): void {
    if (this.#capabilities.find(handle, task, rights) === null)
      throw this.refusal(op, task, handle, rights, undefined, null);
  }

  /** Count and trace a refusal that authorization made elsewhere. */
  refused(op: number, task: Task, argument: number): void {
    this.counters.refused++;
    this.trace.write(op, REFUSED, task.id, typeof argument === "number" ? argument : 0);
    this.onRefused?.(task.id, op);
  }

  /** Meter: what `reserve` sets aside for a call. A refusal is counted as unaffordable and traced as refused (A4). @throws what it throws */
  reserve<Reserved>(op: number, task: Task, handle: number, reserve: () => Reserved): Reserved {
    try {
      return reserve();
    } catch (error) {
      this.counters.unaffordable++;
      this.trace.write(op, REFUSED, task.id, handle);
      throw error;
    }
  }

  /** Hand the counts since the last time to the meter (A2). */
  publish(): void {
    const [meter, published, last] = [this.#meter, this.#published, this.#last];
    if (meter === null || published === null || last === null) return;
    for (let op = 1; op < OPCODES; op++) {
      const fresh = this.calls[op]! - published[op]!;
      if (fresh === 0) continue;
      published[op] = this.calls[op]!;
      meter.count("mayfly_syscall_counts", fresh, { type: OPCODE_NAMES[op] ?? "other" });
    }
    const { counters } = this;
    for (const status of ["finished", "failed", "cancelled", "killed"] as const) {
      if (counters[status] > last[status])
        meter.count("mayfly_tasks_total", counters[status] - last[status], { status });
    }
    if (counters.pauses > last.pauses)
      meter.count("backpressure_pauses_total", counters.pauses - last.pauses);
    if (counters.throttled > last.throttled)
      meter.count("task_budget_throttle_total", counters.throttled - last.throttled);
    if (counters.unaffordable > last.unaffordable)
      meter.count("account_refused_total", counters.unaffordable - last.unaffordable);
    this.#last = { ...counters };
  }

  /** Count and trace a refusal; its error. */
  refusal(
    op: number,
    task: Task,
    handle: number,
    needed: Rights,
    kind: KernelObject["kind"] | undefined,
    object: KernelObject | null,
  ): DeadHandleError | MissingRightError | WrongObjectError {
    this.refused(op, task, handle);
    const held = this.#capabilities.rightsOf(handle, task);
    if (held === null) return new DeadHandleError(handle, task.id);
    if (!hasRights(held, needed)) return new MissingRightError(handle, needed, held);
    return new WrongObjectError(handle, kind ?? "capability", object?.kind ?? "nothing");
  }
}
