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
