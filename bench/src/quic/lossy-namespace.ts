/**
 * A network namespace whose loopback has frames of 1500 bytes and loses a share of its packets by chance. Needs root, `ip` and `nft`.
 */
import { spawnSync } from "node:child_process";

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** The words that run a command inside, or undefined when this machine does not allow it. `per1000`: packets lost of 1000. */
export function lossyNamespace(
  name: string,
  per1000: number,
): { readonly prefix: string[]; remove(): void } | undefined {
  const within = ["ip", "netns", "exec", name];
  const remove = (): void => void run("ip", "netns", "del", name);
  const inside = (...command: string[]): boolean => run(within[0]!, ...within.slice(1), ...command);
  const lost = ["numgen", "random", "mod", "1000", "<", String(per1000), "drop"];
  const isReady =
    run("ip", "netns", "add", name) &&
    inside("ip", "link", "set", "lo", "mtu", "1500", "up") &&
    inside("nft", "add", "table", "ip", "loss") &&
    inside("nft", "add", "chain", "ip", "loss", "in", "{ type filter hook input priority 0; }") &&
    inside("nft", "add", "rule", "ip", "loss", "in", ...lost);
  if (isReady) return { prefix: within, remove };
  remove();
  return undefined;
}
