/**
 * Log lines to a stream: JSON for machines, plain text for people.
 *
 * G1. One call is one line, whatever the message and fields contain: control characters are escaped.
 * G2. A logger never throws. A field that is no plain value is written as text; text is cut at 8192 characters.
 * G3. A line written while a task of a followed kernel runs carries the task's id, path and name, and the ids of its span when it has one,
 *     unless the line names a task itself. It makes no difference whether the code is a generator, an async function with control, or
 *     something they call; microtasks of others that run while an async function has control cannot be told apart from it.
 */
import type { Clock, LogFields, Logger, LogLevel } from "@glia-os/abi/ports";
import type { CurrentTask } from "@glia-os/kernel";

/** Where lines go; a Node stream is one. */
export interface LineSink {
  write(text: string): unknown;
}

/** A kernel, as far as a log line asks it. */
export interface TaskSource {
  /** The task whose code runs now. */
  current(): CurrentTask | undefined;
}

/** A logger that knows whose code runs. */
export interface HostLogger extends Logger {
  /** Write the running task of a kernel into every line (G3), here and in children. `runKernel` does so. Returns the function that ends it. */
  follow(kernel: TaskSource): () => void;
  child(fields: LogFields): HostLogger;
}

/** How lines are written. */
export interface LoggerOptions {
  readonly sink: LineSink;
  readonly clock: Clock;
  /** Default `json`. */
  readonly format?: "json" | "pretty";
  /** Lines below this level are dropped; default `info`. */
  readonly level?: LogLevel;
  /** Colours in pretty lines; default off. Whoever reads the environment decides (NO_COLOR). */
  readonly color?: boolean;
}

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];
const TEXT_LIMIT = 8192;
/** SGR codes: grey, cyan, green, yellow, red. */
const COLORS: Readonly<Record<LogLevel, number>> = { trace: 90, debug: 36, info: 32, warn: 33, error: 31 };

type Plain = string | number | boolean | null;

function plain(value: unknown): Plain {
  if (typeof value === "string")
    return value.length > TEXT_LIMIT ? `${value.slice(0, TEXT_LIMIT)}...` : value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean" || value === null) return value;
  try {
    return String(value).slice(0, TEXT_LIMIT);
  } catch {
    return "[no text]";
  }
}

/** Escape what could start a new line or drive a terminal: C0, DEL, C1 and the Unicode line separators. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

class StreamLogger implements HostLogger {
  readonly #options: LoggerOptions;
  readonly #least: number;
  readonly #fields: LogFields;
  /** Shared with children. One entry per call of `follow`. */
  readonly #followed: Set<{ readonly kernel: TaskSource }>;

  constructor(options: LoggerOptions, fields: LogFields, followed: Set<{ readonly kernel: TaskSource }>) {
    this.#options = options;
    this.#least = LEVELS.indexOf(options.level ?? "info");
    this.#fields = fields;
    this.#followed = followed;
  }

  follow(kernel: TaskSource): () => void {
    const entry = { kernel };
    this.#followed.add(entry);
    return () => void this.#followed.delete(entry);
  }

  log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) < this.#least) return;
    try {
      this.#options.sink.write(this.#line(level, message, { ...this.#fields, ...fields }));
    } catch {
      // A sink that cannot be written to, or a fact that cannot be read, must not take the program down (G2); there is nowhere left to say so.
    }
  }

  child(fields: LogFields): HostLogger {
    return new StreamLogger(this.#options, { ...this.#fields, ...fields }, this.#followed);
  }

  #line(level: LogLevel, message: string, given: LogFields): string {
    const facts = Object.entries("task" in given ? given : { ...given, ...this.#running() })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, plain(value)] as const);
    const time = new Date(this.#options.clock.wallMs()).toISOString();
    const text = String(plain(message));
    return this.#options.format === "pretty"
      ? this.#pretty(time, level, text, facts)
      : json(time, level, text, facts);
  }

  /** At most one task of one kernel runs at a time. */
  #running(): CurrentTask | undefined {
    for (const { kernel } of this.#followed) {
      const current = kernel.current();
      if (current !== undefined) return current;
    }
    return undefined;
  }

  #pretty(
    time: string,
    level: LogLevel,
    message: string,
    facts: readonly (readonly [string, Plain])[],
  ): string {
    const shown = level.padEnd(5);
    const colored = this.#options.color === true ? `\u001b[${COLORS[level]}m${shown}\u001b[0m` : shown;
    const tail = facts.map(([name, value]) => ` ${oneLine(name)}=${quoted(value)}`).join("");
    return `${time.slice(11, 23)} ${colored} ${oneLine(message)}${tail}\n`;
  }
}

function quoted(value: Plain): string {
  return typeof value === "string" && !/^[\w./:@-]+$/.test(value)
    ? oneLine(JSON.stringify(value))
    : String(value);
}

/** The reserved names come first and win over fields of the same name, which get a trailing underscore. */
function json(
  time: string,
  level: LogLevel,
  message: string,
  facts: readonly (readonly [string, Plain])[],
): string {
  const line: Record<string, Plain> = { time, level, message };
  for (const [name, value] of facts) line[Object.hasOwn(line, name) ? `${name}_` : name] = value;
  return `${oneLine(JSON.stringify(line))}\n`;
}

/** A logger that writes lines to a stream. */
export function createLogger(options: LoggerOptions): HostLogger {
  return new StreamLogger(options, {}, new Set());
}
