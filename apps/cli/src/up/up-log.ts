/**
 * The log of a node: lines on standard error, in the format and from the level that the configuration says.
 *
 * UL1. `json`: one object per line with `time` (ISO 8601), `level`, `message` and the fields; names of fields that clash are kept under `fields`.
 * UL2. Format and level can be changed while the node runs; lines that are on their way keep their order.
 */
import type { LogFields, Logger, LogLevel } from "@glia-os/abi/ports";
import type { Terminal } from "../terminal/terminal.ts";

/** How it looks. */
export interface LogSettings {
  readonly format: "pretty" | "json";
  readonly level: LogLevel;
}

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const STYLES = { trace: "dim", debug: "dim", info: "green", warn: "yellow", error: "red" } as const;

/** The log of one node. */
export class UpLog implements Logger {
  readonly #terminal: Terminal;
  #settings: LogSettings;

  constructor(terminal: Terminal, settings: LogSettings) {
    this.#terminal = terminal;
    this.#settings = settings;
  }

  /** Change format and level (UL2). */
  use(settings: LogSettings): void {
    this.#settings = settings;
  }

  log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#settings.level)) return;
    this.#terminal.note(
      this.#settings.format === "json"
        ? jsonLine(level, message, fields)
        : this.#pretty(level, message, fields),
    );
  }

  child(bound: LogFields): Logger {
    return {
      log: (level, message, fields) => this.log(level, message, { ...bound, ...fields }),
      child: (more) => this.child({ ...bound, ...more }),
    };
  }

  #pretty(level: LogLevel, message: string, fields: LogFields): string {
    const time = new Date().toTimeString().slice(0, 8);
    const facts = Object.entries(fields).map(([key, value]) => ` ${key}=${shown(value)}`);
    return `${time} ${this.#terminal.style(STYLES[level], level.padEnd(5))} ${message}${facts.join("")}`;
  }
}

/** (UL1) */
function jsonLine(level: LogLevel, message: string, fields: LogFields): string {
  const own = { time: new Date().toISOString(), level, message };
  const clash = Object.keys(fields).some((key) => key in own);
  return JSON.stringify(clash ? { ...own, fields } : { ...own, ...fields });
}

function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "undefined";
}
