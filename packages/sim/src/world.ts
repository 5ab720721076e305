/** What a scenario sets up: one kernel on virtual time, its clock, named random sources and pipes. */
import type { Random } from "@glia-os/abi/ports";
import type { Kernel, Program, SpawnOptions, TaskId } from "@glia-os/kernel";
import type { NodeClock } from "./node-clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The world of one run. */
export interface World {
  /** The kernel. Run by the simulator only: do not call `runSlice`. */
  readonly kernel: Kernel;
  /** True time. What happens from outside is scheduled here. */
  readonly time: VirtualTime;
  /** The clock the kernel reads. Its wall time can be stepped and its drift changed while the program runs. */
  readonly clock: NodeClock;
  /** A random source of the seed. Fork it by name, so that a new consumer disturbs no other. */
  readonly random: Random;
  /** Make a task: `kernel.spawn`. */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId;
  /**
   * The program of a pipe between two mailboxes, whose messages the faults of the run may drop, double or delay. Spawn it with
   * `give: [from, to]`. The run counts as ended when only pipes live. One pipe per name.
   */
  pipe(name: string): Program<never>;
}

/** Sets a world up and returns what checks need to see at the end. Called once per run: what it makes is fresh. */
export type Scenario<State = unknown> = (world: World) => State;
