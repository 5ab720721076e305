/**
 * What the kernel promises of a task, whatever runs its program: a generator, an async function, another thread, another process or a
 * WebAssembly guest. Engines give the three programs; the cases hold for each of them alike.
 *
 * TE1. A program's value is its task's, its failure fails its task, and no other task notices.
 * TE2. Killing, cancelling, deadlines and supervisors end a program that would go on for ever.
 * TE3. Dumps name the task while it lives, and nothing of it is left afterwards.
 */
import type { Kernel } from "../kernel.ts";
import type { Routine } from "../operation.ts";
import { withDeadline } from "../retry/deadline.ts";
import { startSupervisor } from "../supervision/supervisor-client.ts";
import type { Program, SpawnOptions, Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";

/** A kernel that its shell runs. */
export interface RunningTask {
  readonly kernel: Kernel;
  /** How a task ends. */
  exitOf(task: TaskId): Promise<Exit>;
  /** Resolves when the shell has run other work for a moment. */
  pass(): Promise<void>;
}

/** An engine's programs. Each may be spawned many times. */
export interface TaskEngineSubject {
  /** Ends with 7. */
  readonly seven: Program<unknown>;
  /** Fails. */
  readonly fails: Program<unknown>;
  /** Never ends by itself. */
  readonly endless: Program<unknown>;
  /** What its tasks are spawned with besides a name. */
  readonly options?: (sys: Sys | Kernel) => SpawnOptions;
}

/** One promise. `run` gives what is wrong, or undefined. */
export interface TaskEngineCase {
  readonly title: string;
  run(subject: TaskEngineSubject, running: RunningTask): Promise<string | undefined>;
}

/** Every case. A kernel of its own for each. */
export const taskEngineContract: readonly TaskEngineCase[] = [
  {
    title: "a value is the task's",
    async run({ seven, options }, { kernel, exitOf }) {
      return expected(await exitOf(kernel.spawn(seven, options?.(kernel))), "ok", 7);
    },
  },
  {
    title: "twenty at once end, each with its value",
    async run({ seven, options }, { kernel, exitOf }) {
      const tasks = Array.from({ length: 20 }, () => kernel.spawn(seven, options?.(kernel)));
      const wrong = (await Promise.all(tasks.map(exitOf))).map((exit) => expected(exit, "ok", 7));
      return wrong.find((one) => one !== undefined);
    },
  },
  {
    title: "a failure fails its task, and no other",
    async run({ fails, seven, options }, { kernel, exitOf }) {
      const [bad, good] = [kernel.spawn(fails, options?.(kernel)), kernel.spawn(seven, options?.(kernel))];
      return expected(await exitOf(bad), "failed") ?? expected(await exitOf(good), "ok", 7);
    },
  },
  {
    title: "a parent waits for it and learns how it ended",
    async run({ seven, fails, options }, { kernel, exitOf }) {
      const parent = kernel.spawn(function* (sys): Routine<unknown> {
        const ends = [];
        for (const one of [seven, fails]) ends.push((yield* sys.wait(sys.spawn(one, options?.(sys)))).kind);
        return ends.join();
      });
      return expected(await exitOf(parent), "ok", "ok,failed");
    },
  },
  {
    title: "killing ends one that goes on for ever, and the reason is kept",
    async run(subject, running) {
      const task = await started(subject, running);
      running.kernel.kill(task, "enough");
      return expected(await running.exitOf(task), "killed") ?? (await gone(running));
    },
  },
  {
    title: "cancelling ends one that goes on for ever",
    async run(subject, running) {
      const task = await started(subject, running);
      running.kernel.cancel(task, "enough");
      return expected(await running.exitOf(task), "cancelled") ?? (await gone(running));
    },
  },
  {
    title: "a deadline ends one that goes on for ever",
    async run({ endless, options }, running) {
      const root = running.kernel.spawn(function* (sys): Routine<unknown> {
        return yield* withDeadline(sys, 20, endless, options?.(sys) ?? {});
      });
      const exit = await running.exitOf(root);
      const code = exit.kind === "failed" ? (exit.error as { readonly code?: unknown }).code : exit.kind;
      return code === "kernel.deadline-exceeded" ? await gone(running) : `it came to ${String(code)}`;
    },
  },
  {
    title: "a supervisor starts one that fails again, and gives up at its intensity",
    async run({ fails, options }, { kernel, exitOf }) {
      let starts = 0;
      const root = kernel.spawn(function* (sys): Routine<unknown> {
        function* start(its: Sys): Routine<TaskId> {
          starts++;
          return its.spawn(fails, options?.(its));
        }
        const ref = yield* startSupervisor(sys, { intensity: 2, children: [{ id: "one", start }] });
        return (yield* sys.wait(ref.task)).kind;
      });
      await exitOf(root);
      return starts === 3 ? undefined : `it was started ${starts} times, not 3`;
    },
  },
  {
    title: "a dump names it while it lives, and not afterwards",
    async run(subject, running) {
      const { kernel, exitOf } = running;
      const task = await started(subject, running, "subject");
      const named = (): boolean => kernel.dumpState().tasks.some(({ name }) => name === "subject");
      if (!named()) return "the dump does not have it";
      kernel.kill(task);
      await exitOf(task);
      return named() ? "the dump still has it" : undefined;
    },
  },
];

/** An endless task that had its time to begin. */
async function started(
  { endless, options }: TaskEngineSubject,
  { kernel, pass }: RunningTask,
  name = "",
): Promise<TaskId> {
  const task = kernel.spawn(endless, { ...options?.(kernel), name });
  await pass();
  return task;
}

async function gone({ kernel, pass }: RunningTask): Promise<string | undefined> {
  await pass();
  return kernel.liveTasks === 0 ? undefined : `${kernel.liveTasks} tasks live`;
}

function expected(exit: Exit, kind: Exit["kind"], value?: unknown): string | undefined {
  if (exit.kind !== kind) return `it ${exit.kind}, not ${kind}`;
  if (exit.kind === "ok" && exit.value !== value) return `its value is ${String(exit.value)}`;
  return undefined;
}
