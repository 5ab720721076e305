/** Two processes that each compute on their own at the same time, with no thing in common but the machine. */

import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { ours } from "../own-process.ts";

/** Microseconds of one operation of `workload` when two processes do it at once, each with half of the operations. */
export function twoProcesses(workload: string, module: string): ContestantFactory {
  return async (): Promise<Contestant> => {
    const both = await Promise.all([ours(workload, module)(), ours(workload, module)()]);
    return {
      value: async () => {
        const [a = 0, b = 0] = await Promise.all(both.map(async (one) => one.value!()));
        return 1 / (1 / a + 1 / b);
      },
      close: async () => {
        for (const one of both) await one.close?.();
      },
    };
  };
}
