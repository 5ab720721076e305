/** The watching thread of setup.ts. It sleeps on the counter, so it costs nothing while the other thread runs. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { Watched } from "./setup.ts";

const { beats, name, limitMs, parent } = workerData as Watched;
const lookMs = Math.min(2_000, limitMs / 2);

let seen = Atomics.load(beats, 0);
let stillMs = 0;

function look(): void {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
  const now = Atomics.load(beats, 0);
  stillMs = now === seen ? stillMs + lookMs : 0;
  seen = now;
  if (stillMs < limitMs) return;
  const text = new TextDecoder().decode(name.slice(0, name.includes(0) ? name.indexOf(0) : name.length));
  writeSync(
    2,
    `\nwatchdog: the test process hung for ${limitMs / 1000} s and is killed. Last test begun: ${text || "none"}\n`,
  );
  process.kill(process.pid, "SIGKILL");
}

setInterval(look, lookMs);
