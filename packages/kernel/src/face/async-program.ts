/** Programs written as async functions: `kernel.spawn(asyncProgram(async (sys) => { await sys.sleep(5); }))`. */
import { Door } from "../door.ts";
import { BadOptionError, NotAProgramError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { Program, Sys } from "../sys.ts";
import { TaskSys } from "../task-sys.ts";
import { AsyncRoutine } from "./async-routine.ts";
import type { AsyncSys } from "./async-sys.ts";

/** An async function as a program: every `await` of it is a syscall of its `sys`. */
export type AsyncBody<Result = unknown> = {
  // A method's parameters are compared both ways, so a program may name the message types of the handles it expects.
  run(sys: AsyncSys, ...given: Handle[]): Promise<Result>;
}["run"];

/** The syscalls of one async task; its methods are made below, one for each of the kernel's own. */
class AsyncTaskSys {
  readonly routine: AsyncRoutine;

  constructor(routine: AsyncRoutine) {
    this.routine = routine;
  }

  run(part: (sys: Sys) => Routine<unknown>): Promise<unknown> {
    return this.routine.part(part);
  }
}

for (
  let made: object = TaskSys.prototype;
  made !== Object.prototype;
  made = Object.getPrototypeOf(made) as object
) {
  for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(made)))
    if (!(name in AsyncTaskSys.prototype))
      Object.defineProperty(AsyncTaskSys.prototype, name, face(name, get));
}

/** The method or property of an async task that stands for one of the kernel's. */
function face(name: string, get: (() => unknown) | undefined): PropertyDescriptor & ThisType<AsyncTaskSys> {
  if (get === undefined)
    return {
      value(...args: unknown[]): unknown {
        return this.routine.syscall(name, args);
      },
    };
  return {
    get(): unknown {
      return this.routine.property(name);
    },
  };
}

/**
 * A program from an async function. The shell of its kernel must answer "microtasks" of `runSlice` with a turn of its event loop, as
 * `runKernel` of `@glia-os/host` does. @throws {NotAProgramError}
 */
export function asyncProgram<Result>(body: AsyncBody<Result>): Program<Result> {
  if (typeof body !== "function") throw new NotAProgramError(body);
  return (sys, ...given) => {
    const scheduler = Door.open(sys);
    if (scheduler === undefined) throw new BadOptionError("sys", typeof sys, "the one that a kernel made");
    const start = (routine: AsyncRoutine): Promise<unknown> =>
      body(new AsyncTaskSys(routine) as unknown as AsyncSys, ...given);
    return new AsyncRoutine(scheduler, sys, start) as unknown as Routine<Result>;
  };
}
