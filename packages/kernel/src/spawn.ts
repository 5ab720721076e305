/** Making tasks, for tasks and for the shell. */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { parseTraceparent } from "@glia-os/abi/wire";
import { Account, type AccountOptions } from "./budget/account.ts";
import { BadOptionError } from "./errors.ts";
import { allowanceOf } from "./fair-share/budget.ts";
import { membershipOf, Share } from "./fair-share/share-group.ts";
import type { Handle } from "./handle.ts";
import { SPAWN } from "./opcodes.ts";
import { checkOptions } from "./options.ts";
import { LEVELS, type Priority } from "./ready-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import { shown } from "./shown.ts";
import { countSyscalls } from "./supervision/counted-routine.ts";
import type { Gift, Program, SpawnOptions } from "./sys.ts";
import { METERED, type Task } from "./task.ts";

const NO_OPTIONS: SpawnOptions = {};
const NO_HANDLES: readonly Handle[] = [];
const NAME_LIMIT = 128;

/** Make a task. Refusals change nothing. */
export function spawnTask(
  scheduler: Scheduler,
  parent: Task,
  program: Program<unknown>,
  options: SpawnOptions = NO_OPTIONS,
): Task {
  checkOptions("the options of a task", options);
  const level = levelOf(options.priority, parent, scheduler);
  const name = options.name ?? "";
  if (typeof name !== "string" || name.length > NAME_LIMIT)
    throw new BadOptionError("task name", shown(name, 40), `text of at most ${NAME_LIMIT} characters`);
  if (options.traceparent !== undefined && parseTraceparent(options.traceparent) === undefined)
    throw new BadOptionError("traceparent", shown(options.traceparent), "a W3C traceparent");
  const gifts = options.give ?? NO_HANDLES;
  for (let i = 0; i < gifts.length; i++)
    scheduler.seam.authorizeHandle(SPAWN, parent, handleOf(gifts[i]!), RIGHTS.grant);
  const membership = membershipOf(parent.extra?.share ?? null, options.share);
  const allowance = allowanceOf(
    parent.extra?.allowance ?? null,
    options,
    parent === scheduler.shell ? null : scheduler.setup.turnSyscalls,
  );
  const payer = payerOf(parent.extra?.account ?? null, options.account, scheduler);
  const task = scheduler.spawn(program, level, parent);
  try {
    if (payer !== null) {
      task.more().account = payer;
      payer.join();
    }
    if (allowance !== null) {
      const extra = task.more();
      extra.allowance = allowance;
      extra.share = membership === null ? null : new Share(membership, task);
      task.flags |= METERED;
    }
    if (name !== "") task.more().name = name;
    scheduler.launch(task, program, gifts.length === 0 ? NO_HANDLES : giveAll(scheduler, task, gifts));
    if (options.counted === true) countSyscalls(scheduler, task);
  } catch (error) {
    payer?.leave();
    scheduler.unspawn(task);
    throw error;
  }
  const { lives } = scheduler;
  if (lives !== null) lives.spawned(task.id, parent.id, name, options.traceparent);
  return task;
}

/** What a new task pays from: its parent's account, or one below it. Null for the kernel's. */
function payerOf(
  inherited: Account | null,
  asked: AccountOptions | undefined,
  scheduler: Scheduler,
): Account | null {
  if (asked === undefined) return inherited;
  checkOptions("account", asked);
  return new Account(asked, inherited ?? scheduler.setup.account);
}

function levelOf(priority: Priority | undefined, parent: Task, scheduler: Scheduler): number {
  const shell = parent === scheduler.shell;
  if (priority === undefined) return shell ? LEVELS.normal : parent.level;
  const level = Object.hasOwn(LEVELS, priority) ? LEVELS[priority] : -1;
  if (level < 0 || (level === LEVELS.system && !shell && parent.level !== level))
    throw new BadOptionError(
      "priority",
      priority,
      "low, normal, high or critical (system for the shell only)",
    );
  return level;
}

/** Derive what a new task is given. An array literal of one: one that grows has room for seventeen. */
function giveAll(scheduler: Scheduler, task: Task, gifts: readonly Gift[]): readonly Handle[] {
  const { capabilities } = scheduler;
  const first = gifts[0]!;
  const given = [capabilities.derive(handleOf(first), task, rightsOf(first))];
  for (let i = 1; i < gifts.length; i++)
    given.push(capabilities.derive(handleOf(gifts[i]!), task, rightsOf(gifts[i]!)));
  return given;
}

function handleOf(gift: Gift): Handle {
  return typeof gift === "object" && gift !== null ? gift.handle : gift;
}

function rightsOf(gift: Gift): Rights {
  return typeof gift === "object" ? gift.rights : -1;
}
