/** Other faces of a task: async functions, reactors, and scopes that end their children. */
export { type AsyncBody, asyncProgram } from "./async-program.ts";
export type { AsyncSys, WaitingSyscall } from "./async-sys.ts";
export {
  FAILURES_KEPT,
  ForeignAwaitError,
  NeedsMicrotasksError,
  NotAwaitedError,
  NotScopeOwnerError,
  ReactorBlockedError,
  ScopeClosedError,
  ScopeFailedError,
} from "./errors.ts";
