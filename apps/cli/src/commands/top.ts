/**
 * `glia top`: tasks, queues and states of a program that `glia run` runs.
 *
 * TP1. On a terminal the view is painted in place until q or Ctrl-C; elsewhere it is printed again and again; with `--once` once.
 * TP2. It ends with exit code 0 when the program ends, the person leaves, or nobody reads the output any more.
 */
import { formatState } from "@glia-os/host";
import type { Context } from "../context.ts";
import { RunAmbiguousError, RunNotFoundError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { offeringProcesses, runFolder } from "../top/run-folder.ts";
import { Screen } from "../top/screen.ts";
import { StateClient } from "../top/state-client.ts";
import type { StateView } from "../top/state-view.ts";

/** Its options, as texts. */
export interface TopOptions {
  readonly pid?: string;
  readonly interval: string;
  readonly once?: boolean;
}

/** Tasks shown where nothing cuts the list. */
const TASKS_PRINTED = 200;
const INTERVAL_LEAST_S = 0.1;
const INTERVAL_MOST_S = 3600;

/** Run it (TP1, TP2). */
export async function top(options: TopOptions, context: Context): Promise<ExitCode> {
  const everyMs = 1000 * secondsOf(options.interval);
  const client = await connect(options.pid, context);
  try {
    if (options.once === true) print(context, await client.ask());
    else await watch(client, everyMs, context);
    return EXIT.ok;
  } finally {
    client.close();
  }
}

async function connect(pid: string | undefined, context: Context): Promise<StateClient> {
  if (pid !== undefined) {
    if (!/^[1-9]\d{0,9}$/.test(pid)) throw new UsageError(`--pid ${pid.slice(0, 40)} is not a process id`);
    return StateClient.open(Number(pid));
  }
  const pids = offeringProcesses(runFolder());
  const [only] = pids;
  if (only === undefined) throw new RunNotFoundError();
  if (pids.length === 1) return StateClient.open(only);
  const views = await Promise.all(pids.map(viewOf));
  const runs = views.filter((view) => view !== undefined);
  const rows = runs.map(({ pid, file, uptimeMs, state }) => [
    String(pid),
    file,
    formatMs(uptimeMs),
    String(state.tasks.length + state.omitted),
  ]);
  if (runs.length > 0)
    for (const line of formatTable(["PID", "PROGRAM", "UP", "TASKS"], rows)) context.terminal.line(line);
  throw new RunAmbiguousError(runs.map(({ pid, file }) => ({ pid, file })));
}

/** The view of one of several programs; undefined when it has just ended, or does not answer. */
async function viewOf(pid: number): Promise<StateView | undefined> {
  try {
    const client = await StateClient.open(pid);
    try {
      return await client.ask();
    } finally {
      client.close();
    }
  } catch {
    return undefined;
  }
}

async function watch(client: StateClient, everyMs: number, context: Context): Promise<void> {
  const { terminal, interrupt, stdin } = context;
  terminal.letReaderLeave();
  const screen = terminal.repaints ? new Screen(terminal, stdin) : undefined;
  const left = new Promise<void>((resolve) => {
    interrupt.addEventListener("abort", () => resolve(), { once: true });
    void screen?.quit.then(resolve);
  });
  const over = Promise.race([left.then(() => "left" as const), client.ended.then(() => "ended" as const)]);
  try {
    for (let why: string | undefined; why === undefined; why = await firstOf(over, everyMs)) {
      const view = await Promise.race([client.ask().catch(endedOr(client)), over.then(() => undefined)]);
      if (view === undefined) continue;
      if (screen === undefined) print(context, view);
      else screen.paint(linesOf(view, TASKS_PRINTED));
    }
  } finally {
    screen?.leave();
  }
  if ((await firstOf(over, 0)) === "ended") terminal.note(`glia: process ${client.pid} has ended`);
}

/** A question that fails because the program ended is no failure. */
function endedOr(client: StateClient): (error: unknown) => Promise<undefined> {
  return async (error) => {
    if (error instanceof RunNotFoundError) return undefined;
    client.close();
    throw error;
  };
}

/** What `over` says, or undefined when it says nothing for `ms`. */
async function firstOf<Value>(over: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([over, pause]);
  } finally {
    clearTimeout(timer);
  }
}

function print({ terminal }: Context, view: StateView): void {
  terminal.record({ ok: true, ...view });
  for (const line of linesOf(view, TASKS_PRINTED)) terminal.line(line);
  terminal.line();
}

/** The lines people see. */
function linesOf({ pid, file, uptimeMs, rssBytes, state }: StateView, tasks: number): string[] {
  const head = `glia top  ${file}  process ${pid}  up ${formatMs(uptimeMs)}  memory ${formatBytes(rssBytes)}`;
  return [head, ...formatState(state, { tasks })];
}

function secondsOf(text: string): number {
  const value = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= INTERVAL_LEAST_S && value <= INTERVAL_MOST_S) return value;
  throw new UsageError(
    `--interval ${text.slice(0, 40)} is out of range`,
    `Give seconds from ${INTERVAL_LEAST_S} to ${INTERVAL_MOST_S}.`,
  );
}
