/** A thousand durable executions at once, each of five steps: the workload of the engines beside ours. */
import type { Contestant } from "../../src/suite.ts";

/** Executions at once. */
export const EXECUTIONS = 1_000;
/** Steps of each. */
export const STEPS = 5;

/** Steps per second of `start`, which resolves when the execution of this name has ended. */
export function crowd(start: (name: string) => Promise<unknown>, close: () => Promise<void>): Contestant {
  let round = 0;
  return {
    async value() {
      round += 1;
      const begin = performance.now();
      const names = Array.from({ length: EXECUTIONS }, (_, i) => `${process.pid}-${round}-${i}`);
      await Promise.all(names.map((name) => start(name)));
      return (EXECUTIONS * STEPS) / ((performance.now() - begin) / 1_000);
    },
    close,
  };
}
