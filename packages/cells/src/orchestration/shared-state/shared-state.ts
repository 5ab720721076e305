/**
 * A state that several agents change apart and that becomes the same everywhere: counters and maps over Yjs, a CRDT of JavaScript alone.
 *
 * SS1. Replicas that have heard of the same changes have the same state, whatever order the changes came in and however often.
 * SS2. Counters lose no addition. In a map, a value that was set while somebody else removed the key stays: a removal removes what it saw. Of two
 *      values set at once for one key, all replicas keep the same one.
 * SS3. The plain form holds everything: an agent that moved or came back reads it and goes on. Whoever reads it writes under a new writer's number, so
 *      a copy of an old state never contradicts changes that the newer one made already.
 * SS4. Bytes are parsed whole before any of them is applied.
 *
 * Promised: SS1, SS2 once changes have gone round. Not promised: that two replicas are the same at one time, or that a value which was read is
 * the newest; a balance that must not go below zero is no case for it. Writers' numbers are 32 random bits: two of 1,000 writers share one with a
 * chance of 1 in 8,600, and would then contradict each other.
 */
import * as Y from "yjs";
import { checkText, checkWhole } from "../check-option.ts";
import { BadOptionError, BadUpdateError } from "../errors.ts";

/** Bytes of one change, and of the whole state. */
export const UPDATE_BYTES_MAX = 8_388_608;
/** Characters of the name of a counter or map, and of a key. */
export const KEY_CHARS_MAX = 256;
/** Changes that the plain form holds one by one before they are put together. */
export const UPDATES_MAX = 64;

/** The plain form: part of an agent's state. Only `SharedState` writes it. */
export interface SharedPlain {
  updates: Uint8Array[];
}

/** A value of a map: what JSON holds, and bytes. */
export type SharedValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly SharedValue[]
  | { readonly [key: string]: SharedValue };

/** A number that replicas add to. */
export interface SharedCounter {
  readonly value: number;
  /** Add a whole number, which may be negative. @throws {BadOptionError} */
  add(amount: number): void;
}

/** A map that replicas set and remove keys of. */
export interface SharedMap<Value extends SharedValue = SharedValue> {
  readonly size: number;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  /** @throws {BadOptionError} */
  set(key: string, value: Value): void;
  delete(key: string): boolean;
  /** By key, ascending, so that it is the same everywhere. */
  entries(): readonly (readonly [string, Value])[];
}

/** Nothing yet. */
export function noSharedState(): SharedPlain {
  return { updates: [] };
}

/** A state at work. Made from its plain form by `sharedState`, once per plain form. */
export class SharedState {
  readonly #doc: Y.Doc;
  readonly #plain: SharedPlain;
  readonly #writer: string;

  /** `random`: numbers from 0 up to but not including 1, as of an agent's context. @throws {BadUpdateError} */
  constructor(plain: SharedPlain, random: () => number) {
    this.#plain = plain;
    this.#doc = new Y.Doc({ guid: "shared" });
    for (const update of plain.updates) this.#integrate(update);
    this.#doc.clientID = Math.floor(random() * 0x1_0000_0000);
    this.#writer = String(this.#doc.clientID);
    this.#doc.on("update", (update: Uint8Array) => this.#keep(update));
  }

  /** A counter, 0 at first. */
  counter(name: string): SharedCounter {
    const parts = this.#doc.getMap<number>(`counter ${checkText("name", name, KEY_CHARS_MAX)}`);
    const writer = this.#writer;
    return {
      get value() {
        let sum = 0;
        for (const part of parts.values()) sum += typeof part === "number" ? part : 0;
        return sum;
      },
      add(amount) {
        checkWhole("amount", amount, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
        const sum = (parts.get(writer) ?? 0) + amount;
        checkWhole("sum", sum, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
        if (amount !== 0) parts.set(writer, sum);
      },
    };
  }

  /** A map, empty at first. */
  map<Value extends SharedValue = SharedValue>(name: string): SharedMap<Value> {
    const values = this.#doc.getMap<Value>(`map ${checkText("name", name, KEY_CHARS_MAX)}`);
    return {
      get size() {
        return values.size;
      },
      get: (key) => values.get(key),
      has: (key) => values.has(key),
      set(key, value) {
        checkText("key", key, KEY_CHARS_MAX);
        checkValue(value, 0);
        values.set(key, value);
      },
      delete(key) {
        const had = values.has(key);
        if (had) values.delete(key);
        return had;
      },
      entries: () => [...values.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  }

  /** Do several changes as one. */
  together(change: () => void): void {
    this.#doc.transact(change);
  }

  /** What is known here: give it to another replica, whose `changesFor` says what is missing. */
  known(): Uint8Array {
    return Y.encodeSnapshot(Y.snapshot(this.#doc));
  }

  /** What a replica lacks that knows `known`; undefined when it lacks nothing. @throws {BadUpdateError} */
  changesFor(known: Uint8Array): Uint8Array | undefined {
    const theirs = parsed("what a replica knows", known, (bytes) => Y.decodeSnapshot(bytes));
    const mine = Y.snapshot(this.#doc);
    if (Y.equalSnapshots(mine, theirs)) return undefined;
    const update = Y.encodeStateAsUpdate(this.#doc, Y.encodeStateVector(theirs.sv));
    const nothingNew = Y.decodeUpdate(update).structs.length === 0;
    return nothingNew && Y.equalSnapshots(Y.createSnapshot(mine.ds, theirs.sv), theirs) ? undefined : update;
  }

  /** Everything, as one change. */
  save(): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc);
  }

  /** Take changes of another replica. @throws {BadUpdateError} when they are none; nothing is applied then (SS4) */
  apply(changes: Uint8Array): void {
    this.#integrate(changes);
  }

  /** Hear of changes that are made here, as bytes for the others, until the returned function is called. */
  onOwnChange(listener: (changes: Uint8Array) => void): () => void {
    const hear = (update: Uint8Array, origin: unknown): void => {
      if (origin !== this) listener(update);
    };
    this.#doc.on("update", hear);
    return () => this.#doc.off("update", hear);
  }

  #integrate(update: Uint8Array): void {
    parsed("a change", update, (bytes) => Y.decodeUpdate(bytes));
    Y.applyUpdate(this.#doc, update, this);
  }

  #keep(update: Uint8Array): void {
    const { updates } = this.#plain;
    updates.push(update);
    if (updates.length > UPDATES_MAX) this.#plain.updates = [Y.mergeUpdates(updates)];
  }
}

const atWork = new WeakMap<SharedPlain, SharedState>();

/** The state of a plain form: the same one for the same object, for as long as it is used (SS3). @throws {BadUpdateError} */
export function sharedState(plain: SharedPlain, random: () => number): SharedState {
  const known = atWork.get(plain);
  if (known !== undefined) return known;
  const made = new SharedState(plain, random);
  atWork.set(plain, made);
  return made;
}

function parsed<Result>(what: string, bytes: unknown, parse: (bytes: Uint8Array) => Result): Result {
  if (!(bytes instanceof Uint8Array)) throw new BadUpdateError(`${what} is no bytes`);
  if (bytes.length > UPDATE_BYTES_MAX)
    throw new BadUpdateError(`${what} has ${bytes.length} bytes, more than ${UPDATE_BYTES_MAX}`);
  try {
    return parse(bytes);
  } catch (error) {
    throw new BadUpdateError(`${what} is malformed`, error);
  }
}

function checkValue(value: unknown, depth: number): void {
  if (depth > 32) throw new BadOptionError("value", "it is deeper than 32 levels");
  if (value === null || value instanceof Uint8Array) return;
  if (["string", "boolean"].includes(typeof value)) return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value !== "object")
    throw new BadOptionError("value", `a ${typeof value} is not what JSON holds`);
  for (const item of Object.values(value)) checkValue(item, depth + 1);
}
