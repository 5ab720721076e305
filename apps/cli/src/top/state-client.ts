/**
 * Asks a running program for its state.
 *
 * SC1. An answer is checked for its size while it comes, and for its shape before it is used.
 * SC2. A program that does not answer within {@link ANSWER_MS} is reported: a task holds its loop.
 */
import { createConnection, type Socket } from "node:net";
import { MalformedError } from "@glia-os/abi/errors";
import { RunNotFoundError, RunSilentError } from "../errors.ts";
import { runFolder, runSocket } from "./run-folder.ts";
import { ASK_STATE, type StateView, VIEW_LIMIT_BYTES } from "./state-view.ts";

/** How long a program may take to answer (SC2). */
export const ANSWER_MS = 5000;

/** A connection to one program. */
export class StateClient {
  readonly pid: number;
  /** Resolves when the program ends or closes the connection. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #held = 0;
  #waiting: PromiseWithResolvers<StateView> | undefined;

  private constructor(pid: number, socket: Socket) {
    this.pid = pid;
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    void this.ended.then(() => this.#waiting?.reject(new RunNotFoundError(pid)));
  }

  /** Connect to a process. @throws {RunNotFoundError} */
  static async open(pid: number, folder: string = runFolder()): Promise<StateClient> {
    const socket = createConnection(runSocket(folder, pid));
    const client = new StateClient(pid, socket);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
    });
    if (connected) return client;
    throw new RunNotFoundError(pid);
  }

  /** The state now. One question at a time. @throws {RunSilentError} {RunNotFoundError} {MalformedError} */
  async ask(): Promise<StateView> {
    const waiting = Promise.withResolvers<StateView>();
    this.#waiting = waiting;
    const timer = setTimeout(() => waiting.reject(new RunSilentError(this.pid, ANSWER_MS)), ANSWER_MS);
    if (!this.#socket.writable) waiting.reject(new RunNotFoundError(this.pid));
    else this.#socket.write(`${ASK_STATE}\n`);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** End the connection. */
  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const end = chunk.indexOf(10);
    this.#parts.push(end < 0 ? chunk : chunk.subarray(0, end));
    this.#held += chunk.length;
    if (this.#held > VIEW_LIMIT_BYTES) {
      this.#waiting?.reject(
        new MalformedError("the answer of the program", `over ${VIEW_LIMIT_BYTES} bytes`),
      );
      this.close();
    } else if (end >= 0) {
      const line = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      this.#held = 0;
      this.#answered(line);
    }
  }

  #answered(line: string): void {
    try {
      this.#waiting?.resolve(checked(JSON.parse(line)));
    } catch (error) {
      this.#waiting?.reject(new MalformedError("the answer of the program", String(error)));
    }
  }
}

function checked(value: unknown): StateView {
  const view = value as Partial<StateView> | null;
  const state = view?.state as Partial<StateView["state"]> | undefined;
  const known =
    typeof view?.pid === "number" && typeof view.file === "string" && typeof view.uptimeMs === "number";
  if (known && Array.isArray(state?.tasks) && Array.isArray(state.queues) && state.counters !== undefined)
    return view as StateView;
  throw new MalformedError("the answer of the program", "it has no state");
}
