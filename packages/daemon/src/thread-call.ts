/**
 * Calls between threads of one node over a `MessagePort`.
 *
 * TC1. A call is answered exactly once: by its result, by the error record of its failure, or, when the port closes, by `daemon.thread-gone`.
 * TC2. At most {@link IN_FLIGHT_LIMIT} calls wait for answers on one port; one more is refused with `daemon.thread-busy`.
 * TC3. Calls and one-way tells of one side are performed in the order they were made, as far as they do not wait.
 * TC4. Arguments and results are copied. Bytes that the caller gives up can be moved instead with {@link moved}, where that costs less.
 * TC5. With a side, what is small crosses by shared memory while both threads are awake (`RingPort`); the other end needs the other side.
 *      Threads stay awake for each other only where {@link LOOKERS} have a processor each.
 */

import { availableParallelism } from "node:os";
import type { MessagePort, Transferable } from "node:worker_threads";
import { type ErrorRecord, RemoteError, toErrorRecord, UnexpectedError } from "@glia-os/abi/errors";
import { RingPort, type RingSide } from "@glia-os/host";
import { ThreadBusyError, ThreadGoneError } from "./errors.ts";

/** Most unanswered calls per port (TC2). Above any window the links and the migration use at once. */
export const IN_FLIGHT_LIMIT = 4096;
/** Fewer bytes are copied sooner than their buffer is moved, which only the port can. */
export const MOVED_LEAST_BYTES = 16_384;
/** Threads on the way of an ask from node to node in one process: with fewer processors those that look take them from those they wait for. */
export const LOOKERS = 4;

/** Longer than one thread takes to wake up. */
const WAKING_MS = 0.05;

/** Something whose methods can be called from another thread: plain data in, plain data out. */
export type ThreadService = object;

/** The face of a service seen from another thread: every method returns a promise. */
export type Remote<Service extends ThreadService> = {
  readonly [Name in keyof Service]: Service[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

type Handler = (...args: unknown[]) => unknown;

/** The one-way face of a service: nothing comes back, not even a failure. For methods that return nothing and do not throw. */
export type Told<Service extends ThreadService> = {
  readonly [Name in keyof Service]: Service[Name] extends (...args: infer Args) => unknown
    ? (...args: Args) => void
    : never;
};

type Packet =
  | { readonly tell: string; readonly args: readonly unknown[] }
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: ErrorRecord };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const movedBuffers = new WeakSet<ArrayBufferLike>();

/** A copy with a buffer of its own, unless it has one or its buffer is moved: posting a view copies the whole buffer behind it. */
function alone(bytes: Uint8Array): Uint8Array {
  const isAlone = bytes.byteLength === bytes.buffer.byteLength || movedBuffers.has(bytes.buffer);
  return isAlone ? bytes : bytes.slice();
}

/** Bytes given up by the caller: if they are many, their buffer is moved to the other thread instead of copied (TC4). A view is copied first. */
export function moved(bytes: Uint8Array): Uint8Array {
  if (bytes.length < MOVED_LEAST_BYTES) return bytes;
  const own = alone(bytes);
  movedBuffers.add(own.buffer);
  return own;
}

/** As {@link moved}, of bytes that the caller keeps: many are copied first. */
export function movedCopy(bytes: Uint8Array): Uint8Array {
  return bytes.length < MOVED_LEAST_BYTES ? bytes : moved(bytes.slice());
}

/** As {@link moved}, of bytes that the caller gives up with the buffer they end, if that holds little else: nothing is copied. */
export function movedWhole(bytes: Uint8Array): Uint8Array {
  const { buffer, byteLength, byteOffset } = bytes;
  if (byteLength < MOVED_LEAST_BYTES) return bytes;
  // What lies behind the bytes may be wanted still, and a pool of buffers holds others' bytes.
  if (byteOffset + byteLength < buffer.byteLength || byteLength * 2 <= buffer.byteLength)
    return movedCopy(bytes);
  movedBuffers.add(buffer);
  return bytes;
}

/** The values as they are posted, and the buffers that are moved. Looks at values and at the fields of plain objects among them. */
function prepare(values: readonly unknown[]): {
  readonly posted: readonly unknown[];
  readonly transfer: Transferable[];
} {
  const transfer: Transferable[] = [];
  const one = (value: unknown): unknown => {
    if (!(value instanceof Uint8Array)) return value;
    const own = alone(value);
    if (own.buffer instanceof ArrayBuffer && movedBuffers.has(own.buffer)) transfer.push(own.buffer);
    return own;
  };
  const posted = values.map((value) => {
    if (typeof value !== "object" || value === null) return value;
    return Object.getPrototypeOf(value) === Object.prototype ? withOwn(value, one) : one(value);
  });
  return { posted, transfer };
}

/** The object itself, or a copy where a field is posted as something else. */
function withOwn(value: object, one: (field: unknown) => unknown): object {
  let copy: Record<string, unknown> | undefined;
  for (const [name, field] of Object.entries(value)) {
    const own = one(field);
    if (own === field) continue;
    copy ??= { ...value };
    copy[name] = own;
  }
  return copy ?? value;
}

/** One end of the conversation. */
export interface ThreadLink<Service extends ThreadService> {
  /** The other side's service. */
  readonly remote: Remote<Service>;
  /** The other side's service, one-way. */
  readonly tell: Told<Service>;
  /** Stop answering and fail what waits. Idempotent. */
  close(): void;
}

/** What a conversation needs of a port. */
interface Talked {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void;
  on(event: "message" | "close", listener: (message: unknown) => void): unknown;
  close(): void;
}

function methodOf(service: ThreadService, name: string): Handler {
  const method = (service as Record<string, unknown>)[name];
  if (typeof method !== "function") throw new UnexpectedError(`the thread has no method ${name}`);
  return method as Handler;
}

function proxy<Face extends object>(send: (method: string, args: unknown[]) => unknown): Face {
  const known = new Map<string, (...args: unknown[]) => unknown>();
  return new Proxy(Object.create(null) as Face, {
    get: (_, method) => {
      if (typeof method !== "string" || method === "then") return undefined;
      const made = known.get(method) ?? ((...args: unknown[]) => send(method, args));
      known.set(method, made);
      return made;
    },
  });
}

/**
 * Serve `local` on a port and call the other side's `Service`. `ring`: which side of shared memory this end is (TC5); none without it. `waitMs`: the
 * longest wait for an answer that says whether staying awake pays, in milliseconds, on the side that offers.
 */
export function linkThreads<Service extends ThreadService>(
  messagePort: MessagePort,
  local: ThreadService,
  ring?: RingSide,
  waitMs: number = WAKING_MS,
): ThreadLink<Service> {
  const waits = { waitMs: availableParallelism() < LOOKERS ? 0 : waitMs };
  const port: Talked = ring === undefined ? messagePort : new RingPort(messagePort, ring, waits);
  const waiting = new Map<number, Waiting>();
  let lastCall = 0;
  let open = true;

  const answer = async (packet: {
    call: number;
    method: string;
    args: readonly unknown[];
  }): Promise<void> => {
    try {
      const value = await methodOf(local, packet.method).apply(local, [...packet.args]);
      const { posted, transfer } = prepare([value]);
      if (open) port.postMessage({ answer: packet.call, value: posted[0] } satisfies Packet, transfer);
    } catch (error) {
      if (open) port.postMessage({ answer: packet.call, error: toErrorRecord(error) } satisfies Packet);
    }
  };

  const settle = (packet: Extract<Packet, { answer: number }>): void => {
    const caller = waiting.get(packet.answer);
    waiting.delete(packet.answer);
    if ("error" in packet) caller?.reject(new RemoteError(packet.error));
    else caller?.resolve(packet.value);
  };

  const close = (): void => {
    if (!open) return;
    open = false;
    for (const caller of waiting.values()) caller.reject(new ThreadGoneError());
    waiting.clear();
    port.close();
  };

  port.on("message", (message) => {
    const packet = message as Packet;
    if ("tell" in packet) methodOf(local, packet.tell).apply(local, [...packet.args]);
    else if ("call" in packet) void answer(packet);
    else settle(packet);
  });
  port.on("close", close);

  const call = (method: string, args: readonly unknown[]): Promise<unknown> => {
    if (!open) return Promise.reject(new ThreadGoneError());
    if (waiting.size >= IN_FLIGHT_LIMIT) return Promise.reject(new ThreadBusyError(IN_FLIGHT_LIMIT));
    const id = ++lastCall;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      try {
        const { posted, transfer } = prepare(args);
        port.postMessage({ call: id, method, args: posted } satisfies Packet, transfer);
      } catch (error) {
        waiting.delete(id);
        throw error;
      }
    });
  };

  const tell = (method: string, args: unknown[]): void => {
    if (!open) return;
    const { posted, transfer } = prepare(args);
    port.postMessage({ tell: method, args: posted } satisfies Packet, transfer);
  };

  return { remote: proxy<Remote<Service>>(call), tell: proxy<Told<Service>>(tell), close };
}
