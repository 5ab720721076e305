/** A local system of agents on virtual time, and what a routine in it comes to. */
import { SeededRandom } from "@glia-os/abi/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { afterEach } from "vitest";
import {
  type AgentContext,
  type AgentRoutine,
  createLocalSystem,
  type LocalAgentSystem,
} from "../../src/agent/index.ts";

/** A system and its clock. */
export interface VirtualSystem {
  readonly time: VirtualTime;
  readonly system: LocalAgentSystem;
  /** Run a routine to its end, at most an hour of virtual time. */
  run<Result>(routine: (ctx: AgentContext) => AgentRoutine<Result>): Promise<Result>;
}

const open: VirtualSystem[] = [];

/** Make a system; it is closed after the test. */
export function virtualSystem(seed: number | string = 1): VirtualSystem {
  const time = new VirtualTime();
  const system = createLocalSystem({ clock: time, timers: time, random: new SeededRandom(seed) });
  const made: VirtualSystem = { time, system, run: (routine) => time.settle(system.run(routine), 3_600_000) };
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const { time, system } of open.splice(0)) await time.settle(system.close());
});
