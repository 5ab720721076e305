/**
 * What goes between the thread of a system and its workers: lists of these, as the threads' ports clone them.
 *
 * PM1. An agent's id begins with the eight characters of its place, so that nobody keeps a list of who is where.
 */
import type { AgentEnvelope } from "../envelope.ts";
import type { AgentRef } from "../reference.ts";
import type { Addressed } from "./envelope-row.ts";

/** The characters of an id that name its place. */
export const PREFIX_CHARS = 8;

/** One message between threads. */
export type PlaceMessage =
  /** A worker is ready: the prefix of its ids and the kinds it can make. */
  | { readonly is: "ready"; readonly kinds: readonly string[] }
  /** The thread gives a worker its prefix. */
  | { readonly is: "welcome"; readonly prefix: string }
  /** An envelope for an agent, by id or name. */
  | Addressed
  /** A topic's message, for all places but the one it comes from. */
  | { readonly is: "publish"; readonly topic: string; readonly envelope: AgentEnvelope }
  /** An agent of a worker ended; its name is free. */
  | { readonly is: "ended"; readonly ref: AgentRef; readonly reason: string; readonly error: unknown }
  | { readonly is: "call"; readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly is: "answer"; readonly call: number; readonly ok: boolean; readonly value: unknown };

/** A port of another thread: `Worker`, `parentPort` and `MessagePort` of `node:worker_threads` are some. */
export interface ThreadPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: string, listener: () => void): unknown;
}
