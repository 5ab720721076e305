/**
 * The Glia kernel: tasks as generators, syscalls with capabilities, bounded mailboxes, priorities and timers, in one process and
 * without input or output of its own.
 */
export { Account, type AccountDump, type AccountOptions, Reservation } from "./budget/account.ts";
export type { AmountKind, Amounts, Cost } from "./budget/amounts.ts";
export { AccountClosedError, AccountExhaustedError } from "./budget/errors.ts";
export type { ServiceMeter } from "./budget/service-meter.ts";
export { type Call, isCall } from "./call.ts";
export { Checkpoint } from "./checkpoint.ts";
export type { Choose } from "./chosen-order.ts";
export { createKernel } from "./create-kernel.ts";
export type { HandleDump, KernelDump, QueueDump, TaskDump } from "./dump.ts";
export type { Settle, Start } from "./effect.ts";
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
  ResourceClosedError,
  ShuttingDownError,
  TaskCancelledError,
  TaskKilledError,
  ThrewNonErrorError,
  TooManyTasksError,
  UnknownTaskError,
  WaitOnSelfError,
  WrongObjectError,
} from "./errors.ts";
export { Budget, type BudgetOptions, type Spending } from "./fair-share/budget.ts";
export { ShareGroup, type ShareRequest } from "./fair-share/share-group.ts";
export type { Handle } from "./handle.ts";
export type { Delivery, Kernel, KernelOptions, ShutdownState, SliceEnd } from "./kernel.ts";
export type { MailboxOptions, Overflow } from "./mailbox.ts";
export type { CurrentTask } from "./observe/current-task.ts";
export type { TaskObserver } from "./observe/task-observer.ts";
export type { MeasureOptions } from "./observe/task-times.ts";
export type { SyscallRecord as TraceRecord } from "./observe/trace-image.ts";
export type { Operation, Park, Routine } from "./operation.ts";
export { type JournalEntry, MemoryJournal, type OutcomeJournal } from "./outcome-journal.ts";
export type { Priority } from "./ready-queue.ts";
export type { Device, Resource } from "./resources/resource.ts";
export type { UnobservedFailure } from "./scheduler-setup.ts";
export type { KernelCounters } from "./seam.ts";
export type { Gift, Program, Selected, SpawnOptions, Sys } from "./sys.ts";
export type { Exit, TaskId, TaskState } from "./task.ts";
export type { SyscallTracer } from "./traced-syscalls.ts";
export {
  after,
  endOf,
  keyOf,
  readableOf,
  receiveFrom,
  signalOf,
  type Wait,
  writableOf,
} from "./wait.ts";
