/**
 * Where a command writes: results to standard output, everything else to standard error.
 *
 * O1. With `json`, standard output carries JSON lines only; people's lines are left out.
 * O2. Colour only on a terminal, never with NO_COLOR or TERM=dumb (`node:util` decides, by its own reading of the environment).
 * O3. A reader that goes away (EPIPE) is reported once through `closed`; later writes do nothing. `lost` says why, also of a full disk.
 */
import { styleText } from "node:util";

/** Names of `styleText` that the command line uses. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** A stream as `process.stdout` is one. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly writableNeedDrain?: boolean;
}

/** What a terminal is made of. */
export interface TerminalOptions {
  readonly out: OutputStream;
  readonly err: OutputStream;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** The writer that every command gets (O1 to O3). */
export class Terminal {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Resolves when nobody reads standard output any more. */
  readonly closed: Promise<void>;
  readonly out: OutputStream;
  readonly #err: OutputStream;
  #open = true;
  #lost: Error | undefined;
  #readerMayLeave = false;

  constructor(options: TerminalOptions) {
    this.json = options.json;
    this.verbose = options.verbose;
    this.out = options.out;
    this.#err = options.err;
    this.closed = new Promise((resolve) => {
      this.out.on("error", (error: Error) => {
        this.#lost ??= error;
        this.#open = false;
        resolve();
      });
    });
    this.#err.on("error", () => {});
  }

  /** Why a part of what was written to standard output did not arrive. */
  get lost(): Error | undefined {
    const left = (this.#lost as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
    return left && this.#readerMayLeave ? undefined : this.#lost;
  }

  /** From now on a reader that goes away is one way to end the command, and loses nothing. */
  letReaderLeave(): void {
    this.#readerMayLeave = true;
  }

  /** Whether standard output is a terminal that a view may repaint. */
  get repaints(): boolean {
    return this.out.isTTY === true && process.env["TERM"] !== "dumb" && !this.json;
  }

  /** Columns of the terminal; 80 when it does not say, or says 0. */
  get columns(): number {
    return this.out.columns || 80;
  }

  /** A line for people; left out with `json` (O1). */
  line(text = ""): void {
    if (!this.json) this.write(`${text}\n`);
  }

  /** A line for programs; left out without `json`. */
  record(value: unknown): void {
    if (this.json) this.write(`${JSON.stringify(value)}\n`);
  }

  /** A line on standard error. */
  note(text: string): void {
    this.#err.write(`${text}\n`);
  }

  /** Raw text to standard output (O3). */
  write(text: string): void {
    if (this.#open) this.out.write(text);
  }

  /** Bytes as a guest wrote them, to standard output (O3). */
  writeBytes(bytes: Uint8Array): void {
    if (this.#open) this.out.write(bytes);
  }

  /** Bytes as a guest wrote them, to standard error. */
  noteBytes(bytes: Uint8Array): void {
    this.#err.write(bytes);
  }

  /** `text` in a style, if colour is welcome (O2). */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.out, validateStream: true });
  }

  /** Resolves when everything written so far was handed to the system. */
  async drain(): Promise<void> {
    const flushed = (stream: OutputStream) =>
      new Promise<void>((done) => void stream.write("", () => done()));
    await Promise.all([flushed(this.out), flushed(this.#err)]);
  }
}
