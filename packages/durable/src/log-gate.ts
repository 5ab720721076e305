/** What tasks log, held back while they only repeat what they logged before. */
import type { LogFields, Logger, LogLevel } from "@glia-os/abi/ports";

/** A logger that says nothing until it is opened. */
export class LogGate implements Logger {
  readonly #logger: Logger | undefined;
  readonly #parent: LogGate | undefined;
  #open = false;

  constructor(logger: Logger | undefined, parent?: LogGate) {
    this.#logger = logger;
    this.#parent = parent;
  }

  /** From now on lines go through. */
  open(): void {
    this.#open = true;
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    if (this.isOpen) this.#logger?.log(level, message, fields);
  }

  child(fields: LogFields): Logger {
    return new LogGate(this.#logger?.child(fields), this);
  }

  /** Whether lines go through, here or because the logger it came from was opened. */
  get isOpen(): boolean {
    return this.#open || (this.#parent?.isOpen ?? false);
  }
}
