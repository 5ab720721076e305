/**
 * A node's policies at work: looks at the sensors from time to time, and moves agents when a policy that is on wants it.
 *
 * PO1. Each move is counted and kept under the name of its policy. At most `movesPerMinute` begin in a minute.
 * PO2. One look at a time; the moves of a look are over before the next.
 * PO3. Triggers and their hysteresis are those of `@glia-os/rt`; what the sensors do not say triggers nothing.
 */
import type { AgentRow, Clock, Logger, Meter, Sensors, TimerHandle, Timers } from "@glia-os/abi/ports";
import { MoveBudget, MovementPolicies, type MoveWish, POLICIES, type PolicyName } from "@glia-os/cells";
import { PowerWatch, type Trigger } from "@glia-os/rt";
import { BadOptionsError } from "../errors.ts";
import type { AgentMover, MoveOutcome } from "./agent-mover.ts";
import type { LatencyWatch } from "./latency-watch.ts";
import type { NodeCondition, PolicyMove } from "./move-api.ts";
import { LOOK_MS, MOVES_PER_MINUTE, type MovementSettings } from "./movement-settings.ts";
import type { NodePower } from "./node-power.ts";
import type { PlacementService } from "./placement-service.ts";

const KEPT_MOVES = 16;
const TRIGGERS: readonly Trigger[] = ["battery-low", "warm", "hot", "cpu-load", "memory-load", "queue-depth"];

/** What it works with. */
export interface PolicyWatchParts {
  readonly settings: MovementSettings;
  readonly sensors: Sensors;
  readonly totalMemoryBytes: number;
  readonly mover: AgentMover;
  readonly placement: Pick<PlacementService, "candidates">;
  readonly latency: Pick<LatencyWatch, "on" | "look">;
  readonly power: Pick<NodePower, "mode" | "look">;
  readonly hosting: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly meter: Meter;
  readonly logger: Logger;
}

/** The policies of one node. */
export class PolicyWatch {
  readonly #parts: PolicyWatchParts;
  readonly #policies: MovementPolicies;
  readonly #budget: MoveBudget;
  readonly #watch: PowerWatch;
  readonly #lookMs: number;
  #moves: readonly PolicyMove[] = [];
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(parts: PolicyWatchParts) {
    const { settings, sensors, clock, timers, totalMemoryBytes, meter, logger } = parts;
    this.#parts = parts;
    this.#policies = new MovementPolicies(settings.policies ?? []);
    parts.latency.on = this.#policies.enabled.includes("latency");
    this.#budget = new MoveBudget(settings.movesPerMinute ?? MOVES_PER_MINUTE);
    this.#lookMs = settings.lookMs ?? LOOK_MS;
    for (const trigger of TRIGGERS) meter.gauge("glia_policy_trigger", 0, { trigger });
    for (const policy of POLICIES) meter.count("glia_policy_moves_total", 0, { policy, outcome: "moved" });
    this.#watch = new PowerWatch({
      sensors,
      clock,
      timers,
      totalMemoryBytes,
      listen: ({ raised, cleared }) => {
        for (const trigger of raised) meter.gauge("glia_policy_trigger", 1, { trigger });
        for (const trigger of cleared) meter.gauge("glia_policy_trigger", 0, { trigger });
      },
      failed: (error) => logger.log("warn", "sensors cannot be read", { why: String(error) }),
    });
  }

  /** Look from now on. */
  start(): void {
    this.#again(0);
  }

  /** Look no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Turn a policy on or off. @throws {BadOptionsError} for one that there is not */
  set(policy: string, on: boolean): void {
    if (!(POLICIES as readonly string[]).includes(policy))
      throw new BadOptionsError(`There is no policy ${JSON.stringify(policy)}, only ${POLICIES.join(", ")}`);
    this.#policies.set(policy as PolicyName, on);
    this.#parts.latency.on = this.#policies.enabled.includes("latency");
  }

  /** What a node says of itself about it. */
  condition(): Pick<NodeCondition, "takes" | "readings" | "power" | "standing" | "policies" | "moves"> {
    const { readings = {}, standing = new Set<string>() } = this.#watch.state ?? {};
    const { battery, temperatureCelsius, cpuLoad, memoryLoad } = readings;
    const told = {
      ...(battery && { batteryPercent: battery.percent, charging: battery.charging }),
      ...(temperatureCelsius !== undefined && { temperatureCelsius }),
      ...(cpuLoad !== undefined && { cpuLoad }),
      ...(memoryLoad !== undefined && { memoryLoad }),
    };
    const takes = this.#policies.takes(standing);
    return {
      takes,
      readings: told,
      power: this.#parts.power.mode,
      standing: [...standing],
      policies: this.#policies.enabled,
      moves: this.#moves,
    };
  }

  #again(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.timers.schedule(delayMs, () => void this.#look(), {
      toleranceMs: delayMs / 10,
    });
  }

  async #look(): Promise<void> {
    const { hosting, logger } = this.#parts;
    try {
      const { standing, readings } = await this.#watch.look();
      this.#parts.power.look({ standing, readings });
      const leastElsewhere = await this.#leastElsewhere();
      const wish = this.#policies.wish({ standing, hosting: hosting(), leastElsewhere });
      if (wish !== undefined) await this.#fulfil(wish);
      else await this.#bringNearer();
    } catch (error) {
      logger.log("warn", "a policy could not move agents", { why: String(error) });
    }
    this.#again(this.#lookMs);
  }

  /** Asked only when somebody wants to know: a node without rebalancing asks nobody. */
  async #leastElsewhere(): Promise<number | undefined> {
    if (!this.#policies.enabled.includes("rebalance")) return undefined;
    const candidates = await this.#parts.placement.candidates();
    return candidates.length === 0 ? undefined : Math.min(...candidates.map(({ hosting }) => hosting));
  }

  async #fulfil({ policy, why, moves }: MoveWish): Promise<void> {
    const { mover } = this.#parts;
    const here = await mover.busiestFirst();
    for (const row of moves === "one" ? here.slice(0, 1) : here) {
      if (!this.#mayBegin()) return;
      this.#began(policy, why, row, await mover.away(row));
    }
  }

  async #bringNearer(): Promise<void> {
    const move = await this.#parts.latency.look(() => this.#mayBegin());
    if (move !== undefined) this.#began("latency", move.why, move.row, move.outcome);
  }

  #mayBegin(): boolean {
    return !this.#stopped && this.#budget.take(this.#parts.clock.monotonicMs());
  }

  /** PO1. */
  #began(policy: PolicyName, why: string, { agent, name }: AgentRow, outcome: MoveOutcome): void {
    const { clock, meter, logger } = this.#parts;
    const to = outcome.kind === "moved" ? outcome.to : undefined;
    const move = { policy, why, agent, name, to, atMs: clock.wallMs() };
    this.#moves = [...this.#moves, move].slice(-KEPT_MOVES);
    meter.count("glia_policy_moves_total", 1, { policy, outcome: outcome.kind });
    logger.log("info", "a policy moved an agent", { policy, why, agent, to: to ?? "nowhere" });
  }
}
