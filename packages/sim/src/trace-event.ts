/** One observable step of a simulated kernel. */

/** A step: a syscall, an outcome, a change of state, or an end. */
export interface TraceEvent {
  /** From 1, in the order of the kernel. */
  readonly step: number;
  /** True time, in virtual milliseconds. */
  readonly atMs: number;
  readonly kind: "call" | "intent" | "outcome" | "failure" | "state" | "end";
  /** The task's path; `shell` for what the world does. */
  readonly task: string;
  /** The syscall; for a state, `ready>running` and so on; for an end, `ok`, `failed`, `cancelled` or `killed`. */
  readonly what: string;
  /** For a call `done`, `parked` or `refused`; for outcomes and ends the digest of the value; else empty. */
  readonly detail: string;
  /** For a call the handle, id or duration it is about; else 0. */
  readonly argument: number;
}

/** One line for people. */
export function eventLine(event: TraceEvent | undefined): string {
  if (event === undefined) return "nothing";
  const { atMs, kind, what, detail, argument } = event;
  return `${kind} ${what}${argument === 0 ? "" : `(${argument})`}${detail === "" ? "" : ` ${detail}`} at ${atMs} ms`;
}
