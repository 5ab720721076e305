/**
 * `node --conditions=@glia-os/source scripts/detection/partition.ts [--size 6] [--profile lan] [--seconds 60] [--dead]`: a mesh of processes in two
 * network namespaces, half on each side, is cut in two for so long and joined again. Prints one line of JSON: whether each side declared the other
 * dead, and how long after the cut ended all saw all alive. With `--dead` the cut lasts until each side has declared the other dead, but at least
 * that long. Exit code 0 when each side declared the other dead and the mesh was whole at the end,
 * 1 when not, 2 for a wrong command line, 3 when there can be no namespaces here. Nothing is left behind.
 */
import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { MEMBERSHIP_PROFILES, type MembershipProfile } from "@glia-os/mesh-core";
import { CommandLine } from "./command-line.ts";
import { Members } from "./members.ts";
import { ADDRESS, cut, makeSides, mend, on, type Side } from "./sides.ts";

const DEAD_LIMIT_MS = 60_000;
const HEAL_LIMIT_MS = 180_000;
const ALONE = ["--net", "--mount"];

const NO_NAMESPACES = 3;
const line = new CommandLine("partition.ts [--size 6] [--profile lan] [--seconds 60] [--dead]");
const { values } = line.parse(() =>
  parseArgs({
    options: {
      size: { type: "string", default: "6" },
      profile: { type: "string", default: "lan" },
      seconds: { type: "string", default: "60" },
      dead: { type: "boolean", default: false },
      /** The name of the mount namespace outside: given by this program to itself. */
      inside: { type: "string" },
    },
  }),
);
const size = line.whole("size", values.size, 2, 64);
const seconds = line.whole("seconds", values.seconds, 1, 600);
const PROFILES = Object.keys(MEMBERSHIP_PROFILES);
if (!PROFILES.includes(values.profile))
  line.refuse(`--profile ${values.profile} is none of ${PROFILES.join(", ")}`);

/** Options of `unshare` with which this process may make networks; undefined when nothing may. */
function unshareOptions(): readonly string[] | undefined {
  const ways = [ALONE, ["--user", "--map-root-user", ...ALONE]];
  return ways.find((way) => spawnSync("unshare", [...way, "nft", "list", "tables"]).status === 0);
}

function mountNamespace(): string {
  return readlinkSync("/proc/self/ns/mnt");
}

/** This program again, where it has a network of its own. */
function runInside(): number {
  const way = unshareOptions();
  if (way === undefined) {
    console.error(
      "network namespaces cannot be made here: they need Linux, iproute2, nftables, and root or user namespaces",
    );
    return NO_NAMESPACES;
  }
  const self = [
    process.execPath,
    ...process.execArgv,
    import.meta.filename,
    `--inside=${mountNamespace()}`,
    ...process.argv.slice(2),
  ];
  const { status } = spawnSync("unshare", [...way, "--kill-child", ...self], { stdio: "inherit" });
  return status ?? 1;
}

const sideOf = (index: number): Side => (index % 2 === 0 ? "left" : "right");

async function runPartition(): Promise<number> {
  makeSides();
  const profile = values.profile as MembershipProfile;
  const mesh = await Members.start({
    ...{ size, profile },
    bindOf: (index) => ({ host: ADDRESS[sideOf(index)], port: 0 }),
    prefixOf: (index) => on(sideOf(index)),
  });
  try {
    const cutMs = performance.now();
    cut();
    const wait = sleep(seconds * 1000);
    const apart = values.dead ? await mesh.apart(sideOf, DEAD_LIMIT_MS) : undefined;
    await wait;
    const declaredDead = apart ?? (await mesh.apart(sideOf, 0));
    const cutForMs = Math.round(performance.now() - cutMs);
    mend();
    const mendedMs = performance.now();
    const healed = await mesh.whole(HEAL_LIMIT_MS);
    const healMs = healed ? Math.round(performance.now() - mendedMs) : null;
    console.log(JSON.stringify({ size, profile, cutForMs, declaredDead, healed, healMs }));
    return healed && declaredDead ? 0 : 1;
  } finally {
    mesh.stop();
  }
}

if (values.inside === mountNamespace()) line.refuse("--inside is for this program's own use");
process.exitCode = values.inside === undefined ? runInside() : await runPartition();
