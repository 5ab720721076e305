/** The kernel of a program, put together from the options of `glia run`. */
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createLogger, createWatchdog, type RunningKernel, runKernel } from "@glia-os/host";
import {
  Budget,
  createKernel,
  type Kernel,
  type KernelDump,
  type Program,
  type SpawnOptions,
  type TaskId,
} from "@glia-os/kernel";
import type { Terminal } from "../terminal/terminal.ts";
import { TaskLines } from "./task-lines.ts";
import { THREADS, threadsService } from "./threads.ts";

/** A task that holds the loop this long is named on standard error. */
const HOG_MS = 1000;
/** Syscalls per turn under a quantum: turns are timed as a whole, so short ones keep to the quantum more closely. */
const QUANTUM_TURN = 8;

/** What the options say. */
export interface MachineSettings {
  /** Worker threads for the jobs of the program. */
  readonly threads: number;
  /** Milliseconds a task may run in every two such stretches; undefined without a limit. */
  readonly quantumMs: number | undefined;
  /** 0, 1 (`-v`) or 2 (`-vv`). */
  readonly verbosity: number;
}

/** A program's kernel with its services. */
export interface Machine {
  readonly kernel: Kernel;
  readonly running: RunningKernel;
  /** Start what serves the program's jobs; the program is spawned first, so that its paths depend on nothing else. */
  serveThreads(): void;
  /** Start another service. */
  serve(program: Program, options: SpawnOptions): void;
  /** The state of the program: the kernel's without the services. */
  state(): KernelDump;
  /** What each task of the program may use; undefined without a quantum. */
  readonly budget: Budget | undefined;
  /** End threads and watchdog; the tasks have ended before. */
  close(): Promise<void>;
}

/** Make the kernel and run it; `module` holds the functions its threads may run. */
export function startMachine(module: URL, settings: MachineSettings, terminal: Terminal): Machine {
  const { threads, quantumMs, verbosity } = settings;
  const clock = createSystemClock();
  const services = new Set<TaskId>();
  const lines = new TaskLines((line) => terminal.note(line), services);
  const watchdog = createWatchdog({
    limitMs: HOG_MS,
    stderr: true,
    advice: `Ctrl-C works once it lets go; kill -9 ${process.pid} ends the process now`,
    ...(verbosity > 0 ? { next: lines } : {}),
  });
  const logger = createLogger({
    sink: { write: (text) => terminal.note(text.trimEnd()) },
    clock,
    format: "pretty",
    level: verbosity > 0 ? "trace" : "info",
  });
  const kernel = createKernel({
    clock,
    random: createSystemRandom(),
    logger,
    timers: "wheel",
    observer: watchdog.observer,
    ...(verbosity > 1 ? { tracer: lines } : {}),
    ...(quantumMs === undefined ? {} : { turnSyscalls: QUANTUM_TURN }),
  });
  lines.attach(kernel);
  const running = runKernel(kernel, { timers: createSystemTimers(), logger });
  const service = threadsService(module, threads);
  const serve = (program: Program, options: SpawnOptions): void => {
    services.add(running.serve(program, options));
  };
  watchdog.watch(kernel);
  const budget =
    quantumMs === undefined
      ? undefined
      : new Budget({ cpuMs: quantumMs, periodMs: 2 * quantumMs, each: true });
  return {
    kernel,
    running,
    serveThreads: () => serve(service.program, { name: THREADS, priority: "system" }),
    serve,
    state: () => without(services, kernel.dumpState()),
    budget,
    close: async () => void (await Promise.all([service.close(), watchdog.stop()])),
  };
}

/** A dump without some tasks, as if they had never been. */
function without(hidden: ReadonlySet<number>, dump: KernelDump): KernelDump {
  const { counters } = dump;
  return {
    ...dump,
    tasks: dump.tasks.filter(({ id }) => !hidden.has(id)),
    counters: { ...counters, spawned: counters.spawned - hidden.size },
  };
}
