/**
 * Reference capabilities: what a holder of a value may do with it, and may assume of others.
 *
 * | | others may read it | others may change it | it may be sent |
 * |---|---|---|---|
 * | `Iso` | no | no | yes, and then it is the receiver's |
 * | `Val` | yes | no, nobody may | yes, it is shared |
 * | `Ref` | in the same task | in the same task | no |
 * | `Tag` | no | no | yes, as an identity |
 *
 * The names and their meaning are those of Clebsch, Drossopoulou, Blessing and McNeil, "Deny Capabilities for Safe, Fast Actors"
 * (AGERE 2015), reduced to the four that JavaScript can tell apart.
 */

/** Plain data: what can be isolated and frozen. Functions, class instances and symbols are none. */
export type Data =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Data[]
  | { readonly [key: string]: Data }
  | ReadonlyMap<Data, Data>
  | ReadonlySet<Data>
  | ArrayBuffer
  | ArrayBufferView;

/** `T` when it is plain data however deep; where it is not, a type that no value has. For interfaces too, which {@link Data} excludes. */
export type DataOf<T> = [T] extends [Data]
  ? T
  : T extends symbol | ((...args: never[]) => unknown)
    ? never
    : T extends ArrayBuffer | ArrayBufferView | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
      ? T
      : { [Key in keyof T]: DataOf<T[Key]> };

/** The only reference to a value. It moves: after `move` it is dead, and what was moved can be taken up once. */
export interface Iso<T> {
  readonly reference: "iso";
  /** The value. @throws {MovedError} */
  readonly value: T;
  /** Whether the value is still here. */
  readonly alive: boolean;
}

/** An isolated value on its way. Whoever takes it up with `claim` has its only reference. */
export interface Moved<T> {
  readonly reference: "moved";
  /** Never set: carries the type of the value. */
  readonly carried?: T;
  /** Whether it can still be taken up. */
  readonly alive: boolean;
}

/** A value that nobody can change, however deep. */
export interface Val<T> {
  readonly reference: "val";
  /** The frozen value. */
  readonly value: Frozen<T>;
}

/** A value that may be changed, by one task only. */
export interface Ref<T> {
  readonly reference: "ref";
  /** The value; may be read, written and assigned. */
  value: T;
}

/** An identity and nothing else. */
export interface Tag {
  readonly reference: "tag";
  /** The same for the same thing, on every thread the tag was sent to: a name and a number. */
  readonly id: string;
}

/** What a frozen value of a type looks like: read-only however deep, bytes as {@link FrozenBytes}. */
export type Frozen<T> = T extends ArrayBuffer | ArrayBufferView
  ? FrozenBytes
  : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
    ? never
    : T extends readonly unknown[] | object
      ? { readonly [Key in keyof T]: Frozen<T[Key]> }
      : T;

/** Bytes that cannot be changed. */
export interface FrozenBytes {
  readonly length: number;
  /** One byte, from 0 to 255; `undefined` outside. */
  at(index: number): number | undefined;
  /** A copy that may be changed. */
  copy(): Uint8Array;
}

/** What may be the message of a mailbox: anything but a `Ref`, and an `Iso` only once it was moved. */
export type Sendable<T> = T extends Ref<infer _> | Iso<infer _> ? never : T;
