/**
 * Supervision on the kernel's links, monitors and names, with OTP's vocabulary and semantics: servers, supervisors, exit reasons.
 */
export { type Backoff, backoffMs } from "./backoff.ts";
export type { ChildState } from "./child.ts";
export {
  type AutoShutdown,
  type ChildOptions,
  type ChildSpec,
  type RestartKind,
  type ShutdownTime,
  type Started,
  type Strategy,
  type SupervisorOptions,
  taskChild,
} from "./child-spec.ts";
export {
  BadChildSpecError,
  BadRestartChoiceError,
  BadServerResultError,
  ChildStateError,
  DeadlockError,
  ExitError,
  NameTakenError,
  NoHandlerError,
  NotNameOwnerError,
  RelationLimitError,
  RepeatedFailureError,
  ServerEndedError,
  StartFailedError,
  TooManyChildrenError,
  UnknownChildError,
  UnknownNameError,
} from "./errors.ts";
export { errorReason, exitReason, isExpected, isShutdown, type ShutdownReason } from "./exit-reason.ts";
export type { MonitorId } from "./monitor-id.ts";
export { NAME_LENGTH, NAME_LIMIT, PUBLISHED } from "./names.ts";
export { type Down, type ExitNotice, isDown, isExitNotice, NOTICE_LIMIT } from "./notice.ts";
export { RELATION_LIMIT } from "./relations.ts";
export {
  type ChildFailure,
  checkedChoice,
  type RestartAnswer,
  type RestartChoice,
} from "./restart-choice.ts";
export { replyTo, type ServerDefinition, server } from "./server.ts";
export {
  call,
  cast,
  type ServerHandle,
  type ServerRef,
  type StartOptions,
  startServer,
} from "./server-client.ts";
export {
  type CallResult,
  type CastResult,
  NoReply,
  noReply,
  Reply,
  reply,
  Stop,
  stop,
  stopWith,
} from "./server-result.ts";
export { supervisor } from "./supervisor.ts";
export {
  childHandle,
  countChildren,
  deleteChild,
  restartChild,
  type SupervisorRef,
  serverChild,
  startChild,
  startDynamicChild,
  startSupervisor,
  supervisorChild,
  terminateChild,
  whichChildren,
} from "./supervisor-client.ts";
export type { ChildCounts, ChildFacts, ChildKey, StartedChild } from "./supervisor-request.ts";
export { TASK_RIGHTS, type TaskByHandle, type TaskTarget } from "./task-capability.ts";
