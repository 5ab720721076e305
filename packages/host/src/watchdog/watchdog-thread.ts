/** The thread of the watchdog: looks at the kernel's progress now and then, and says who does not let others run. */
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { BUSY, Progress, STOP, SWITCHES } from "./progress.ts";

/** What the thread starts with. */
export interface WatchSetup {
  readonly progress: SharedArrayBuffer;
  readonly limitMs: number;
  readonly stderr: boolean;
  readonly advice: string;
}

/** What it says. */
export interface HogReport {
  readonly task: number;
  readonly name: string;
  /** How long it had run, at least, when it was noticed. */
  readonly ranMs: number;
}

const { progress: buffer, limitMs, stderr, advice } = workerData as WatchSetup;
const progress = new Progress(buffer);
const { words } = progress;
let seen = Atomics.load(words, SWITCHES);
let since = performance.now();
let reported = false;

function report(ranMs: number): void {
  const { task, name } = progress.running();
  // The task may have changed while it was read.
  if (Atomics.load(words, SWITCHES) !== seen) return;
  reported = true;
  parentPort?.postMessage({ task, name, ranMs } satisfies HogReport);
  if (!stderr) return;
  try {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    const shown = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
    const more = advice === "" ? "" : `: ${advice}`;
    writeSync(2, `glia: task ${task} (${shown}) has held the loop for ${Math.round(ranMs)} ms${more}\n`);
  } catch {
    // A standard error that cannot be written to must not end the watch; the message above was sent.
  }
}

while (Atomics.wait(words, STOP, 0, Math.max(1, limitMs / 4)) === "timed-out") {
  const switches = Atomics.load(words, SWITCHES);
  const now = performance.now();
  if (switches !== seen || Atomics.load(words, BUSY) === 0) {
    seen = switches;
    since = now;
    reported = false;
  } else if (!reported && now - since >= limitMs) report(now - since);
}
