/**
 * `node --conditions=@glia-os/source scripts/detection/main.ts [--size 24] [--kills 6] [--json] [--keep]`: how fast a mesh of real processes
 * notices kills, beside serf on the same machine. Starts processes on 127.0.0.1 with the LAN profile, first serf's, then ours, kills some
 * with SIGKILL one after the other, and measures when the first and when the last of the others says so.
 *
 * Exit code 0 when the median until all know is at most 1.1 times serf's, nobody who ran was declared dead and every kill was heard by all;
 * 1 when not; 2 when the command line is wrong; 3 when serf is not installed. With `--keep`, a run with exit code 0 replaces kept.json. About three
 * minutes with the defaults. A machine with less idle time than its processes need makes false positives: the load is printed.
 */
import { spawnSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CommandLine } from "./command-line.ts";
import { type Comparison, faultsOf, medianOf } from "./comparison.ts";
import { type Detection, type Kind, killsOf, machineFacts } from "./kills.ts";

const NO_SERF = 3;
const KEPT = join(import.meta.dirname, "kept.json");
const line = new CommandLine("main.ts [--size 24] [--kills 6] [--json] [--keep]");

function options(): { size: number; kills: number; json: boolean; keep: boolean } {
  const { values } = line.parse(() =>
    parseArgs({
      options: {
        size: { type: "string", default: "24" },
        kills: { type: "string", default: "6" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
      },
    }),
  );
  const size = line.whole("size", values.size, 4, 64);
  return {
    size,
    kills: line.whole("kills", values.kills, 1, size - 3),
    json: values.json,
    keep: values.keep,
  };
}

function tableOf(comparison: Comparison): string {
  const row = (name: string, detection: Detection): string => {
    const [first, all] = [medianOf(detection, "firstMs"), medianOf(detection, "allMs")];
    const { falsePositives, load } = detection;
    const figures = [
      first.toFixed(0),
      all.toFixed(0),
      String(falsePositives),
      `${load.before} to ${load.after}`,
    ];
    return name.padEnd(6) + figures.map((figure) => figure.padStart(16)).join("");
  };
  const { size, glia, serf, machine } = comparison;
  const head = ["first, ms", "all, ms", "false positives", "load"]
    .map((title) => title.padStart(16))
    .join("");
  const ratio = medianOf(glia, "allMs") / medianOf(serf, "allMs");
  return [
    `\n${size} processes, profile LAN, ${glia.kills.length} kills; medians; ${machine.cores} cores`,
    "      ".concat(head),
    row("serf", serf),
    row("glia", glia),
    `all members knew after ${ratio.toFixed(2)} times serf's time`,
  ].join("\n");
}

const { size, kills, json, keep } = options();
const version = spawnSync("serf", ["version"], { encoding: "utf8" });
if (version.error !== undefined) {
  console.error("serf is not installed (Debian: apt-get install serf); nothing was compared");
  process.exit(NO_SERF);
}
const interrupted = new AbortController();
process.once("SIGINT", () => {
  interrupted.abort();
  process.exit(130);
});
const run = (kind: Kind): Promise<Detection> =>
  killsOf(kind, { size, kills, signal: interrupted.signal }, (line) => console.error(line));
const serf = await run("serf");
const glia = await run("glia");
const comparison: Comparison = {
  format: 1,
  date: new Date().toISOString(),
  size,
  serfVersion: version.stdout.split("\n")[0] ?? "",
  machine: machineFacts(),
  glia,
  serf,
};
const faults = faultsOf(comparison);
console.log(json ? JSON.stringify(comparison) : tableOf(comparison));
for (const fault of faults) console.error(`not as claimed: ${fault}`);
if (keep && faults.length > 0) console.error("the run is not kept");
else if (keep) {
  writeFileSync(`${KEPT}.part`, `${JSON.stringify(comparison, null, 2)}\n`);
  renameSync(`${KEPT}.part`, KEPT);
  console.error(`kept in ${KEPT}`);
}
process.exitCode = faults.length === 0 ? 0 : 1;
