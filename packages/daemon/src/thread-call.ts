/**
 * Calls between threads of one node over a `MessagePort`.
 *
 * TC1. A call is answered exactly once: by its result, by the error record of its failure, or, when the port closes, by `daemon.thread-gone`.
 * TC2. At most {@link IN_FLIGHT_LIMIT} calls wait for answers on one port; one more is refused with `daemon.thread-busy`.
 * TC3. Arguments and results are copied. Bytes that the caller gives up can be moved instead with {@link moved}.
 */

import type { MessagePort, Transferable } from "node:worker_threads";
import { type ErrorRecord, RemoteError, toErrorRecord } from "@glia-os/abi/errors";
import { ThreadBusyError, ThreadGoneError } from "./errors.ts";

/** Most unanswered calls per port (TC2). Above any window the links and the migration use at once. */
export const IN_FLIGHT_LIMIT = 4096;

/** Something whose methods can be called from another thread: plain data in, plain data out. */
export type ThreadService = object;

/** The face of a service seen from another thread: every method returns a promise. */
export type Remote<Service extends ThreadService> = {
  readonly [Name in keyof Service]: Service[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

type Handler = (...args: unknown[]) => unknown;

type Packet =
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: ErrorRecord };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const movedBuffers = new WeakSet<ArrayBufferLike>();

/** Mark bytes as given up by the caller: their buffer is moved to the other thread instead of copied (TC3). */
export function moved(bytes: Uint8Array): Uint8Array {
  if (bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength) movedBuffers.add(bytes.buffer);
  return bytes;
}

function transferable(values: readonly unknown[]): Transferable[] {
  const list: Transferable[] = [];
  for (const value of values) {
    if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && movedBuffers.has(value.buffer))
      list.push(value.buffer);
  }
  return list;
}

/** One end of the conversation. */
export interface ThreadLink<Service extends ThreadService> {
  /** The other side's service. */
  readonly remote: Remote<Service>;
  /** Stop answering and fail what waits. Idempotent. */
  close(): void;
}

/** Serve `local` on `port` and call the other side's `Service`. */
export function linkThreads<Service extends ThreadService>(
  port: MessagePort,
  local: ThreadService,
): ThreadLink<Service> {
  const waiting = new Map<number, Waiting>();
  let lastCall = 0;
  let open = true;

  const answer = async (packet: {
    call: number;
    method: string;
    args: readonly unknown[];
  }): Promise<void> => {
    try {
      const method = (local as Record<string, unknown>)[packet.method] as Handler;
      const value = await method.apply(local, [...packet.args]);
      if (open) port.postMessage({ answer: packet.call, value } satisfies Packet, transferable([value]));
    } catch (error) {
      if (open) port.postMessage({ answer: packet.call, error: toErrorRecord(error) } satisfies Packet);
    }
  };

  const settle = (packet: Exclude<Packet, { call: number }>): void => {
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

  port.on("message", (packet: Packet) => {
    if ("call" in packet) void answer(packet);
    else settle(packet);
  });
  port.on("close", close);

  const call = (method: string, args: readonly unknown[]): Promise<unknown> => {
    if (!open) return Promise.reject(new ThreadGoneError());
    if (waiting.size >= IN_FLIGHT_LIMIT) return Promise.reject(new ThreadBusyError(IN_FLIGHT_LIMIT));
    const id = ++lastCall;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      port.postMessage({ call: id, method, args } satisfies Packet, transferable(args));
    });
  };

  const remote = new Proxy(Object.create(null) as Remote<Service>, {
    get: (_, method) =>
      typeof method === "string" && method !== "then"
        ? (...args: unknown[]) => call(method, args)
        : undefined,
  });
  return { remote, close };
}
