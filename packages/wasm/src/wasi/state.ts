/**
 * What WASI keeps for one guest, and its bytes in snapshots: deterministic CBOR of an array, fields in the order of {@link encodeState}.
 *
 * S1. A state that comes from a snapshot is checked as strictly as a launch.
 */

import { decode, encode } from "cborg";
import { SnapshotMismatchError } from "../errors.ts";
import { checkLaunch, type Launch } from "./launch.ts";

/** An open descriptor. `path` is empty for the streams and for `/`. */
export interface Descriptor {
  readonly kind: "stdin" | "stdout" | "stderr" | "file" | "directory";
  readonly path: string;
  /** Where the next read begins. */
  at: number;
}

/** The clock subscriptions a guest waits for in `poll_oneoff`. */
export interface Polling {
  readonly subscriptions: number;
  readonly events: number;
  readonly count: number;
  readonly written: number;
  /** Which of them is due first. */
  readonly first: number;
}

/** All of it. */
export interface WasiState {
  readonly launch: Launch;
  readonly descriptors: Map<number, Descriptor>;
  /** Bytes after the last line end, per stream, when lines are logged. */
  readonly partial: { 1: Uint8Array; 2: Uint8Array };
  outputLeft: number;
  /** Milliseconds of the monotonic clock at its last reading, and what to take from wall time for it. */
  monotonicMs: number;
  originMs: number;
  /** Calls of `random_get` so far, when seeded. */
  randomCalls: number;
  polling: Polling | undefined;
}

/** Most open descriptors. */
export const MOST_DESCRIPTORS = 256;
/** The preopened directory. */
export const ROOT_DESCRIPTOR = 3;
const KINDS = ["stdin", "stdout", "stderr", "file", "directory"] as const;

/** The state a guest starts with. */
export function initialState(launch: Launch, wallMs: number): WasiState {
  const descriptors = new Map<number, Descriptor>([
    [0, { kind: "stdin", path: "", at: 0 }],
    [1, { kind: "stdout", path: "", at: 0 }],
    [2, { kind: "stderr", path: "", at: 0 }],
  ]);
  if (launch.files.size > 0) descriptors.set(ROOT_DESCRIPTOR, { kind: "directory", path: "", at: 0 });
  const none = new Uint8Array();
  return {
    launch,
    descriptors,
    partial: { 1: none, 2: none },
    outputLeft: launch.outputBytes,
    monotonicMs: 0,
    originMs: wallMs,
    randomCalls: 0,
    polling: undefined,
  };
}

/** The state's bytes. Standard input that was read is left out. */
export function encodeState(state: WasiState): Uint8Array {
  const { launch, polling } = state;
  const stdin = [...state.descriptors.values()].find(({ kind }) => kind === "stdin");
  const open = [...state.descriptors].sort(([a], [b]) => a - b);
  return encode([
    launch.args,
    launch.env,
    launch.stdin.subarray(stdin?.at ?? launch.stdin.length),
    [...launch.files].sort(([a], [b]) => (a < b ? -1 : 1)),
    launch.outputBytes,
    launch.seed ?? null,
    open.map(([fd, { kind, path, at }]) => [fd, KINDS.indexOf(kind), path, kind === "stdin" ? 0 : at]),
    [state.partial[1], state.partial[2]],
    [state.outputLeft, state.monotonicMs, state.originMs, state.randomCalls],
    polling === undefined
      ? null
      : [polling.subscriptions, polling.events, polling.count, polling.written, polling.first],
  ]);
}

/** The inverse. @throws SnapshotMismatchError, BadLaunchError */
export function decodeState(bytes: Uint8Array): WasiState {
  const fields = listOf(parsed(bytes), 10);
  const [args, env, stdin, files, outputBytes, seed, open, partial, counters, polling] = fields;
  const launch = checkLaunch({
    args: texts(args),
    env: texts(env),
    stdin: byteString(stdin),
    files: new Map(list(files).map((entry) => fileOf(entry))),
    outputBytes: whole(outputBytes),
    seed: seed === null ? undefined : byteString(seed),
  });
  const [line1, line2] = listOf(partial, 2);
  const [outputLeft, monotonicMs, originMs, randomCalls] = listOf(counters, 4).map(whole);
  return {
    launch,
    descriptors: descriptorsOf(open),
    partial: { 1: byteString(line1), 2: byteString(line2) },
    outputLeft: Math.min(outputLeft as number, launch.outputBytes),
    monotonicMs: monotonicMs as number,
    originMs: originMs as number,
    randomCalls: randomCalls as number,
    polling: polling === null ? undefined : pollingOf(polling),
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { strict: true });
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause));
  }
}

function descriptorsOf(value: unknown): Map<number, Descriptor> {
  const entries = list(value);
  if (entries.length > MOST_DESCRIPTORS) throw refused(`${entries.length} descriptors`);
  return new Map(
    entries.map((entry) => {
      const [fd, kind, path, at] = listOf(entry, 4);
      const known = KINDS[whole(kind)];
      if (known === undefined || typeof path !== "string") throw refused("a descriptor of no known kind");
      return [whole(fd), { kind: known, path, at: whole(at) }];
    }),
  );
}

function pollingOf(value: unknown): Polling {
  const [subscriptions = 0, events = 0, count = 0, written = 0, first = 0] = listOf(value, 5).map(whole);
  return { subscriptions, events, count, written, first };
}

function fileOf(entry: unknown): [string, Uint8Array] {
  const [path, content] = listOf(entry, 2);
  if (typeof path !== "string") throw refused("a file without a path");
  return [path, byteString(content)];
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw refused("a field is no list");
  return value;
}

function listOf(value: unknown, length: number): unknown[] {
  const found = list(value);
  if (found.length !== length) throw refused(`a list of ${found.length} instead of ${length}`);
  return found;
}

function texts(value: unknown): string[] {
  const found = list(value);
  if (!found.every((text) => typeof text === "string")) throw refused("a field is no list of texts");
  return found;
}

function byteString(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw refused("a field is no byte string");
  return value;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw refused("a field is no whole number");
  return value as number;
}

function refused(problem: string): SnapshotMismatchError {
  return new SnapshotMismatchError("the state of WASI", `malformed (${problem})`, "as this build writes it");
}
