/** Log lines of a node's threads, on their way to the main thread. */
import type { LogFields, Logger, LogLevel } from "@glia-os/abi/ports";

/** Takes a line of a thread. */
export type LogLine = (level: LogLevel, message: string, fields: LogFields) => void;

/** A logger that hands each line to `write`, with `fields` added. */
export function threadLogger(write: LogLine, fields: LogFields = {}): Logger {
  return {
    log: (level, message, more) => write(level, message, { ...fields, ...more }),
    child: (more) => threadLogger(write, { ...fields, ...more }),
  };
}
