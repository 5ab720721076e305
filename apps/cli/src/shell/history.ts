/**
 * What was typed, kept between sessions.
 *
 * HI1. The file has mode 0600 and at most {@link LINES_MAX} lines, the newest.
 * HI2. A line that begins with a blank, and one that repeats the line before, is not kept: that is how a secret stays out.
 * HI3. A file that cannot be read or written costs the history, not the shell.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Lines that are kept (HI1). */
export const LINES_MAX = 1000;

/** The history of one user. */
export class History {
  readonly #path: string;
  /** Oldest first. */
  readonly #lines: string[];

  constructor(path: string) {
    this.#path = path;
    this.#lines = linesIn(path);
  }

  /** Newest first, as Node's readline wants it. */
  newestFirst(): string[] {
    return this.#lines.toReversed();
  }

  /** Oldest first. */
  lines(): readonly string[] {
    return this.#lines;
  }

  /** Keep a line (HI2). */
  add(line: string): void {
    if (line.trim() === "" || /^\s/.test(line) || line === this.#lines.at(-1)) return;
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
    this.#write();
  }

  #write(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(this.#path, this.#lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
      chmodSync(this.#path, 0o600);
    } catch {
      // HI3.
    }
  }
}

function linesIn(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1).slice(-LINES_MAX);
  } catch {
    return [];
  }
}
