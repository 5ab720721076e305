/** NumPy with one thread, in Python: `../python/numpy_ops.py`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";

const program = join(import.meta.dirname, "../python/numpy_ops.py");
const ONE = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };

/** A workload of that program; undefined where there is no NumPy. */
export function numpy(workload: string): ContestantFactory {
  return async () => {
    const child = spawn("python3", [program, workload], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, ...ONE },
    });
    child.on("error", () => undefined);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if ((await lines.next()).value !== "value") return undefined;
    const value = async (): Promise<number> => {
      child.stdin.write("value\n");
      const sample = Number((await lines.next()).value);
      if (!Number.isFinite(sample)) throw new RangeError(`numpy_ops.py did not answer ${workload}`);
      return sample;
    };
    const contestant: Contestant = { value, close: () => void child.stdin.end() };
    return contestant;
  };
}
