/**
 * The Glia kernel: tasks as generators, syscalls with capabilities, bounded mailboxes, priorities and timers, in one process and
 * without input or output of its own.
 */
export { type Call, isCall } from "./call.ts";
export type { Handle } from "./capability-table.ts";
export type { HandleDump, KernelDump, TaskDump } from "./dump.ts";
export {
  BadDurationError,
  BadOptionError,
  BadSelectError,
  BadTransitionError,
  BadYieldError,
  CallTimeoutError,
  CapabilitySpaceFullError,
  DeadHandleError,
  DoubleReplyError,
  LateReplyError,
  MailboxClosedError,
  MailboxFullError,
  MessageDroppedError,
  MissingRightError,
  NotACallError,
  NotAProgramError,
  NotParentError,
  OperationNotUsedError,
  OperationReusedError,
  OutsideTaskError,
  ReentrantSliceError,
  ShuttingDownError,
  TaskCancelledError,
  TaskKilledError,
  ThrewNonErrorError,
  TooManyTasksError,
  UnknownTaskError,
  WaitOnSelfError,
  WrongObjectError,
} from "./errors.ts";
export type { Settle, Start } from "./external.ts";
export {
  createKernel,
  type Delivery,
  type Kernel,
  type KernelOptions,
  type ShutdownState,
} from "./kernel.ts";
export type { MailboxOptions, Overflow } from "./mailbox.ts";
export type { Operation, Park, Program, Routine } from "./operation.ts";
export { type JournalEntry, MemoryJournal, type OutcomeJournal } from "./outcome-journal.ts";
export type { Priority } from "./ready-queue.ts";
export type { TaskObserver, UnobservedFailure } from "./scheduler.ts";
export type { KernelCounters } from "./seam.ts";
export type { Gift, SpawnOptions } from "./spawn.ts";
export type { Selected, Sys } from "./sys.ts";
export type { Exit, TaskId, TaskState } from "./task.ts";
export type { TraceRecord } from "./trace-ring.ts";
export { after, endOf, keyOf, receiveFrom, signalOf, type Wait } from "./wait.ts";
