/** One child process of the process engine, from its start to its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { JobEnvelope } from "@glia-os/abi/ports";

/** What a child tells. */
export type FromChild =
  | { readonly kind: "ready" }
  /** `payload` in V8's format. */
  | { readonly kind: "hand-on"; readonly id: string; readonly entry: string; readonly payload: Uint8Array }
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "failure"; readonly failure: ErrorRecord };

/** What a child starts with. */
export interface ChildSetup {
  /** Address of the module of job functions. */
  readonly module: string;
  /** Files and folders it may read. */
  readonly readable: readonly string[];
  readonly conditions: readonly string[];
}

const SOURCE = import.meta.url.endsWith(".ts");
/** Bytes per page of `/proc/PID/statm` on the platforms that have it with 4 KiB pages; others read more, never less. */
const PAGE = 4096;

/** A child process. */
export class ChildHandle {
  live = true;
  /** Whether it can be asked. */
  ready = false;
  /** Whether it ever could. */
  wasReady = false;
  /** Whether it was ended on purpose. */
  ended = false;
  overMemory = false;
  /** What it died of, when that is known. */
  failure: unknown;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  constructor(setup: ChildSetup, heard: (message: FromChild) => void, died: (child: ChildHandle) => void) {
    const script = fileURLToPath(
      new URL(SOURCE ? "./process-child.ts" : "./process-child.js", import.meta.url),
    );
    const flags = [
      "--permission",
      ...[script, ...setup.readable].map((path) => `--allow-fs-read=${path}`),
      ...setup.conditions.map((condition) => `--conditions=${condition}`),
    ];
    const child = spawn(process.execPath, [...flags, script, setup.module], {
      env: {},
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child = child;
    child.on("message", (message: FromChild) => {
      if (message.kind === "ready") {
        this.ready = true;
        this.wasReady = true;
      }
      heard(message);
    });
    const gone = Promise.withResolvers<void>();
    this.#gone = gone.promise;
    const over = (): void => {
      if (!this.live) return;
      this.live = false;
      this.ready = false;
      gone.resolve();
      died(this);
    };
    child.on("error", (error) => {
      this.failure = error;
      if (child.pid === undefined) over();
    });
    child.once("exit", (code, signal) => {
      this.failure ??= `the child ended with ${signal ?? code}`;
      over();
    });
    child.unref();
    child.channel?.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ask for a job whose payload is in V8's format. */
  ask(job: JobEnvelope): void {
    this.#child.send({ job }, (error) => {
      // A child that cannot be reached is dying; its end is heard of by itself.
      this.failure ??= error;
    });
  }

  /** End it now. */
  async kill(): Promise<void> {
    this.ended = true;
    this.ready = false;
    this.#child.kill("SIGKILL");
    // Whoever waits for the end must hear of it, even when nothing else keeps this process alive.
    this.#child.ref();
    if (this.live) await this.#gone;
  }

  /** Look at its resident memory and end it when it is over the limit. */
  checkMemory(limitBytes: number): void {
    if (!this.live || this.pid === undefined || process.platform !== "linux") return;
    let pages: number;
    try {
      pages = Number(readFileSync(`/proc/${this.pid}/statm`, "utf8").split(" ")[1]);
    } catch {
      // It ended between the two lines above.
      return;
    }
    if (pages * PAGE <= limitBytes) return;
    this.overMemory = true;
    void this.kill();
  }
}
