/** The options of `glia agent upgrade`, checked. */
import type { UpgradeRequest } from "@glia-os/daemon";
import { UsageError } from "../errors.ts";
import type { NodeChoice } from "../node/choose-node.ts";

/** As they are given. */
export interface AgentUpgradeOptions extends NodeChoice {
  readonly grant?: readonly string[];
  readonly memory?: string;
  /** The agent is a durable one: the source is bundled, not built for the sandbox. */
  readonly durable?: boolean;
  readonly timeout: string;
  readonly canary?: string;
  readonly observe?: string;
  readonly atATime?: string;
  /** `--no-rollback`. */
  readonly rollback: boolean;
}

/** How several agents are gone through. */
export interface GroupPlan {
  /** Agents of the first batch. */
  readonly canary: number;
  readonly atATime: number;
  /** Seconds after the canaries before they are looked at, in milliseconds. */
  readonly observeMs: number;
  readonly rollback: boolean;
}

const MEMBERS_MAX = 1000;
const TIMEOUT_S_MAX = 300;
const OBSERVE_S_MAX = 86_400;

/** What a node is asked for besides the module. @throws {UsageError} */
export function requestOptions({
  grant,
  memory,
  timeout,
}: AgentUpgradeOptions): Omit<UpgradeRequest, "module"> {
  return {
    timeoutMs: 1000 * within("--timeout", timeout, 0.001, TIMEOUT_S_MAX),
    ...(grant === undefined ? {} : { grants: grant }),
    ...(memory === undefined ? {} : { memoryPages: whole("--memory", memory, 32_768) }),
  };
}

/** How so many agents are gone through. @throws {UsageError} */
export function groupPlan(count: number, options: AgentUpgradeOptions): GroupPlan {
  const { canary, observe = "0", atATime = "1", rollback } = options;
  const batch = whole("--at-a-time", atATime, MEMBERS_MAX);
  return {
    canary: canary === undefined ? Math.min(batch, count) : Math.min(count, canaries(canary, count)),
    atATime: batch,
    observeMs: 1000 * within("--observe", observe, 0, OBSERVE_S_MAX),
    rollback,
  };
}

/** Options that only mean something for several agents. @throws {UsageError} when one is there */
export function refuseGroupOptions({ canary, observe, atATime, rollback }: AgentUpgradeOptions): void {
  if (canary === undefined && observe === undefined && atATime === undefined && rollback) return;
  throw new UsageError(
    "--canary, --observe, --at-a-time and --no-rollback are for several agents",
    "Name several with *, as in 'worker-*', or leave the option out.",
  );
}

/** `3`, or `10%` of all of them, at least one. */
function canaries(text: string, count: number): number {
  const percent = /^(\d{1,3})%$/.exec(text)?.[1];
  if (percent === undefined) return whole("--canary", text, MEMBERS_MAX);
  return Math.max(1, Math.ceil((whole("--canary", percent, 100) * count) / 100));
}

function whole(option: string, text: string, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new UsageError(
    `${option} ${text.slice(0, 40)} is out of range`,
    `Give a whole number from 1 to ${most}.`,
  );
}

function within(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : -1;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${option} ${text.slice(0, 40)} is out of range`, `Give seconds, up to ${most}.`);
}
