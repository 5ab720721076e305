/**
 * Making and moving references (`types.ts`).
 *
 * RC1. `iso`: nothing from before the call reaches the value. A move rebuilds it again, so nothing the sender kept does, not even
 *      what it read from `value`. The sender's reference is dead at once, and every use of it fails.
 * RC2. What was moved can be taken up once.
 * RC3. `val`: nobody can change the value, the maker included.
 * RC4. `ref` is not sent: where messages are checked, and always to another thread.
 * RC5. `tag`: the same thing has the same tag; from a tag nothing can be reached.
 */
import { MailboxFullError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Sys } from "../sys.ts";
import { freeze } from "./freeze.ts";
import { isolate } from "./isolate.ts";
import {
  Holder,
  IsoReference,
  MovedReference,
  RefReference,
  TagReference,
  ValReference,
} from "./references.ts";
import type { DataOf, Frozen, Iso, Moved, Ref, Tag, Val } from "./types.ts";

/** Isolate plain data: containers are copied, buffers transferred. O(parts). @throws {NotIsolableError} {ValueTooLargeError} */
export function iso<T>(value: T & DataOf<T>): Iso<T> {
  return new IsoReference(isolate(value) as T);
}

/** Take the value out of a reference, which is dead then, for the way to its next owner. O(parts). @throws {MovedError} */
export function move<T>(source: Iso<T>): Moved<T> {
  const held = source as IsoReference<T>;
  const value = isolate(Holder.peek(held)) as T;
  Holder.take(held);
  return new MovedReference(value);
}

/** Take up a moved value: this is its only reference now. @throws {MovedError} when it was taken up before. */
export function claim<T>(moved: Moved<T>): Iso<T> {
  return new IsoReference(Holder.take(moved as MovedReference<T>));
}

/**
 * Move a value into a mailbox or channel that has room. Afterwards the type of the variable is `never`: using it does not compile.
 * @throws {MailboxFullError} or what `trySend` throws; then the reference is as it was.
 */
export function give<T>(sys: Sys, target: Handle<Moved<T>>, source: Iso<T>): asserts source is never {
  const held = source as IsoReference<T>;
  const moved = move(held) as MovedReference<T>;
  let taken = false;
  try {
    taken = sys.trySend(target, moved);
  } finally {
    if (!taken) Holder.restore(held, Holder.take(moved));
  }
  if (!taken) throw new MailboxFullError(0);
}

/** Freeze a copy of plain data without maps and sets. O(parts). @throws {NotFreezableError} {ValueTooLargeError} */
export function val<T>(value: T & DataOf<T>): Val<T> {
  return new ValReference(freeze(value) as Frozen<T>);
}

/** Mark a value as belonging to one task. */
export function ref<T>(value: T): Ref<T> {
  return new RefReference(value);
}

/** Gives things their identities. */
export class Tags {
  readonly #origin: string;
  readonly #tags: WeakMap<object, Tag> = new WeakMap();
  #given = 0;

  /** `origin` names this source of identities: no two threads or programs that meet may use the same. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** The tag of a thing: the same every time. */
  of(thing: object): Tag {
    let tag = this.#tags.get(thing);
    if (tag === undefined) {
      tag = new TagReference(`${this.#origin}:${++this.#given}`);
      this.#tags.set(thing, tag);
    }
    return tag;
  }
}
