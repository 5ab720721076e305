/** The references as objects. Internal: `reference.ts` makes them. */

import { BadOptionError } from "../errors.ts";
import { MovedError } from "./errors.ts";
import type { Frozen, Iso, Moved, Ref, Tag, Val } from "./types.ts";

/** Something that holds a value until it is taken out. */
export class Holder<T> {
  #value: T | undefined;
  #alive = true;

  constructor(value: T) {
    this.#value = value;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Whether anything is a holder. */
  static isHolder(value: unknown): boolean {
    return typeof value === "object" && value !== null && #alive in value;
  }

  /** The value, which stays. @throws {MovedError} {BadOptionError} for what is no holder. */
  static peek<T>(holder: Holder<T>): T {
    if (!Holder.isHolder(holder))
      throw new BadOptionError("a reference", holder, "one that iso or move made");
    if (!holder.#alive) throw new MovedError();
    return holder.#value as T;
  }

  /** Take the value out: the holder is dead. @throws {MovedError} */
  static take<T>(holder: Holder<T>): T {
    const value = Holder.peek(holder);
    holder.#alive = false;
    holder.#value = undefined;
    return value;
  }

  /** Put a value into a dead holder. */
  static restore<T>(holder: Holder<T>, value: T): void {
    holder.#alive = true;
    holder.#value = value;
  }
}

/** An isolated value. */
export class IsoReference<T> extends Holder<T> implements Iso<T> {
  readonly reference = "iso";

  get value(): T {
    return Holder.peek(this);
  }
}

/** A moved value. */
export class MovedReference<T> extends Holder<T> implements Moved<T> {
  readonly reference = "moved";
}

/** A frozen value. */
export class ValReference<T> implements Val<T> {
  readonly reference = "val";
  readonly value: Frozen<T>;

  constructor(value: Frozen<T>) {
    this.value = value;
    Object.freeze(this);
  }
}

/** A value of one task. */
export class RefReference<T> implements Ref<T> {
  readonly reference = "ref";
  value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/** An identity. */
export class TagReference implements Tag {
  readonly reference = "tag";
  readonly id: string;

  constructor(id: string) {
    this.id = id;
    Object.freeze(this);
  }
}
