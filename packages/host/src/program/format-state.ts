/**
 * The state of a kernel as lines for people, from the data of `Kernel.dumpState`.
 *
 * FS1. One line per task and per job queue, in columns; a line says nothing that the data does not.
 * FS2. At most `tasks` tasks are listed, those that run or are ready first; the last line counts the others.
 * FS3. Names and keys are text of programs: what could move a cursor or start a line is replaced.
 */
import type { KernelDump, QueueDump, TaskDump, TaskState } from "@glia-os/kernel";

/** How a state is printed. */
export interface FormatStateOptions {
  /** Tasks that are listed: a whole number from 0; default 100. */
  readonly tasks?: number;
}

const TASKS = 100;
const COLUMN_MOST = 48;
/** Order of the list (FS2). */
const ORDER: readonly TaskState[] = ["running", "ready", "throttled", "sleeping", "waiting"];

/** The lines. O(tasks log tasks). */
export function formatState(state: KernelDump, options: FormatStateOptions = {}): string[] {
  const listed = [...state.tasks].sort(byUrgency).slice(0, options.tasks ?? TASKS);
  const lines = [...summary(state)];
  if (listed.length > 0)
    lines.push(
      "",
      ...columns(
        TASK_HEAD,
        listed.map((task) => taskRow(task, state)),
      ),
    );
  const others = state.tasks.length + state.omitted - listed.length;
  if (others > 0) lines.push(`... and ${others} more tasks`);
  if (state.queues.length > 0) lines.push("", ...columns(QUEUE_HEAD, state.queues.map(queueRow)));
  return lines;
}

function byUrgency(a: TaskDump, b: TaskDump): number {
  return ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.id - b.id;
}

function summary({ tasks, omitted, counters, keys, timers }: KernelDump): readonly string[] {
  const counts = ORDER.map((state) => [state, tasks.filter((task) => task.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  if (omitted > 0) counts.push(`${omitted} not looked at`);
  const { finished, failed, cancelled, killed, spawned, switches, throttled, refused } = counters;
  return [
    `tasks     ${tasks.length + omitted} live${counts.length > 0 ? `: ${counts.join(", ")}` : ""}`,
    `ended     ${finished} finished, ${failed} failed, ${cancelled} cancelled, ${killed} killed, of ${spawned} spawned`,
    `counters  ${switches} switches, ${throttled} times throttled, ${refused} syscalls refused, ${timers} timers, ${keys} keys`,
  ];
}

const TASK_HEAD = ["TASK", "NAME", "PATH", "STATE", "PRIORITY", "SYSCALL", "WAITS FOR", "DUE", "HOLDS"];

function taskRow(task: TaskDump, { monotonicMs }: KernelDump): string[] {
  const { id, name, path, state, priority, waitsIn, waitsFor, deadlineMs } = task;
  const due = deadlineMs === undefined ? "-" : `in ${Math.max(0, Math.round(deadlineMs - monotonicMs))} ms`;
  const shown = task.killed ? `${state}, ending` : state;
  return [String(id), name, path, shown, priority, waitsIn, waitsFor, due, holds(task)];
}

/** Handles, and messages in the queues they lead to. */
function holds({ handles }: TaskDump): string {
  if (handles.length === 0) return "-";
  const messages = handles.reduce((sum, handle) => sum + (handle.messages ?? 0), 0);
  const count = handles.length === 1 ? "1 handle" : `${handles.length} handles`;
  return messages === 0 ? count : `${count}, ${messages} messages`;
}

const QUEUE_HEAD = [
  "QUEUE",
  "PRIORITY",
  "QUEUED",
  "RUNNING",
  "BACKING OFF",
  "FINISHED",
  "FAILED",
  "PRESSURE",
];

function queueRow(queue: QueueDump): string[] {
  const { name, priority, queued, running, backingOff, finished, failed, pressure, paused } = queue;
  const pressed = `${Math.round(100 * pressure)} %${paused ? ", paused" : ""}`;
  const counts = [
    `${queued}/${queue.capacity}`,
    `${running}/${queue.concurrency}`,
    backingOff,
    finished,
    failed,
  ];
  return [name, priority, ...counts.map(String), pressed];
}

function columns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows.map((row) => row.map(plain))];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Text that stays in its cell (FS3); a cell is never empty, so that columns can be split at two spaces. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
  if (safe === "") return "-";
  return safe.length > COLUMN_MOST ? `${safe.slice(0, COLUMN_MOST - 3)}...` : safe;
}
