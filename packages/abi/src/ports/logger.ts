/** Structured logging as a port. */

/** Severity, least first. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Facts attached to a log line: plain data. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where log lines go. Must not throw and must not block. */
export interface Logger {
  /** Write one line. `message` is constant text; what varies goes into `fields`. */
  log(level: LogLevel, message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}
