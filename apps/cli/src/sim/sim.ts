/** `glia sim`: the membership of a mesh on virtual time, with faults. */
import { Worker } from "node:worker_threads";
import { MACHINE_SCENARIOS } from "@glia-os/sim";
import type { Context } from "../context.ts";
import { SimulationThreadError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { aborted } from "../interrupt.ts";
import { formatTable } from "../terminal/table.ts";
import { type SimOptions, simTask } from "./sim-options.ts";
import { failureLines, replayCommand, runLines } from "./sim-report.ts";
import type { SimFailure, SimNews, SimRun, SimTask } from "./sim-task.ts";

const NOTE_EVERY_MS = 5000;

/** Run it. Exit code 1 when a property does not hold. */
export async function sim(options: SimOptions, context: Context): Promise<ExitCode> {
  if (options.list === true) return listScenarios(context);
  const task = simTask(options);
  const { terminal } = context;
  let failed = false;
  const progress = progressNotes(context);
  await simulateInThread(task, context, (news) => {
    if (news.kind === "progress") progress(news);
    else if (news.kind === "run") {
      failed ||= news.run.violation !== undefined;
      printRun(news.run, context);
    } else if (news.kind === "shrinking") terminal.note("glia: shrinking the faults of the failure ...");
    else if (news.kind === "failure") printFailure(task, news.failure, context);
  });
  return failed ? EXIT.failure : EXIT.ok;
}

function listScenarios({ terminal }: Context): ExitCode {
  const rows = Object.entries(MACHINE_SCENARIOS).map(([name, { what, durationMs }]) => ({
    name,
    minutes: durationMs / 60_000,
    what,
  }));
  terminal.record({ ok: true, scenarios: rows });
  const cells = rows.map(({ name, minutes, what }) => [name, String(minutes), what]);
  for (const line of formatTable(["scenario", "minutes", "what happens"], cells, ["left", "right", "left"]))
    terminal.line(line);
  return EXIT.ok;
}

function printRun(run: SimRun, { terminal }: Context): void {
  terminal.record({ ok: run.violation === undefined, ...run });
  for (const line of runLines(run)) terminal.line(line);
}

function printFailure(task: SimTask, failure: SimFailure, { terminal }: Context): void {
  terminal.record({ ok: false, ...failure, replay: replayCommand(task, failure) });
  for (const line of failureLines(task, failure)) terminal.line(line);
}

/** Says on standard error how far a long run is, now and then. */
function progressNotes({
  terminal,
}: Context): (news: Extract<SimNews, { readonly kind: "progress" }>) => void {
  let saidMs = performance.now();
  return ({ seed, virtualMs, durationMs }) => {
    if (performance.now() - saidMs < NOTE_EVERY_MS) return;
    saidMs = performance.now();
    const minutes = (ms: number): string => (ms / 60_000).toFixed(1);
    terminal.note(`glia: seed ${seed}: minute ${minutes(virtualMs)} of ${minutes(durationMs)}`);
  };
}

/** Runs the task in a thread that an interrupt ends at once. @throws {SimulationThreadError}, or the reason of an interrupt. */
async function simulateInThread(
  task: SimTask,
  context: Context,
  hear: (news: SimNews) => void,
): Promise<void> {
  const source = import.meta.url.endsWith(".ts");
  const url = new URL(source ? "./sim-worker.ts" : "./sim-worker.js", import.meta.url);
  const worker = new Worker(url, { workerData: task });
  try {
    const done = new Promise<void>((resolve, reject) => {
      worker.on("message", (news: SimNews) => (news.kind === "done" ? resolve() : hear(news)));
      worker.once("error", (cause) => reject(new SimulationThreadError(cause)));
      worker.once("exit", (code) => reject(new SimulationThreadError(`it ended with code ${code}`)));
    });
    await Promise.race([done, aborted(context.interrupt)]);
  } finally {
    await worker.terminate();
  }
}
