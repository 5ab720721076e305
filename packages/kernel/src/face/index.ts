/** Other faces of a task: async functions, reactors, and scopes that end their children. */
export { type AsyncBody, asyncProgram } from "./async-program.ts";
export { AsyncScope, openAsyncScope } from "./async-scope.ts";
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
export { type Reactor, reactor, Stop, stop } from "./reactor.ts";
export { openScope, Scope, type ScopeOptions, scoped } from "./scope.ts";
