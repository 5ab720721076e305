/** What a scheduler is made with, and what it reports that nobody in the kernel hears. */
import type { Clock, Logger, Random } from "@glia-os/abi/ports";
import type { Account } from "./budget/account.ts";
import type { Choose } from "./chosen-order.ts";
import type { Task, TaskId } from "./task.ts";
import type { TimerQueue } from "./timer-wheel/timer-queue.ts";

/** A task that failed while nobody waited for its end. */
export interface UnobservedFailure {
  readonly task: TaskId;
  readonly path: string;
  readonly name: string;
  readonly error: unknown;
}

/** What the scheduler is made with. */
export interface SchedulerSetup {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger | null;
  readonly choose: Choose | null;
  readonly account: Account;
  readonly timers: TimerQueue<Task>;
  readonly taskLimit: number;
  readonly endedLimit: number;
  readonly handleLimit: number;
  readonly turnSyscalls: number;
  readonly agingSwitches: number;
}
