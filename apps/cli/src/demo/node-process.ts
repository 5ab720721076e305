/**
 * A node of the demo: a child process of this same command line.
 *
 * NP1. It cannot outlive its parent: its standard input is a pipe from here, and it stops when the pipe ends, whatever ended it.
 * NP2. It is in a process group of its own (not on Windows), so Ctrl-C reaches the parent only, which ends the nodes in order.
 * NP3. It is killed when it does not stop by itself in time: {@link STOP_WAIT_MS}, or {@link HURRY_WAIT_MS} when the run failed.
 * NP4. What it writes is bounded: longer lines are cut, and only its last words on standard error are kept.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ErrorRecord } from "@glia-os/abi/errors";
import { ChildEndedError, ChildSilentError } from "../errors.ts";
import type { EventRecord, ReadyRecord, StoppedRecord } from "../node/node-records.ts";

/** How long a node may take to get ready; a busy machine takes some seconds. */
const READY_WAIT_MS = 60_000;
/** How long a node may take to leave the mesh: its own limit and some. */
export const STOP_WAIT_MS = 7000;
/** The same for a run that failed: the person waits for the error. */
export const HURRY_WAIT_MS = 2000;
const LAST_WORDS_MAX = 4096;

/** What to start. */
export interface NodeProcessOptions {
  readonly name: string;
  /** Arguments of the command line after `glia`. */
  readonly args: readonly string[];
  /** The first line of its standard input. */
  readonly firstLine?: string;
  /** Called with each event of the node and each line it writes on standard error. */
  readonly onLine?: (line: string) => void;
}

function mainPath(): string {
  const source = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(source ? "../main.ts" : "./main.js", import.meta.url));
}

/** A running node (NP1 to NP4). */
export class NodeProcess {
  readonly name: string;
  /** Rejects when the process ends before `stop` was called; never resolves. */
  readonly endedEarly: Promise<never>;
  /** The line it wrote when it had stopped; present after `stop` if it stopped in order. */
  stopped: StoppedRecord | undefined;
  readonly #child: ChildProcess;
  readonly #ready: Promise<ReadyRecord>;
  readonly #exited: Promise<string>;
  #error: ErrorRecord | undefined;
  #lastWords = "";
  #stopping = false;

  constructor(options: NodeProcessOptions) {
    this.name = options.name;
    const args = [
      ...execArgv(),
      mainPath(),
      ...options.args,
      "--until-stdin-closes",
      "--temporary",
      "--json",
    ];
    this.#child = spawn(process.execPath, args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    this.#child.stdin?.on("error", () => {});
    if (options.firstLine !== undefined) this.#child.stdin?.write(`${options.firstLine}\n`);
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(`it could not be started: ${error.message}`));
      this.#child.once("close", (code, signal) =>
        resolve(signal ? `killed by ${signal}` : `exit code ${code}`),
      );
    });
    this.#ready = this.#watchOutput(options.onLine);
    this.endedEarly = this.#exited.then((how) => {
      if (this.#stopping) return new Promise<never>(() => {});
      throw new ChildEndedError(this.name, this.pid, how, this.#error ?? { message: this.#lastLine() });
    });
    this.endedEarly.catch(() => {});
  }

  /** The process id; absent when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it said of itself once it was ready. @throws `cli.child-ended`, `cli.child-silent`. */
  async ready(): Promise<ReadyRecord> {
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new ChildSilentError(this.name, this.pid, READY_WAIT_MS)),
        READY_WAIT_MS,
      );
    });
    try {
      return await Promise.race([this.#ready, this.endedEarly, silent]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** End it as `kill -9` does, and wait until it is gone. That it ended is expected from then on. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Ask it to leave the mesh, then make it end (NP3). Idempotent. */
  async stop(hurry: boolean): Promise<void> {
    this.#stopping = true;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), hurry ? HURRY_WAIT_MS : STOP_WAIT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #watchOutput(onLine: ((line: string) => void) | undefined): Promise<ReadyRecord> {
    const { stdout, stderr } = this.#child;
    if (stderr !== null)
      createInterface({ input: stderr }).on("line", (line) => {
        this.#lastWords = `${this.#lastWords}${line}\n`.slice(-LAST_WORDS_MAX);
        onLine?.(`[${this.name}] ${line}`);
      });
    return new Promise((resolve) => {
      if (stdout === null) return;
      createInterface({ input: stdout }).on("line", (line) => {
        const record = parseRecord(line);
        if (record === undefined) return;
        if ("error" in record) this.#error = record.error;
        else if (record.event === "ready") resolve(record);
        else if (record.event === "stopped") this.stopped = record;
        else onLine?.(`[${this.name}] ${line}`);
      });
    });
  }

  /** The last thing it said that was not an error record. */
  #lastLine(): string {
    return this.#lastWords.split("\n").findLast((line) => line.trim() !== "") ?? "";
  }
}

/**
 * Messages are buffers, which V8 frees only when it collects the small objects that hold them. With a young space of 1 MiB per
 * thread it does so every few megabytes of messages: a node that streams 1 GiB stays some 40 MiB smaller.
 */
const SMALL_YOUNG_SPACE = "--max-semi-space-size=1";

/** The runtime's own options for the child: the same, without a debugger's port. */
function execArgv(): string[] {
  return [...process.execArgv.filter((arg) => !arg.startsWith("--inspect")), SMALL_YOUNG_SPACE];
}

type NodeLine =
  | ReadyRecord
  | StoppedRecord
  | EventRecord
  | { readonly ok: false; readonly error: ErrorRecord };

function parseRecord(line: string): NodeLine | undefined {
  try {
    return JSON.parse(line) as NodeLine;
  } catch {
    return undefined;
  }
}
