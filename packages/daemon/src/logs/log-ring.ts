/**
 * The newest log lines and events of a node, in memory.
 *
 * LR1. At most {@link ENTRIES_MAX} entries are kept, each with at most {@link TEXT_MAX} characters of text; the oldest go first, and a reader
 *      that comes too late is told how many it missed.
 * LR2. A page has at most {@link PAGE_CHARACTERS} characters as JSON, or one entry: it fits the body of a call between nodes.
 */
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { NodeEvent } from "../node-event.ts";

/** Entries that are kept (LR1). */
export const ENTRIES_MAX = 2000;
/** Longest text of an entry, and of one of its fields (LR1). */
export const TEXT_MAX = 2000;
/** Most characters of a page (LR2). */
export const PAGE_CHARACTERS = 40_000;
/** Longest wait for something new. */
export const WAIT_MAX_MS = 10_000;

/** One line of a log, or one event. */
export interface LogEntry {
  /** Grows by one with each entry of the node, from 1. */
  readonly seq: number;
  /** Milliseconds since 1970, on the clock of the node. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  /** The event that this entry is; undefined for a line of a log. */
  readonly event: NodeEvent | undefined;
}

/** What is asked for. */
export interface LogQuestion {
  /** Entries with a greater number; 0 for all that are kept. Default 0. */
  readonly after?: number;
  /** Only the newest so many of them. Default: all, page by page from the oldest. */
  readonly newest?: number;
  /** Entries of this level and above. Default `trace`. */
  readonly level?: LogLevel;
  /** When there is none, wait up to so long for one: 0 to 10,000 ms. Default 0. */
  readonly waitMs?: number;
}

/** Some entries in their order. */
export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** What to ask for next with `after`. */
  readonly next: number;
  /** Whether more are there already. */
  readonly more: boolean;
  /** Entries after `after` that are not kept any more. */
  readonly missed: number;
}

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/** The entries of one node (LR1). */
export class LogRing {
  readonly #now: () => number;
  readonly #entries: LogEntry[] = [];
  readonly #waiting = new Set<() => void>();
  #seq = 0;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Keep a line of a log. */
  line(level: LogLevel, message: string, fields: LogFields): void {
    this.#keep(level, message, fields, undefined);
  }

  /** Keep an event. */
  event(event: NodeEvent): void {
    this.#keep("info", event.kind, {}, event);
  }

  /** A page (LR2). */
  page({ after = 0, newest, level = "trace" }: LogQuestion): LogPage {
    const least = LEVELS.indexOf(level);
    const first = this.#entries[0]?.seq ?? this.#seq + 1;
    const kept = this.#entries.slice(Math.max(0, after + 1 - first));
    const wanted = kept.filter((entry) => LEVELS.indexOf(entry.level) >= least);
    const chosen = newest === undefined ? wanted : wanted.slice(Math.max(0, wanted.length - newest));
    const entries = upTo(chosen, PAGE_CHARACTERS);
    const more = entries.length < chosen.length;
    const next = more ? (entries.at(-1)?.seq ?? this.#seq) : Math.max(after, this.#seq);
    return { entries, next, more, missed: after === 0 ? 0 : Math.max(0, first - 1 - after) };
  }

  /** A page, after waiting for an entry where there is none. */
  async ask(question: LogQuestion): Promise<LogPage> {
    const { waitMs = 0 } = question;
    const page = this.page(question);
    if (waitMs === 0 || page.entries.length > 0) return page;
    await this.#something(Math.min(waitMs, WAIT_MAX_MS));
    return this.page({ ...question, after: page.next });
  }

  #something(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#waiting.add(done);
    });
  }

  #keep(level: LogLevel, message: string, fields: LogFields, event: NodeEvent | undefined): void {
    this.#seq += 1;
    const kept = { seq: this.#seq, atMs: this.#now(), level, message: cut(message), fields: cutAll(fields) };
    this.#entries.push({ ...kept, event });
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
    for (const wake of [...this.#waiting]) wake();
  }
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
}

function cutAll(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? cut(value) : value]),
  );
}

/** The first of `entries` whose JSON fits, at least one. */
function upTo(entries: readonly LogEntry[], characters: number): readonly LogEntry[] {
  let left = characters;
  const end = entries.findIndex((entry) => {
    left -= JSON.stringify(entry).length;
    return left < 0;
  });
  return end < 0 ? entries : entries.slice(0, Math.max(1, end));
}
