/**
 * Lines that stay, and one line below them that is painted again.
 *
 * SL1. At most {@link FRAMES_PER_SECOND} repaints per second, whatever the number of updates.
 * SL2. Without a terminal to repaint, the status line is never shown; lines that stay are.
 * SL3. The status line is cut to the terminal's width, so that it never wraps.
 */
import { clearScreenDown, cursorTo } from "node:readline";
import type { Terminal } from "./terminal.ts";

/** Most repaints per second. */
export const FRAMES_PER_SECOND = 10;

/** The writer of both kinds of line (SL1 to SL3). `now` in milliseconds, monotonic. */
export class StatusLine {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #status: (() => string) | undefined;
  #paintedAt = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  /** A line that stays. */
  print(line = ""): void {
    this.#clear();
    this.#terminal.line(line);
    this.#paint();
  }

  /** What the status line says from now on; evaluated when painted. */
  update(status: () => string): void {
    this.#status = status;
    const due = this.#now() - this.#paintedAt >= 1000 / FRAMES_PER_SECOND;
    if (!due || !this.#terminal.repaints) return;
    this.#clear();
    this.#paint();
  }

  /** No status line any more. */
  end(): void {
    this.#clear();
    this.#status = undefined;
  }

  #clear(): void {
    if (!this.#shown) return;
    cursorTo(this.#terminal.out, 0);
    clearScreenDown(this.#terminal.out);
    this.#shown = false;
  }

  #paint(): void {
    if (this.#status === undefined || !this.#terminal.repaints) return;
    this.#paintedAt = this.#now();
    this.#terminal.write([...this.#status()].slice(0, this.#terminal.columns - 1).join(""));
    this.#shown = true;
  }
}
