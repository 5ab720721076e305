/**
 * Lines about tasks on standard error: with `-v` when one starts and ends, with `-vv` every syscall too.
 *
 * TL1. Services of the shell are left out: the lines are about the program.
 */
import { syscallByNumber } from "@glia-os/abi/syscalls";
import type { Kernel, SyscallTracer, TaskId, TaskObserver, TaskState } from "@glia-os/kernel";

const ENDS: readonly TaskState[] = ["finished", "failed", "cancelled"];

/** Writes the lines. */
export class TaskLines implements TaskObserver, SyscallTracer {
  readonly #write: (line: string) => void;
  readonly #hidden: ReadonlySet<number>;
  readonly #started = new Set<TaskId>();
  #kernel: Kernel | undefined;

  /** `hidden`: tasks that are left out (TL1). */
  constructor(write: (line: string) => void, hidden: ReadonlySet<number>) {
    this.#write = write;
    this.#hidden = hidden;
  }

  /** The kernel it hears of: names come from there. */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
  }

  transition(task: TaskId, _from: TaskState, to: TaskState): void {
    if (this.#hidden.has(task)) return;
    if (to === "running" && !this.#started.has(task)) {
      this.#started.add(task);
      this.#write(`${this.#label(task)} started`);
    } else if (to === "throttled") this.#write(`${this.#label(task)} throttled`);
    else if (ENDS.includes(to)) {
      this.#started.delete(task);
      this.#write(`${this.#label(task)} ${to}`);
    }
  }

  syscall(task: TaskId, op: number, outcome: "done" | "parked" | "refused", argument: number): void {
    if (this.#hidden.has(task)) return;
    const name = syscallByNumber(op)?.name ?? `syscall ${op}`;
    this.#write(`${this.#label(task)} ${name}(${argument === 0 ? "" : argument}) ${outcome}`);
  }

  #label(task: TaskId): string {
    const { name = "", path = "" } = this.#kernel?.nameOf(task) ?? {};
    return `task ${task} ${path === "" ? "(shell)" : path}${name === "" ? "" : ` (${name})`}`;
  }
}
