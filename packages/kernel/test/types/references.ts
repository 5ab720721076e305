/**
 * What must not compile. Each line after `@ts-expect-error` fails this file's compilation when it compiles, and so does anything
 * here that should compile and does not. `reference-types.test.ts` compiles it; nothing runs it.
 */
import type { Handle, Sys } from "@glia-os/kernel";
import {
  claim,
  type Frozen,
  give,
  type Iso,
  iso,
  type Moved,
  move,
  type Ref,
  ref,
  type Sendable,
  type Tag,
  Tags,
  type Val,
  val,
} from "@glia-os/kernel/reference";

interface Job {
  readonly name: string;
  readonly pixels: Uint8Array;
}

declare const sys: Sys;
declare const jobs: Handle<Moved<Job>>;
declare const facts: Handle<Val<{ list: number[] }>>;
declare const tags: Handle<Tag>;

/** Using an isolated value after it was given away. */
export function afterGiving(job: Iso<Job>): string {
  give(sys, jobs, job);
  // @ts-expect-error: the variable is `never` now
  return job.value.name;
}

/** Giving it away twice. */
export function givingTwice(job: Iso<Job>): void {
  give(sys, jobs, job);
  const kept: Iso<Job> = job;
  // Aliases are not tracked by the type system; at run time they are dead. Moving what was claimed is fine.
  move(kept);
}

/** An isolated value is sent only when it was moved. */
export function sending(job: Iso<Job>): void {
  sys.trySend(jobs, move(job));
  // @ts-expect-error: not moved
  sys.trySend(jobs, job);
  // @ts-expect-error: a moved value cannot be read before it was claimed
  move(job).value;
  claim(move(job)).value.pixels.fill(1);
}

/** A ref is no message: neither of a mailbox of something else, nor as the message type of one. */
export function refs(counter: Ref<{ count: number }>): void {
  counter.value.count++;
  // @ts-expect-error: a ref is no moved value
  sys.trySend(jobs, counter);
  // @ts-expect-error: nor a val
  sys.trySend(facts, counter);
  // @ts-expect-error: nor a tag
  sys.trySend(tags, counter);
  // @ts-expect-error: no message type may be a ref
  sendable<Ref<{ count: number }>>(counter);
  // @ts-expect-error: nor an iso that was not moved
  sendable<Iso<number>>(iso(1));
  sendable(move(iso(1)));
  sendable(val([1]));
}

declare function sendable<T>(message: Sendable<T>): void;

/** A frozen value cannot be written, at any depth, and its bytes have no buffer. */
export function vals(): void {
  const fact = val({ list: [1, 2], inner: { bytes: new Uint8Array(2) } });
  // @ts-expect-error: a property is read-only
  fact.value.inner = val({ bytes: new Uint8Array(2) }).value;
  // @ts-expect-error: an element is read-only
  fact.value.list[0] = 3;
  // @ts-expect-error: a frozen array does not grow
  fact.value.list.push(3);
  // @ts-expect-error: frozen bytes are read with `at`
  fact.value.inner.bytes[0] = 1;
  // @ts-expect-error: and have no buffer
  fact.value.inner.bytes.buffer;
  const first: number | undefined = fact.value.inner.bytes.at(0);
  // @ts-expect-error: a map cannot be frozen
  const map: Frozen<Map<string, number>> = new Map();
  void [first, map];
}

/** From a tag nothing can be reached, and only plain data is isolated or frozen. */
export function others(): void {
  const tag = new Tags("here").of({ secret: 1 });
  // @ts-expect-error: a tag has no value
  tag.value;
  // @ts-expect-error: a function is no data
  iso(() => 1);
  // @ts-expect-error: an object with a method is no data
  val({ run: () => 1 });
  // @ts-expect-error: the value of an iso cannot be replaced
  iso({ a: 1 }).value = { a: 2 };
  const job: Job = { name: "an interface is data too", pixels: new Uint8Array(1) };
  const isolated: Iso<Job> = iso(job);
  void isolated;
  ref(() => 1).value();
}
