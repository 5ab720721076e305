/**
 * A trace as the JSON object that Chrome's `about:tracing` and Perfetto read (Trace Event Format).
 *
 * CT1. One row per task. A syscall is an instant; one in which its task parked is a bar up to the next record of that task, or an instant when
 *      there is none.
 * CT2. The kernel reads the clock once per slice, so a record's time is the begin of its slice plus one nanosecond per record before it in the
 *      slice: the order is exact, a time is as exact as a slice is short. No time is made up: records whose slice began before the ring are
 *      left out and counted.
 */
import type { SyscallRecord, Trace } from "./trace-image.ts";

/** One event. Times are microseconds. */
export interface ChromeEvent {
  readonly ph: "M" | "X" | "i";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Of an instant: its row, or the whole process. */
  readonly s?: "t" | "p";
  readonly cat?: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** The whole file, to be written by `JSON.stringify`. */
export interface ChromeTrace {
  readonly displayTimeUnit: "ns";
  readonly traceEvents: readonly ChromeEvent[];
  readonly otherData: {
    readonly resolution: string;
    /** Records that the ring had overwritten. */
    readonly lost: number;
    /** Records left out because the time of their slice is lost (CT2). */
    readonly untimed: number;
  };
}

const PROCESS = 1;
const US_PER_MS = 1000;
/** One nanosecond. */
const STEP_US = 0.001;

/** Convert a trace. `nameOf` gives the name of a task by the low 32 bits of its id; default `task N`. O(records). */
export function chromeTrace(trace: Trace, nameOf?: (task: number) => string | undefined): ChromeTrace {
  const tasks = new Set<number>([0]);
  const events: ChromeEvent[] = [];
  /** Per task, the place of the event in which it parked last. */
  const parked = new Map<number, number>();
  let startUs = Number.NaN;
  let inSlice = 0;
  let untimed = 0;
  for (const record of trace.records) {
    if (record.kind === "slice") {
      startUs = record.atMs * US_PER_MS;
      inSlice = 0;
      events.push({ ph: "i", s: "p", name: `slice ${record.slice}`, pid: PROCESS, tid: 0, ts: startUs });
      continue;
    }
    if (Number.isNaN(startUs)) {
      untimed++;
      continue;
    }
    const ts = startUs + ++inSlice * STEP_US;
    tasks.add(record.task);
    stretch(events, parked.get(record.task), ts);
    parked.delete(record.task);
    if (record.outcome === "parked") parked.set(record.task, events.length);
    events.push(instant(record, ts));
  }
  return {
    displayTimeUnit: "ns",
    traceEvents: [...rows(tasks, nameOf), ...events],
    otherData: { resolution: "one slice", lost: trace.total - trace.records.length, untimed },
  };
}

/** The event at a place lasted until now (CT1). */
function stretch(events: ChromeEvent[], at: number | undefined, untilUs: number): void {
  const event = at === undefined ? undefined : events[at];
  if (at === undefined || event === undefined) return;
  const { s: _, ...bar } = event;
  events[at] = { ...bar, ph: "X", dur: untilUs - event.ts };
}

function instant({ syscall, outcome, task, argument, slice }: SyscallRecord, ts: number): ChromeEvent {
  const args = { argument, slice };
  return { ph: "i", s: "t", name: syscall, cat: outcome, pid: PROCESS, tid: task, ts, args };
}

function rows(tasks: ReadonlySet<number>, nameOf?: (task: number) => string | undefined): ChromeEvent[] {
  const row = (tid: number, what: string, name: string): ChromeEvent => {
    return { ph: "M", name: what, pid: PROCESS, tid, ts: 0, args: { name } };
  };
  const named = [...tasks].map((task) => {
    const name = nameOf?.(task) ?? (task === 0 ? "shell" : `task ${task}`);
    return row(task, "thread_name", name);
  });
  return [row(0, "process_name", "glia kernel"), ...named];
}
