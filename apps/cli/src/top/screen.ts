/**
 * A terminal used as a whole screen: painted in place, keys read one by one, and left as it was.
 *
 * SN1. The screen is left in whatever way the process ends that runs code, once.
 * SN2. A frame never scrolls: it is cut to the rows and columns of the terminal.
 */
import type { OutputStream, Terminal } from "../terminal/terminal.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
/** q, Q, Ctrl-C, Ctrl-D: what a terminal in raw mode sends for them. */
const QUIT = ["q", "Q", "\u0003", "\u0004"] as const;

/** The screen, from its making until `leave`. */
export class Screen {
  /** Resolves when the person wants to leave. */
  readonly quit: Promise<void>;
  readonly #terminal: Terminal;
  readonly #stdin: NodeJS.ReadStream;
  #left = false;

  /** `typed` hears every key that does not leave. */
  constructor(terminal: Terminal, stdin: NodeJS.ReadStream, typed: (key: string) => void = () => undefined) {
    this.#terminal = terminal;
    this.#stdin = stdin;
    terminal.write(ENTER);
    process.once("exit", this.leave);
    if (stdin.isTTY) stdin.setRawMode(true);
    this.quit = new Promise((resolve) => {
      stdin.setEncoding("utf8");
      stdin.on("data", (keys: string) => {
        if (QUIT.some((key) => keys.includes(key))) resolve();
        else for (const key of keys) typed(key);
      });
    });
    stdin.resume();
  }

  /** Show these lines and nothing else (SN2). */
  paint(lines: readonly string[]): void {
    const rows = rowsOf(this.#terminal.out);
    const width = this.#terminal.columns;
    const shown = lines.slice(0, rows - 1).map((line) => [...line].slice(0, width).join(""));
    this.#terminal.write(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`);
  }

  /** Give the terminal back (SN1). */
  readonly leave = (): void => {
    if (this.#left) return;
    this.#left = true;
    process.off("exit", this.leave);
    if (this.#stdin.isTTY) this.#stdin.setRawMode(false);
    this.#stdin.pause();
    this.#terminal.write(LEAVE);
  };
}

/** A terminal that does not say how high it is says 0. */
function rowsOf(out: OutputStream): number {
  return Math.max(2, (out as { rows?: number }).rows || 24);
}
