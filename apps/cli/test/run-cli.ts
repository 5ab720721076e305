/** Runs the real command line as a child process, from source. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How to run it. */
export interface CliRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly uid?: number;
}

/** What it came to. */
export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program, as source. */
export const cliMain: string = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Start it; the caller waits for its end. */
export function startCli(args: readonly string[], run: CliRun = {}): ChildProcess {
  return spawn(process.execPath, ["--conditions=@glia-os/source", cliMain, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
    ...(run.uid === undefined ? {} : { uid: run.uid }),
    env: { ...process.env, NODE_OPTIONS: "", ...run.env },
  });
}

/** Run it to its end. */
export function runCli(args: readonly string[], run: CliRun = {}): Promise<CliResult> {
  const child = startCli(args, run);
  child.stdin?.on("error", () => {});
  child.stdin?.end(run.stdin ?? "");
  return resultOf(child);
}

/** The end of a started command line, with all it wrote. */
export function resultOf(child: ChildProcess): Promise<CliResult> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
