/**
 * Resonate with its default: the SDK alone, whose store is in the memory of the process. It flushes nothing, so nothing survives; its server,
 * which does, is not on npm.
 */
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { crowd, STEPS } from "./crowd.ts";

interface Context {
  run(step: () => number): Generator<unknown, number>;
}

interface Resonate {
  register(name: string, program: (context: Context) => Generator<unknown, number>): void;
  run(id: string, name: string): Promise<unknown>;
  stop(): Promise<void>;
}

async function start(): Promise<Contestant | undefined> {
  const name = "@resonatehq/sdk";
  const sdk = (await import(name).catch(() => undefined)) as { Resonate: new () => Resonate } | undefined;
  if (sdk === undefined) return undefined;
  const resonate = new sdk.Resonate();
  resonate.register("steps", function* (context) {
    let sum = 0;
    for (let i = 0; i < STEPS; i++) sum += yield* context.run(() => i);
    return sum;
  });
  return crowd(
    (id) => resonate.run(id, "steps"),
    () => resonate.stop(),
  );
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = { steps: start };
