/**
 * Threads whose heaps may hold some garbage before all of it is collected.
 *
 * RH1. The engine counts memory beside the heap, such as a chunk of a moving agent or what a socket read, towards the next full collection, and lowers
 *      the limit of a heap whose objects die young. The mesh threads of two nodes were collected about ten times in each move of 64 MiB, for 3.5 ms each, and
 *      whoever asked their agents waited for that; with this room it is twice. It costs an idle node about 15 MiB.
 * RH2. The engine has one setting for all heaps that it makes, and reads it when it makes one. It is back at the engine's own as soon as the threads run.
 * RH3. Where whoever started the process set it, their setting stays, and no thread gets this room.
 */
import { setFlagsFromString } from "node:v8";
import type { Worker } from "node:worker_threads";

/** Garbage in and beside a heap that waits for its first full collection, in MiB. */
export const ROOM_MB = 64;

/** What a thread tells of its beginning and its end. */
type Started = Pick<Worker, "once">;

/** The engine takes `-` and `_` for the same. */
const SETTING = /^--initial[-_]old[-_]space[-_]size(=|$)/;

/** Whether words that a process of Node began with, or those of NODE_OPTIONS, name the setting (RH3). */
export function isSetAlready(words: readonly string[], nodeOptions: string | undefined): boolean {
  const more = (nodeOptions ?? "").split(/\s+/).map((word) => word.replace(/^"|"$/g, ""));
  return [...words, ...more].some((word) => SETTING.test(word));
}

/** Starts threads with this room. */
export class RoomyHeaps {
  readonly #set: (flag: string) => void;
  readonly #isSet: boolean;
  #starting = 0;

  /** `isSet`: RH3. */
  constructor(set: (flag: string) => void = setFlagsFromString, isSet = false) {
    this.#set = set;
    this.#isSet = isSet;
  }

  /** Start a thread (RH1). `start` makes it and returns at once. */
  start<Thread extends Started>(start: () => Thread): Thread {
    if (this.#isSet) return start();
    this.#starting += 1;
    this.#set(`--initial-old-space-size=${ROOM_MB}`);
    let isStarting = true;
    const started = (): void => {
      if (isStarting) this.#started();
      isStarting = false;
    };
    try {
      const thread = start();
      thread.once("online", started);
      // One that cannot start ends without having run.
      thread.once("exit", started);
      return thread;
    } catch (error) {
      started();
      throw error;
    }
  }

  /** RH2. */
  #started(): void {
    this.#starting -= 1;
    if (this.#starting === 0) this.#set("--initial-old-space-size=0");
  }
}

/** Those of this process. */
export const ROOMY_HEAPS: RoomyHeaps = new RoomyHeaps(
  setFlagsFromString,
  isSetAlready(process.execArgv, process.env["NODE_OPTIONS"]),
);
