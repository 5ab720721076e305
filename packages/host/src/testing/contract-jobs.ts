/** The functions that the contract of job engines runs. A module of its own, so that workers can load it. */
import type { JobContext } from "../engines/envelope.ts";

export function echo(payload: unknown): unknown {
  return payload;
}

export function double(payload: number): number {
  return 2 * payload;
}

export async function later(payload: unknown): Promise<unknown> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return payload;
}

export function fail(payload: string): never {
  throw new RangeError(payload);
}

export async function failLater(payload: string): Promise<never> {
  throw new RangeError(payload);
}

export function whoAmI(_payload: unknown, { id, origin, lineage }: JobContext): unknown {
  return { id, origin, lineage };
}

export function giveFunction(): unknown {
  return () => undefined;
}

/** Never ends, and lets nobody else run where it has a thread of its own. */
export function forever(_payload: unknown): Promise<never> {
  return new Promise(() => undefined);
}

/** Hands on `payload` jobs that give their number. */
export function fan(payload: number, context: JobContext): number {
  for (let i = 0; i < payload; i++) context.handOn("echo", i);
  return payload;
}

/** Hands on `payload` jobs that never end. */
export function fanForever(payload: number, context: JobContext): number {
  for (let i = 0; i < payload; i++) context.handOn("forever", i);
  return payload;
}

/** Hands on a job that hands on a job, and so on, `payload` deep. */
export function chain(payload: number, context: JobContext): number {
  if (payload > 0) context.handOn("chain", payload - 1);
  return payload;
}

/** Hands on what cannot be handed on, and gives the codes of the refusals it saw. */
export function handOnWrongly(_payload: unknown, context: JobContext): readonly string[] {
  const attempts: readonly [string, unknown][] = [
    ["echo", () => 1],
    ["echo", new SharedArrayBuffer(8)],
    ["nothing", 1],
    ["no spaces", 1],
  ];
  return attempts.map(([entry, payload]) => {
    try {
      return context.handOn(entry, payload);
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  });
}
