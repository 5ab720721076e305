/** `glia run FILE [ARGS...]`: a program on a kernel of its own. */
import { Console } from "node:console";
import { availableParallelism } from "node:os";
import type { Context } from "../context.ts";
import { unlessInterrupted } from "../context.ts";
import { ProgramLoadError, UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { parseHostPort } from "../node/host-port.ts";

/** Its options, as texts. */
export interface RunOptions {
  readonly concurrency?: string;
  readonly quantum?: string;
  readonly listen?: string;
  readonly dumpState?: boolean;
  readonly verbose?: number;
  /** Run a durable program on the journal in this folder. */
  readonly journal?: string;
  readonly name?: string;
  readonly input?: string;
  readonly http?: readonly string[];
  readonly files?: string;
  readonly oversight?: string;
  readonly guard?: string;
  readonly onFailure?: string;
}

const THREADS_MOST = 32;
const QUANTUM_MOST_MS = 60_000;

/** Run it. */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions,
  context: Context,
): Promise<ExitCode> {
  checkTogether(args, options);
  if (context.terminal.json) keepConsoleOffStandardOutput();
  if (options.journal !== undefined) {
    const { runDurable } = await import("../durable/run-durable.ts");
    return runDurable(file, { ...options, journal: options.journal }, context);
  }
  const threads = wholeOption("--concurrency", options.concurrency, THREADS_MOST);
  const quantumMs = quantumOf(options.quantum);
  const listen = options.listen === undefined ? undefined : parseHostPort(options.listen);
  const stuck = nothingCanHappen();
  const { loadProgram } = await import("../run/load-program.ts");
  const program = await unlessInterrupted(
    context,
    Promise.race([
      loadProgram(file, args),
      stuck.then(() => Promise.reject(new ProgramLoadError(file, undefined, "it awaits what never comes"))),
    ]),
  );
  const { runProgram } = await import("../run/run-program.ts");
  const settings = {
    args,
    threads: threads ?? Math.min(THREADS_MOST, availableParallelism()),
    quantumMs,
    listen,
    verbosity: options.verbose ?? 0,
    dumpState: options.dumpState === true,
  };
  return runProgram(program, settings, context, nothingCanHappen());
}

const DURABLE_ONLY = ["name", "input", "http", "files", "oversight", "guard", "onFailure"] as const;
const PLAIN_ONLY = ["concurrency", "quantum", "listen", "dumpState"] as const;

/** Options that would have no effect are refused. */
function checkTogether(args: readonly string[], options: RunOptions): void {
  const durable = options.journal !== undefined;
  const idle = (durable ? PLAIN_ONLY : DURABLE_ONLY).find((name) => options[name] !== undefined);
  const flag = `--${idle?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (idle !== undefined)
    throw new UsageError(
      `${flag} has no meaning ${durable ? "with" : "without"} --journal`,
      durable ? "Leave one of them out." : "Add --journal FOLDER to run a durable program, or leave it out.",
    );
  if (durable && args.length > 0)
    throw new UsageError(
      "A durable program takes no arguments",
      "Give what it starts with as JSON by --input.",
    );
}

/** Resolves when the loop of the process has nothing left: no timer, no socket, no file, no thread at work. */
function nothingCanHappen(): Promise<void> {
  return new Promise((resolve) => process.once("beforeExit", () => resolve()));
}

/** Standard output carries JSON lines only: what a program prints goes to standard error. */
function keepConsoleOffStandardOutput(): void {
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
}

function wholeOption(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(
    `${name} ${text.slice(0, 40)} is out of range`,
    `Give a whole number from 1 to ${most}.`,
  );
}

function quantumOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= QUANTUM_MOST_MS) return value;
  throw new UsageError(
    `--quantum ${text.slice(0, 40)} is out of range`,
    `Give milliseconds, more than 0 and at most ${QUANTUM_MOST_MS}.`,
  );
}
