/**
 * Named situations for a group of machines: how good the network is, what goes wrong, and for how long. What goes wrong is drawn from the
 * seed or written down; either way it is a list in the end.
 */
import type { Random } from "@glia-os/abi/ports";
import { UnknownScenarioError } from "../errors.ts";
import { drawMachineFaults, type MachineFaultMenu } from "./fault-menu.ts";
import type { MachineFault, StallFlavour } from "./machine-fault.ts";
import type { NetworkModel } from "./network-model.ts";

/** One situation. */
export interface MachineScenario {
  /** One sentence, for lists. */
  readonly what: string;
  readonly network: Partial<NetworkModel>;
  /** True time that a run takes, in milliseconds. */
  readonly durationMs: number;
  /** The schedule for so many machines. */
  faults(random: Random, machines: number, durationMs: number): readonly MachineFault[];
}

const MINUTE_MS = 60_000;
const half = (machines: number): number[] => Array.from({ length: machines >> 1 }, (_, i) => i);
const pick = (random: Random, machines: number): number => random.uint32() % machines;

function drawn(
  what: string,
  minutes: number,
  menu: MachineFaultMenu,
  network: Partial<NetworkModel> = {},
): MachineScenario {
  return {
    what,
    network,
    durationMs: minutes * MINUTE_MS,
    faults: (random, machines, durationMs) => drawMachineFaults(menu, random, machines, durationMs),
  };
}

function written(
  what: string,
  minutes: number,
  faults: (random: Random, machines: number) => readonly MachineFault[],
  network: Partial<NetworkModel> = {},
): MachineScenario {
  return { what, network, durationMs: minutes * MINUTE_MS, faults };
}

/** Machines that stand still for long and run for moments, again and again (the gray failures of the Lifeguard paper, section V). */
function grayFaults(
  random: Random,
  machines: number,
  gray: {
    readonly count: number;
    readonly stopMs: number;
    readonly runMs: number;
    readonly flavour: StallFlavour;
  },
): MachineFault[] {
  const faults: MachineFault[] = [];
  const sick = new Set<number>();
  while (sick.size < Math.min(gray.count, machines)) sick.add(pick(random, machines));
  for (const machine of sick) {
    const firstMs = 10_000 + (random.uint32() % 1000);
    for (let atMs = firstMs; atMs < 125_000; atMs += gray.stopMs + gray.runMs)
      faults.push({
        kind: "stall",
        atMs,
        forMs: Math.min(gray.stopMs, 135_000 - atMs),
        machine,
        flavour: gray.flavour,
      });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** The situations by name. */
export const MACHINE_SCENARIOS: Readonly<Record<string, MachineScenario>> = {
  calm: written("nothing goes wrong", 3, () => []),
  crash: written("one machine is killed after 30 s and does not come back", 3, (random, machines) => [
    { kind: "crash", atMs: 30_000, machine: pick(random, machines) },
  ]),
  churn: drawn("machines crash and come back all the time", 6, { crashes: 6, amnesia: 0.3, healMs: 180_000 }),
  partition: written("two halves cannot talk for a minute", 5, (_, machines) => [
    { kind: "partition", atMs: 30_000, forMs: MINUTE_MS, groups: [half(machines)] },
  ]),
  "one-way": drawn("single directions, and machines that only hear or only speak", 6, {
    isolations: 1,
    blocks: 3,
    healMs: 180_000,
  }),
  deaf: written("one machine hears nothing for two minutes", 6, (random, machines) => {
    const deaf = pick(random, machines);
    const from = Array.from({ length: machines }, (_, i) => i).filter((i) => i !== deaf);
    return [{ kind: "block", atMs: 30_000, forMs: 2 * MINUTE_MS, from, to: [deaf] }];
  }),
  leave: written("one machine leaves, then the others are cut in two for a while", 6, (random, machines) => [
    { kind: "act", atMs: 30_000, machine: pick(random, machines), name: "leave" },
    { kind: "partition", atMs: 45_000, forMs: MINUTE_MS, groups: [half(machines)] },
  ]),
  lossy: drawn(
    "a tenth of the datagrams is lost, a tenth doubled, all overtake each other",
    4,
    {},
    {
      loss: 0.1,
      duplication: 0.1,
      jitterMs: 20,
    },
  ),
  storm: written(
    "three tenths of the datagrams are lost for two minutes, some doubled, all overtake each other",
    6,
    () => [
      {
        kind: "weather",
        atMs: MINUTE_MS,
        forMs: 2 * MINUTE_MS,
        network: { loss: 0.3, duplication: 0.1, jitterMs: 20 },
      },
    ],
  ),
  stalls: drawn("machines stand still for a second or two", 6, { stalls: 6, healMs: 180_000 }),
  gray: written(
    "an eighth of the machines runs for 64 ms in every 16 s, for two minutes",
    5,
    (random, machines) =>
      grayFaults(random, machines, {
        count: Math.max(1, machines >> 3),
        stopMs: 16_000,
        runMs: 64,
        flavour: "timers-first",
      }),
  ),
  "gray-io": written(
    "an eighth of the machines reads its sockets for 64 ms in every 16 s, while its timers run",
    5,
    (random, machines) =>
      grayFaults(random, machines, {
        count: Math.max(1, machines >> 3),
        stopMs: 16_000,
        runMs: 64,
        flavour: "io-only",
      }),
  ),
  clocks: drawn("wall clocks jump, clocks run at different speeds", 5, {
    wallSteps: 4,
    drifts: 4,
    healMs: 150_000,
  }),
  forgetful: drawn("machines come back with an empty disk and a wall clock that was set back or forward", 6, {
    crashes: 3,
    amnesia: 1,
    wallSteps: 6,
    healMs: 180_000,
  }),
  chaos: drawn(
    "all of it, on a network that loses and corrupts",
    8,
    {
      crashes: 2,
      amnesia: 0.2,
      stalls: 3,
      partitions: 0.5,
      isolations: 0.5,
      blocks: 1,
      clogs: 2,
      resets: 4,
      addresses: 1,
      storms: 0.5,
      drifts: 1,
      healMs: 240_000,
    },
    { loss: 0.02, duplication: 0.02, jitterMs: 5, slow: 0.0005, corruption: 0.001 },
  ),
};

/** A situation by its name. @throws {UnknownScenarioError} */
export function machineScenario(name: string): MachineScenario {
  const scenario = Object.hasOwn(MACHINE_SCENARIOS, name) ? MACHINE_SCENARIOS[name] : undefined;
  if (scenario === undefined) throw new UnknownScenarioError(name, Object.keys(MACHINE_SCENARIOS));
  return scenario;
}
