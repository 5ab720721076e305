/** Strict mode: what a task takes from its surroundings besides syscalls is refused while it runs. */
import type { LogFields, Logger, LogLevel } from "@glia-os/abi/ports";

/** Watches the sources of time, randomness and network of the language. `createAmbientGuard` of `@glia-os/hal` is one. */
export interface AmbientGuard {
  /** Perform a turn. While it lasts, whatever is used besides syscalls is handed to `refuse`, in words; that throws. */
  during<Result>(turn: () => Result, refuse: (what: string) => never): Result;
  /** Perform something that is no part of the turn during which it is called. */
  outside<Result>(act: () => Result): Result;
}

/** A logger whose lines are written outside the turn that logs them: it may read clocks. */
export function loggerOutside(logger: Logger, guard: AmbientGuard | undefined): Logger {
  if (guard === undefined) return logger;
  return {
    log: (level: LogLevel, message: string, fields?: LogFields) =>
      guard.outside(() => logger.log(level, message, fields)),
    child: (fields: LogFields) =>
      loggerOutside(
        guard.outside(() => logger.child(fields)),
        guard,
      ),
  };
}
