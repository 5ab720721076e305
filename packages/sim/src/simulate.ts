/**
 * Runs a whole kernel program on virtual time, from a seed.
 *
 * SI1. Everything that can differ between two runs comes from the seed and the faults: the order of ready tasks, random numbers, time.
 *      So the same program, seed and options give the same trace hash, on every engine.
 * SI2. Time passes only while no task is ready, and then jumps to the next timer.
 * SI3. A run ends: when no task lives, when nothing can happen any more, or at a limit.
 */
import type { Logger, Meter, Random } from "@glia-os/abi/ports";
import { SeededRandom } from "@glia-os/abi/testing";
import {
  createKernel,
  type Exit,
  type Kernel,
  type KernelDump,
  type KernelOptions,
  type Program,
  type SpawnOptions,
  type TaskId,
} from "@glia-os/kernel";
import { NeedsMicrotasksError } from "@glia-os/kernel/face";
import { CrashPoints } from "./crash-points.ts";
import { BadOptionError, BadScenarioError } from "./errors.ts";
import { type Fault, type FaultMenu, FaultPlan } from "./fault.ts";
import { finite, KEPT_EVENTS, LIMIT_MAX, STEPS_MAX, VIRTUAL_MS_MAX, whole } from "./limits.ts";
import type { MachineProcess } from "./machines/machine.ts";
import type { MachinesSimulation } from "./machines/machine-run.ts";
import {
  type SimulateMachinesOptions,
  simulateMachines,
  simulateMachinesAsync,
} from "./machines/simulate-machines.ts";
import { NodeClock, type NodeClockOptions } from "./node-clock.ts";
import { pipeProgram } from "./pipe.ts";
import { Recorder } from "./recorder.ts";
import { TaskLogs } from "./task-logs.ts";
import type { TraceEvent } from "./trace-event.ts";
import { VirtualTime } from "./virtual-time.ts";
import type { Scenario, World } from "./world.ts";

/** Options of a kernel that a simulation leaves free. */
export type SimulatedKernelOptions = Pick<
  KernelOptions,
  "taskLimit" | "handleLimit" | "turnSyscalls" | "agingSwitches" | "traceRecords"
>;

/** How a run is made. */
export interface SimulateOptions {
  /** `fifo` (default): ready tasks run in the kernel's order. `seeded`: the seed picks among those of one priority. */
  readonly order?: "fifo" | "seeded";
  /** Faults to inject, by place. */
  readonly faults?: readonly Fault[];
  /** Faults to draw from the seed besides. */
  readonly menu?: FaultMenu;
  /** True time after which the run is ended, in milliseconds: 0 to 9e12; default one hour. */
  readonly virtualMsMax?: number;
  /** Events after which the run is ended: 1 to 9e12; default 1,000,000. */
  readonly stepsMax?: number;
  /** Events to keep in the result, from the first: 0 (default) to 200,000. */
  readonly keepEvents?: number;
  /** Whether to write a log per task (`TaskLogs`); default no. */
  readonly taskLogs?: boolean;
  /** The kernel's clock. */
  readonly clock?: NodeClockOptions;
  readonly kernel?: SimulatedKernelOptions;
  readonly logger?: Logger;
  readonly meter?: Meter;
}

/** How a run ended: no task lives; tasks live that nothing will wake; a limit was reached. */
export type SimulationOutcome = "ended" | "stuck" | "time-limit" | "step-limit";

/** What a run left behind. */
export interface Simulation<State = unknown> {
  readonly seed: number | string;
  readonly outcome: SimulationOutcome;
  /** 64 bits over every syscall, outcome, change of state and end, as 16 hexadecimal digits (`Fnv1a64`). */
  readonly traceHash: string;
  /** Events that went into the hash. */
  readonly steps: number;
  /** True time that passed. */
  readonly virtualMs: number;
  /** The kernel at the end. */
  readonly dump: KernelDump;
  /** What the scenario returned; of a program, undefined. */
  readonly state: State;
  /** How tasks ended, by path. A program's own path is `/0`. */
  readonly exits: ReadonlyMap<string, Exit>;
  /** Syscalls each task made, by path: the places where a kill can strike. */
  readonly calls: ReadonlyMap<string, number>;
  /** Faults that happened. With this list as `faults`, without a menu, the seed gives the same run. */
  readonly faults: readonly Fault[];
  /** Faults that were asked for and whose place the run did not reach. */
  readonly missed: readonly Fault[];
  /** The first events, when `keepEvents` asked for them. */
  readonly events: readonly TraceEvent[];
  /** What each task did and got, by path, when `taskLogs` asked for it. */
  readonly logs: ReadonlyMap<string, string>;
}

const GENERATOR_FUNCTION: unknown = Object.getPrototypeOf(function* () {});

/**
 * Run one program on many machines (`machines/simulate-machines.ts`): processes with clocks, disks and a network between them, and faults.
 * @throws {BadOptionError} {BadFaultError} {BadScenarioError} {UnknownScenarioError}
 */
export function simulate<Message, Process extends MachineProcess<Message>>(
  options: SimulateMachinesOptions<Message, Process>,
): MachinesSimulation<Process>;
/**
 * Run a program, or the world a scenario sets up, to its end or a limit. A task that computes without syscalls cannot be stopped, and async
 * programs are refused: `simulateAsync` runs them.
 * At a limit the tasks that live are dropped: their `finally` blocks do not run.
 * @throws {BadScenarioError} {BadOptionError} {BadFaultError}, and what the scenario throws.
 */
export function simulate<State = undefined>(
  seed: number | string,
  scenario: Program | Scenario<State>,
  options?: SimulateOptions,
): Simulation<State>;
export function simulate<State>(
  seed: number | string | SimulateMachinesOptions<unknown, MachineProcess>,
  scenario?: Program | Scenario<State>,
  options: SimulateOptions = {},
): Simulation<State> | MachinesSimulation<MachineProcess> {
  if (typeof seed === "object") return simulateMachines(seed);
  return simulateKernel(seed, scenario as Scenario<State>, options);
}

function simulateKernel<State>(
  seed: number | string,
  scenario: Program | Scenario<State>,
  options: SimulateOptions,
): Simulation<State> {
  const { run, state } = begin<State>(seed, scenario, options);
  for (;;) {
    const next = run.step();
    // This is one call: it lets no microtask run, so it cannot run async programs.
    if (next === "microtasks") throw new NeedsMicrotasksError();
    if (next !== "again") return { seed, outcome: next, ...run.results(), state };
  }
}

function isProgram(scenario: unknown): scenario is Program {
  return Object.getPrototypeOf(scenario) === GENERATOR_FUNCTION;
}

/** Lets every microtask run, and nothing else. On Node: `() => new Promise((done) => queueMicrotask(() => process.nextTick(done)))`. */
export type MicrotaskTurn = () => Promise<unknown>;

/** Machines whose programs use promises: after every event, `turn` lets microtasks run. @throws as `simulate`, when it is awaited. */
export function simulateAsync<Message, Process extends MachineProcess<Message>>(
  options: SimulateMachinesOptions<Message, Process>,
  turn: MicrotaskTurn,
): Promise<MachinesSimulation<Process>>;
/**
 * The same for scenarios whose tasks are async programs too (`@glia-os/kernel/face`): between two slices in which one has control, `turn` lets
 * it go on. The hash depends on it no more than on the size of slices; an async program that awaits what is no syscall fails with
 * `kernel.foreign-await` whatever that promise does. A run must end before another on the same `turn` begins.
 * @throws as `simulate`, when it is awaited.
 */
export function simulateAsync<State = undefined>(
  seed: number | string,
  scenario: Program | Scenario<State>,
  turn: MicrotaskTurn,
  options?: SimulateOptions,
): Promise<Simulation<State>>;
export async function simulateAsync<State>(
  seed: number | string | SimulateMachinesOptions<unknown, MachineProcess>,
  scenario: Program | Scenario<State> | MicrotaskTurn,
  turn?: MicrotaskTurn,
  options: SimulateOptions = {},
): Promise<Simulation<State> | MachinesSimulation<MachineProcess>> {
  if (typeof seed === "object") return simulateMachinesAsync(seed, scenario as MicrotaskTurn);
  return simulateKernelAsync(seed, scenario as Scenario<State>, { ...options, turn: turn as MicrotaskTurn });
}

async function simulateKernelAsync<State>(
  seed: number | string,
  scenario: Program | Scenario<State>,
  { turn, ...options }: SimulateOptions & { readonly turn: MicrotaskTurn },
): Promise<Simulation<State>> {
  const { run, state } = begin<State>(seed, scenario, options);
  for (;;) {
    const next = run.step();
    if (next === "microtasks") await turn();
    else if (next !== "again") return { seed, outcome: next, ...run.results(), state };
  }
}

function begin<State>(
  seed: number | string,
  scenario: Program | Scenario<State>,
  options: SimulateOptions,
): { readonly run: Run; readonly state: State } {
  if (typeof scenario !== "function") throw new BadScenarioError(scenario);
  if (typeof seed !== "string") finite("seed", seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const run = new Run(new SeededRandom(seed), options);
  const state = isProgram(scenario) ? void run.world.spawn(scenario) : scenario(run.world);
  return { run, state: state as State };
}

/** One run. */
class Run {
  readonly world: World;
  readonly #kernel: Kernel;
  readonly #time: VirtualTime = new VirtualTime();
  readonly #clock: NodeClock;
  readonly #recorder: Recorder;
  readonly #crashes: CrashPoints;
  readonly #plan: FaultPlan;
  readonly #logs: TaskLogs | null;
  readonly #exits = new Map<string, Exit>();
  readonly #pipes = new Set<string>();
  #livePipes = 0;
  readonly #virtualMsMax: number;
  readonly #stepsMax: number;

  constructor(random: Random, options: SimulateOptions) {
    this.#virtualMsMax = finite("virtualMsMax", options.virtualMsMax ?? VIRTUAL_MS_MAX, 0, LIMIT_MAX);
    this.#stepsMax = whole("stepsMax", options.stepsMax ?? STEPS_MAX, 1, LIMIT_MAX);
    this.#clock = new NodeClock(this.#time, options.clock);
    this.#logs = options.taskLogs === true ? new TaskLogs(this.#time) : null;
    this.#plan = new FaultPlan(options.faults ?? [], options.menu, random.fork("faults"));
    const recorder = new Recorder({
      time: this.#time,
      pathOf: (task) => this.#kernel.pathOf(task),
      keep: whole("keepEvents", options.keepEvents ?? 0, 0, KEPT_EVENTS),
      logs: this.#logs,
    });
    this.#recorder = recorder;
    this.#kernel = createKernel({
      ...options.kernel,
      ...portsOf(options),
      clock: this.#clock,
      random: random.fork("kernel"),
      timers: "heap",
      observer: recorder,
      tracer: recorder,
      journal: recorder,
      ...orderOf(options.order ?? "fifo", random.fork("order")),
    });
    const setup = { kernel: this.#kernel, recorder, plan: this.#plan, stepsMax: this.#stepsMax };
    this.#crashes = new CrashPoints(setup);
    this.world = this.#worldOf(random.fork("world"));
  }

  /** Run one slice, or let time pass. `microtasks`: an async program has control. Else how the run ended (SI3), or that it goes on. */
  step(): SimulationOutcome | "again" | "microtasks" {
    const more = this.#kernel.runSlice(1);
    this.#settle();
    if (this.#recorder.steps >= this.#stepsMax) return "step-limit";
    if (more === "microtasks") return more;
    if (this.#crashes.strike() || more === "more") return "again";
    return this.#pass() ?? "again";
  }

  results(): Omit<Simulation, "seed" | "outcome" | "state"> {
    const { traceHash, steps, events } = this.#recorder;
    return {
      traceHash,
      steps,
      virtualMs: this.#time.nowMs,
      dump: this.#kernel.dumpState(),
      exits: this.#exits,
      calls: this.#crashes.calls,
      faults: this.#plan.applied,
      missed: this.#plan.missed,
      events,
      logs: this.#logs?.texts() ?? new Map(),
    };
  }

  /** Nothing is ready: let time pass to the next timer (SI2). */
  #pass(): SimulationOutcome | null {
    const deadline = this.#kernel.nextDeadlineMs();
    const due = deadline === undefined ? Number.POSITIVE_INFINITY : this.#clock.trueMsOf(deadline);
    const next = Math.min(due, this.#time.nextMs);
    if (next === Number.POSITIVE_INFINITY)
      return this.#kernel.liveTasks <= this.#livePipes ? "ended" : "stuck";
    const late = next > this.#virtualMsMax;
    this.#time.advanceTo(late ? this.#virtualMsMax : next);
    this.#settle();
    return late ? "time-limit" : null;
  }

  #settle(): void {
    for (const [id, path, exit] of this.#recorder.ends((task) => this.#kernel.exitOf(task))) {
      this.#crashes.ended(id);
      this.#exits.set(path, exit);
    }
  }

  #worldOf(random: Random): World {
    const kernel = this.#kernel;
    const spawn = <Result>(program: Program<Result>, options?: SpawnOptions): TaskId =>
      this.#crashes.spawn((watched, given) => kernel.spawn(watched, given), program, options);
    const watched = new Proxy(kernel, {
      get: (target, key) => {
        if (key === "spawn") return spawn;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const pipe = (name: string): Program<never> => this.#pipe(name);
    return { kernel: watched, time: this.#time, clock: this.#clock, random, spawn, pipe };
  }

  #pipe(name: string): Program<never> {
    if (this.#pipes.has(name))
      throw new BadOptionError("the name of a pipe", name, "one that no other pipe has");
    this.#pipes.add(name);
    const program = pipeProgram(name, this.#plan);
    const run = this;
    return function* (sys, ...given) {
      run.#livePipes++;
      try {
        return yield* program(sys, ...given);
      } finally {
        run.#livePipes--;
      }
    };
  }
}

function portsOf({ logger, meter }: SimulateOptions): Pick<KernelOptions, "logger" | "meter"> {
  return { ...(logger === undefined ? {} : { logger }), ...(meter === undefined ? {} : { meter }) };
}

function orderOf(order: "fifo" | "seeded", random: Random): Pick<KernelOptions, "choose"> {
  if (order === "fifo") return {};
  if (order === "seeded") return { choose: (ready) => random.uint32() % ready };
  throw new BadOptionError("order", order, "fifo or seeded");
}
