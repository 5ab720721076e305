/**
 * Two network namespaces with one cable between them, which can be cut: a process with this file's rights is alone in its view of the network,
 * and all of it is gone when the process ends. Run by `partition.ts` under `unshare`.
 *
 * SD1. A cut drops packets without a word, as a network does: nobody is told that the other side cannot be reached.
 */
import { execFileSync } from "node:child_process";

/** Which namespace. */
export type Side = "left" | "right";

const SIDES: readonly Side[] = ["left", "right"];

/** The address of a side. */
export const ADDRESS: Readonly<Record<Side, string>> = { left: "10.77.0.1", right: "10.77.0.2" };

function run(...command: readonly [string, ...string[]]): void {
  execFileSync(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
}

/** Make both, with the cable. */
export function makeSides(): void {
  run("mount", "-t", "tmpfs", "none", "/run");
  for (const side of SIDES) run("ip", "netns", "add", side);
  run(
    "ip",
    "link",
    "add",
    "cable-l",
    "netns",
    "left",
    "type",
    "veth",
    "peer",
    "name",
    "cable-r",
    "netns",
    "right",
  );
  for (const side of SIDES) {
    const cable = `cable-${side[0]}`;
    run("ip", "-n", side, "addr", "add", `${ADDRESS[side]}/24`, "dev", cable);
    run("ip", "-n", side, "link", "set", "lo", "up");
    run("ip", "-n", side, "link", "set", cable, "up");
    const table =
      "add table inet cut; add chain inet cut arriving { type filter hook input priority 0; policy accept; }";
    run("ip", "netns", "exec", side, "nft", table);
  }
}

/** From now on nothing that leaves one side arrives at the other (SD1). */
export function cut(): void {
  for (const side of SIDES)
    run("ip", "netns", "exec", side, "nft", `add rule inet cut arriving iifname cable-${side[0]} drop`);
}

/** The cable is whole again. */
export function mend(): void {
  for (const side of SIDES) run("ip", "netns", "exec", side, "nft", "flush chain inet cut arriving");
}

/** What to put before a command so that it runs on a side. */
export function on(side: Side): readonly string[] {
  return ["ip", "netns", "exec", side];
}
