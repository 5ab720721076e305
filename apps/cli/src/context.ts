/** What every command gets from the process. */
import { aborted } from "./interrupt.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The process as a command sees it. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted with a `GliaError` when the command should give up. */
  readonly interrupt: AbortSignal;
  readonly stdin: NodeJS.ReadStream;
}

/** `work`, given up when the person interrupts; for commands that leave nothing to clean up. */
export function unlessInterrupted<T>({ interrupt }: Context, work: Promise<T>): Promise<T> {
  return Promise.race([work, aborted(interrupt)]);
}
