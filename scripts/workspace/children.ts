/**
 * Child processes of the repository's scripts.
 *
 * C1. No child outlives the script: on Ctrl-C, SIGTERM or SIGHUP each running child is told to stop, and killed when it has not
 *     stopped after `graceMs`; the script then exits with 128 + the signal's number.
 * C2. A child past its time limit is killed and reported as timed out, never as passed.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

/** What a finished child left behind. `code` is null when a signal ended it or it could not be started. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** How to run a child. With `show`, output goes to the terminal and is not collected. */
export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly show?: boolean;
  readonly limitMs?: number;
}

const graceMs = 5_000;
const running = new Set<ChildProcess>();
let trapped = false;

/** Runs `command` to its end. It never rejects: a command that cannot be started is a `Finished` whose stderr says why. */
export function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Finished> {
  trapSignals();
  const spawnOptions: SpawnOptions = { stdio: ["ignore", "pipe", "pipe"] };
  if (options.show === true) spawnOptions.stdio = ["ignore", "inherit", "inherit"];
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  if (options.env !== undefined) spawnOptions.env = options.env;
  return new Promise((resolve) => {
    const out = { stdout: "", stderr: "" };
    let timedOut = false;
    const child = spawn(command, args, spawnOptions);
    running.add(child);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (out.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (out.stderr += text));
    const limit =
      options.limitMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, options.limitMs);
    const finish = (code: number | null): void => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ code, ...out, timedOut });
    };
    child.on("error", (error) => {
      out.stderr += `${command} could not be started: ${error.message}\n`;
      finish(null);
    });
    child.on("close", (code) => finish(code));
  });
}

function trapSignals(): void {
  if (trapped) return;
  trapped = true;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopAll(signal));
}

function stopAll(signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void {
  const code = 128 + constants.signals[signal];
  if (running.size === 0) process.exit(code);
  // A terminal sends Ctrl-C to the whole group by itself; sending it again would read as "hurry" to some children.
  const alreadySent = signal === "SIGINT" && process.stdin.isTTY === true;
  for (const child of running) {
    if (!alreadySent) child.kill(signal);
    child.once("close", () => running.size === 0 && process.exit(code));
  }
  setTimeout(() => {
    for (const child of running) child.kill("SIGKILL");
    process.exit(code);
  }, graceMs);
}
