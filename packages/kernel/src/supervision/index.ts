/** Supervision: exit reasons, notices, links, monitors and names. */
export {
  BadChildSpecError,
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
export { NAME_LENGTH, NAME_LIMIT, PUBLISHED } from "./names.ts";
export { type Down, type ExitNotice, isDown, isExitNotice, type MonitorId, NOTICE_LIMIT } from "./notice.ts";
export { RELATION_LIMIT } from "./relations.ts";
export { TASK_RIGHTS, type TaskByHandle, type TaskTarget } from "./task-capability.ts";
