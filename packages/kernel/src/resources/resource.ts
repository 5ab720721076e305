/**
 * What lies outside the kernel and becomes ready by itself, such as a socket: tasks wait for it and use it through capabilities.
 *
 * D1. Readiness is a level: a wait for what is ready goes on at once, and every task that waits is woken when it becomes ready.
 *     Who comes too late finds nothing to take and waits again.
 * D2. Closing wakes everybody who waits, with the error it was closed with; every later use is refused with the same error.
 * D3. The device is closed once: by `close`, or when the last capability to the resource ended.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { KernelObject } from "../capability-table.ts";
import { ResourceClosedError } from "../errors.ts";
import { shown } from "../shown.ts";
import { TaskList } from "../task.ts";
import type { Waker } from "../waker.ts";

/** What the shell puts behind a resource. Its functions are called inside a slice and must not wait. */
export interface Device {
  /** For people: at most 128 characters. */
  readonly name: string;
  /** Take up to `limit` units, `undefined` when there is nothing to take. A {@link Resource} it gives becomes a handle of the caller. */
  read?(limit: number): unknown;
  /** Take what fits of `data`; returns how much. */
  write?(data: unknown): number;
  /** Give up what is behind. Called once (D3). */
  close(): void;
}

/** The shell's side of a resource. */
export interface Resource {
  readonly name: string;
  /** Whether it was closed. */
  readonly closed: boolean;
  /** Say whether reading makes sense now. Becoming ready wakes every task that waits to read (D1). */
  setReadable(ready: boolean): void;
  /** Say whether writing makes sense now. Becoming ready wakes every task that waits to write (D1). */
  setWritable(ready: boolean): void;
  /** Close it (D2). Default: a {@link ResourceClosedError}. Idempotent. */
  close(error?: Error): void;
}

/** Longest name of a device. */
const NAME_LIMIT = 128;

/** A resource. Internal: programs hold handles, the shell sees {@link Resource}. */
export class KernelResource implements KernelObject, Resource {
  readonly kind = "resource";
  readonly name: string;
  /** Capabilities to it. */
  receivers = 0;
  /** Tasks that wait to read. */
  readonly takers: TaskList = new TaskList();
  /** Tasks that wait to write. */
  readonly writers: TaskList = new TaskList();
  readonly device: Device;
  readable = false;
  writable = false;
  error: Error | null = null;
  readonly #waker: Waker;

  constructor(waker: Waker, device: Device) {
    this.#waker = waker;
    this.device = device;
    this.name = device.name.slice(0, NAME_LIMIT);
  }

  get closed(): boolean {
    return this.error !== null;
  }

  /** The rights its first capability has: what the device can do, and to hand it on, take it back and close it. */
  get rights(): Rights {
    const read = this.device.read === undefined ? 0 : RIGHTS.read;
    const write = this.device.write === undefined ? 0 : RIGHTS.write;
    return read | write | RIGHTS.grant | RIGHTS.revoke;
  }

  setReadable(ready: boolean): void {
    this.readable = ready;
    if (ready) while (this.#waker.wakeOne(this.takers, undefined));
  }

  setWritable(ready: boolean): void {
    this.writable = ready;
    if (ready) while (this.#waker.wakeOne(this.writers, undefined));
  }

  close(error: Error = new ResourceClosedError(this.name)): void {
    if (this.error !== null) return;
    this.error = error;
    this.#fail(this.takers, error);
    this.#fail(this.writers, error);
    try {
      this.device.close();
    } catch (failure) {
      const fields = { resource: this.name, error: shown(failure) };
      this.#waker.setup.logger?.log("warn", "closing a device failed", fields);
    }
  }

  #fail(queue: TaskList, error: Error): void {
    for (;;) {
      const task = queue.head ?? queue.firstNode?.task;
      if (task === undefined) return;
      this.#waker.detach(task);
      this.#waker.resumeFailing(task, error);
    }
  }
}
