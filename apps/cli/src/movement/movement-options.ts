/** The options of nodes about moving agents: policies, and what happens to agents when a node stops. */
import { resolve } from "node:path";
import type { MovementSettings } from "@glia-os/daemon";
import { type Command, Option } from "commander";
import { parseTime } from "../commands/join-line-limits.ts";
import { UsageError } from "../errors.ts";

/** The policies that there are. */
const POLICY_NAMES = ["battery", "thermal", "load", "rebalance", "latency"] as const;
const DRAIN_BOUNDS = { minMs: 1000, maxMs: 3_600_000, range: "1s to 1h" } as const;

/** The options. */
export interface MovementOptions {
  readonly policy?: readonly (typeof POLICY_NAMES)[number][];
  readonly movesPerMinute?: string;
  readonly sensors?: string;
  readonly drain?: string;
}

/** Add them. */
export function movementOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--policy <policy...>",
        "move agents away when the battery is low, it is hot, the load is high, others have fewer, or most messages come from afar",
      ).choices(POLICY_NAMES),
    )
    .option("--moves-per-minute <n>", "most moves that policies begin in a minute (default: 6)")
    .option("--sensors <file>", "JSON file that is read instead of the machine's sensors")
    .option("--drain <time>", "when told to stop, move agents away first, for at most this time");
}

/** What they mean. @throws {UsageError} */
export function movementSettings(options: MovementOptions): {
  readonly movement: MovementSettings;
  readonly drainMs?: number;
} {
  const { policy, movesPerMinute, sensors, drain } = options;
  const movement = {
    ...(policy === undefined ? {} : { policies: policy }),
    ...(movesPerMinute === undefined ? {} : { movesPerMinute: countOf(movesPerMinute) }),
    ...(sensors === undefined ? {} : { sensorsFile: resolve(sensors) }),
  };
  return drain === undefined
    ? { movement }
    : { movement, drainMs: parseTime("--drain", drain, DRAIN_BOUNDS) };
}

function countOf(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 600) return count;
  throw new UsageError(`--moves-per-minute ${text.slice(0, 20)} is out of range`, "Give 1 to 600.");
}
