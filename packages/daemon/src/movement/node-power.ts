/**
 * The power mode of a node, by its battery: how often it speaks to others without being asked (docs/spec/membership.md, "Saving power").
 *
 * NP1. `normal` without a battery or while it is charged, `low-power` on it, `ultra-low-power` while the trigger `battery-low` stands.
 * NP2. In a mode of P percent power the node probes, gossips and exchanges tables every `interval * 100 / P`. In the profile `fast`, whose point is to
 *      notice soon, it keeps its pace; the mode is told all the same.
 */
import type { Meter } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { type PowerMode, type PowerState, powerMode } from "@glia-os/rt";

/** The modes a node can be in. */
export type NodePowerMode = Extract<PowerMode, "normal" | "low-power" | "ultra-low-power">;

const PACE = "glia_gossip_pace";

/** What it works with. */
export interface NodePowerParts {
  readonly mesh: Pick<Mesh, "setPace">;
  readonly meter: Meter;
  /** Whether the node may notice others later than its profile says (NP2). */
  readonly maySlow: boolean;
}

/** The power of one node. */
export class NodePower {
  readonly #parts: NodePowerParts;
  #mode: NodePowerMode = "normal";

  constructor(parts: NodePowerParts) {
    this.#parts = parts;
    parts.meter.gauge(PACE, 1);
  }

  get mode(): NodePowerMode {
    return this.#mode;
  }

  /** The sensors were looked at. */
  look(state: Pick<PowerState, "readings" | "standing">): void {
    const mode = modeOf(state);
    if (mode === this.#mode) return;
    this.#mode = mode;
    const { mesh, meter, maySlow } = this.#parts;
    const pace = maySlow ? 100 / powerMode(mode).powerPercent : 1;
    mesh.setPace(pace);
    meter.gauge(PACE, pace);
  }
}

/** (NP1) */
function modeOf({ readings, standing }: Pick<PowerState, "readings" | "standing">): NodePowerMode {
  if (standing.has("battery-low")) return "ultra-low-power";
  return readings.battery?.charging === false ? "low-power" : "normal";
}
