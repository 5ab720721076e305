/** What people read of a simulation. */
import { formatCount, formatMs } from "../terminal/amount.ts";
import type { SimFailure, SimRun, SimTask } from "./sim-task.ts";

/** The lines of one run. */
export function runLines(run: SimRun): string[] {
  const { nodes, scenario, profile, seed, virtualMs, realMs, messages, violation } = run;
  const speed = formatCount(Math.round(virtualMs / Math.max(realMs, 0.001)));
  const faults = Object.entries(run.faults).map(([kind, count]) => `${count} ${kind}`);
  const lostPercent = messages.sent === 0 ? 0 : (100 * messages.lost) / messages.sent;
  return [
    `${scenario}: ${formatCount(nodes)} members, profile ${profile}, seed ${seed}: ${formatMs(virtualMs)} in ${formatMs(realMs)}, ${speed} times real time`,
    `  faults     ${faults.join(", ") || "none"}`,
    `  messages   ${formatCount(messages.sent)} sent, ${lostPercent.toFixed(1)} % lost; at rest ${run.idlePerSecond.toFixed(1)} per second and member at most`,
    ...detectionLines(run),
    `  mistakes   ${run.healthyDeaths} healthy members declared dead by healthy ones, ${run.falseViews} views that believed a healthy member dead`,
    `  trace      ${run.traceHash}`,
    violation === undefined
      ? "  holds      M1 to M9"
      : `  VIOLATED   after ${formatMs(violation.atMs)}: ${violation.what}`,
  ];
}

function detectionLines({ crashes, noticed, firstMs, allMs }: SimRun): string[] {
  if (crashes === 0) return [];
  if (firstMs === undefined || allMs === undefined)
    return [`  crashes    ${crashes}, none noticed before its machine was back`];
  const times = `first after ${formatMs(firstMs)}, last after ${formatMs(allMs)} (medians)`;
  return [`  crashes    ${noticed} of ${crashes} noticed before the machine was back: ${times}`];
}

/** The lines of a failure: what is needed for it, and how to see it again. */
export function failureLines(task: SimTask, failure: SimFailure): string[] {
  const { faults, minimal, what } = failure;
  return [
    "",
    `${faults.length} faults are needed${minimal ? "" : ", or fewer: shrinking was given up"}; with them: ${what}`,
    ...faults.map((fault) => `  ${JSON.stringify(fault)}`),
    "repeat with:",
    `  ${replayCommand(task, failure)}`,
  ];
}

/** The one command that repeats a failure. */
export function replayCommand(
  { nodes, scenario, profile, durationMs, convergeMs }: SimTask,
  { seed, faults }: SimFailure,
): string {
  const minutes = durationMs === undefined ? "" : ` --minutes ${durationMs / 60_000}`;
  const converge = convergeMs === undefined ? "" : ` --converge ${convergeMs / 1000}`;
  return `glia sim --nodes ${nodes} --scenario ${scenario} --profile ${profile} --seed ${seed}${minutes}${converge} --faults '${JSON.stringify(faults)}'`;
}
