/** Program files for `glia run`, and runs of them as real processes. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CliResult, resultOf, runCli, startCli } from "./run-cli.ts";

/** A started run. */
export interface StartedRun {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when the output so far matches. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<void>;
  readonly result: Promise<CliResult>;
}

/** A folder of programs, with a runtime folder of its own. */
export class Programs {
  readonly folder: string = mkdtempSync(join(tmpdir(), "glia-run-test-"));
  readonly runtime: string = join(this.folder, "runtime");
  readonly #started: ChildProcess[] = [];

  constructor() {
    mkdirSync(this.runtime);
  }

  get env(): Readonly<Record<string, string>> {
    return { XDG_RUNTIME_DIR: this.runtime, GLIA_HOME: join(this.folder, "home"), NO_COLOR: "1" };
  }

  /** Write a program; returns its file name. */
  write(name: string, source: string): string {
    writeFileSync(join(this.folder, name), source);
    return name;
  }

  /** Run the command line in the folder, to its end. */
  run(args: readonly string[], stdin?: string): Promise<CliResult> {
    return runCli(args, { cwd: this.folder, env: this.env, ...(stdin === undefined ? {} : { stdin }) });
  }

  /** Start the command line in the folder. */
  start(args: readonly string[]): StartedRun {
    const child = startCli(args, { cwd: this.folder, env: this.env });
    this.#started.push(child);
    const texts = { stdout: "", stderr: "" };
    const heard = new Set<() => void>();
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.on("data", (chunk: Buffer) => {
        texts[name] += chunk.toString();
        for (const look of heard) look();
      });
    const until = (stream: "stdout" | "stderr", pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(texts[stream])) resolve();
        };
        heard.add(look);
        look();
        child.once("close", () =>
          reject(new RangeError(`ended without ${pattern}: ${JSON.stringify(texts)}`)),
        );
      });
    return { child, pid: child.pid ?? 0, until, result: resultOf(child) };
  }

  /** End what was started and remove the folder. */
  clear(): void {
    for (const child of this.#started) if (child.exitCode === null) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
