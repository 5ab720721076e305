/**
 * `glia top`: tasks, queues and states of a program that `glia run` runs, or nodes, agents and moves of a mesh.
 *
 * TP1. On a terminal the view is painted in place until q or Ctrl-C; elsewhere it is printed again and again; with `--once` once.
 * TP2. It ends with exit code 0 when what it looks at ends, the person leaves, or nobody reads the output any more.
 * TP3. Without being told what to look at it takes the only program or node that runs; never a guess among several.
 */
import type { Context } from "../context.ts";
import { RunAmbiguousError, RunNotFoundError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { openNode, runningNodes } from "../node/choose-node.ts";
import { formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { meshWatched } from "../top/mesh-watched.ts";
import { programWatched } from "../top/program-watched.ts";
import { offeringProcesses, runFolder } from "../top/run-folder.ts";
import { Screen } from "../top/screen.ts";
import { StateClient } from "../top/state-client.ts";
import type { StateView } from "../top/state-view.ts";
import type { Look, Watched } from "../top/watched.ts";

/** Its options, as texts. */
export interface TopOptions {
  readonly pid?: string;
  readonly name?: string;
  readonly data?: string;
  readonly interval: string;
  readonly once?: boolean;
}

const INTERVAL_LEAST_S = 0.1;
const INTERVAL_MOST_S = 3600;
const PAUSE_KEY = " ";

/** Run it (TP1, TP2). */
export async function top(options: TopOptions, context: Context): Promise<ExitCode> {
  const everyMs = 1000 * secondsOf(options.interval);
  const watched = await choose(options, context);
  try {
    if (options.once === true) print(context, await watched.look());
    else await watch(watched, everyMs, context);
    return EXIT.ok;
  } finally {
    watched.close();
  }
}

/** What to look at (TP3). */
async function choose({ pid, name, data }: TopOptions, context: Context): Promise<Watched> {
  if (pid !== undefined && (name !== undefined || data !== undefined))
    throw new UsageError("--pid names a program; --name and --data name a node", "Give one of them.");
  if (pid !== undefined) {
    if (!/^[1-9]\d{0,9}$/.test(pid)) throw new UsageError(`--pid ${pid.slice(0, 40)} is not a process id`);
    return programWatched(await StateClient.open(Number(pid)));
  }
  if (name !== undefined || data !== undefined)
    return meshWatched(
      await openNode({ ...(name === undefined ? {} : { name }), ...(data === undefined ? {} : { data }) }),
    );
  const pids = offeringProcesses(runFolder());
  const nodes = await runningNodes();
  const [onlyPid] = pids;
  const [onlyNode] = nodes;
  if (pids.length + nodes.length === 0) throw new RunNotFoundError();
  if (onlyPid !== undefined && pids.length + nodes.length === 1)
    return programWatched(await StateClient.open(onlyPid));
  if (onlyNode !== undefined && pids.length + nodes.length === 1) return meshWatched(onlyNode.node);
  await Promise.all(nodes.map(({ node }) => node.close()));
  return refuse(
    pids,
    nodes.map((each) => each.name),
    context,
  );
}

/** Say what there is, and that one is to be named. */
async function refuse(
  pids: readonly number[],
  nodes: readonly string[],
  { terminal }: Context,
): Promise<never> {
  const views = await Promise.all(pids.map(viewOf));
  const runs = views.filter((view) => view !== undefined);
  const rows = runs.map(({ pid, file, uptimeMs, state }) => [
    String(pid),
    file,
    formatMs(uptimeMs),
    String(state.tasks.length + state.omitted),
  ]);
  const programs = runs.length > 0 ? formatTable(["PID", "PROGRAM", "UP", "TASKS"], rows) : [];
  const named = nodes.map((name) => `node ${name}`);
  for (const line of [...programs, ...named]) terminal.line(line);
  throw new RunAmbiguousError(
    runs.map(({ pid, file }) => ({ pid, file })),
    nodes,
  );
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

async function watch(watched: Watched, everyMs: number, context: Context): Promise<void> {
  const { terminal, interrupt, stdin } = context;
  terminal.letReaderLeave();
  let shown: Look | undefined;
  let paused = false;
  const screen = terminal.repaints ? new Screen(terminal, stdin, typed) : undefined;
  function typed(key: string): void {
    if (key === PAUSE_KEY) paused = !paused;
    else if (watched.key?.(key) !== true) return;
    paint();
  }
  function paint(): void {
    if (shown === undefined) return;
    screen?.paint(paused ? ["(paused; the space bar goes on)", ...shown.lines()] : shown.lines());
  }
  const left = new Promise<void>((resolve) => {
    interrupt.addEventListener("abort", () => resolve(), { once: true });
    void screen?.quit.then(resolve);
  });
  const over = Promise.race([left.then(() => "left" as const), watched.ended.then(() => "ended" as const)]);
  try {
    for (let why: string | undefined; why === undefined; why = await firstOf(over, everyMs)) {
      if (paused) continue;
      const look = await Promise.race([watched.look(), over.then(() => undefined)]);
      if (look === undefined) continue;
      shown = look;
      if (screen === undefined) print(context, look);
      else paint();
    }
  } finally {
    screen?.leave();
  }
  if ((await firstOf(over, 0)) === "ended") terminal.note(`glia: ${watched.endNote}`);
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

function print({ terminal }: Context, look: Look | undefined): void {
  if (look === undefined) throw new RunNotFoundError();
  terminal.record({ ok: true, ...look.record });
  for (const line of look.lines()) terminal.line(line);
  terminal.line();
}

function secondsOf(text: string): number {
  const value = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= INTERVAL_LEAST_S && value <= INTERVAL_MOST_S) return value;
  throw new UsageError(
    `--interval ${text.slice(0, 40)} is out of range`,
    `Give seconds from ${INTERVAL_LEAST_S} to ${INTERVAL_MOST_S}.`,
  );
}
