/**
 * Runs one program on many simulated machines, from a seed.
 *
 * SR1. Everything that can differ between two runs comes from the seed and the list of faults, so the same ones give the same trace hash, on
 *      every engine. The schedule of faults is fixed before the first event: leaving one out changes nothing but what it did.
 * SR2. The trace hash covers every message that arrives (when, where, from whom, what), every boot, crash and reset.
 * SR3. A run ends at its duration, at a limit, when `check` names a violation, or when a program throws, which is one too.
 */
import type { Random, TrafficClass } from "@glia-os/abi/ports";
import { SeededRandom } from "@glia-os/abi/testing";
import { BadScenarioError } from "../errors.ts";
import { finite, LIMIT_MAX, whole } from "../limits.ts";
import type { Boot, MachineProcess, MachinesWorld } from "./machine.ts";
import { checkMachineFaults, type MachineFault } from "./machine-fault.ts";
import { MachineRun, type MachineRunOptions, type MachinesSimulation } from "./machine-run.ts";
import { type MachineScenario, machineScenario } from "./machine-scenarios.ts";
import type { NetworkModel } from "./network-model.ts";

/** Machines of one run. */
export const MACHINES_MAX = 4096;
/** Events after which a run is ended, unless told otherwise. */
export const MACHINE_EVENTS_MAX = 1_000_000_000;

/** How machines are simulated. */
export interface SimulateMachinesOptions<Message, Process extends MachineProcess<Message>> {
  readonly seed: number | string;
  /** How many machines: 1 to 4096. */
  readonly nodes: number;
  /** The program of each. */
  readonly boot: Boot<Message, Process>;
  /** A situation, by name or as a value; default `calm`. */
  readonly scenario?: string | MachineScenario;
  /** Faults in place of the scenario's. */
  readonly faults?: readonly MachineFault[];
  /** Changes of the scenario's network. */
  readonly network?: Partial<NetworkModel>;
  /** True time of the run in milliseconds; default: the scenario's. */
  readonly durationMs?: number;
  /** Events after which the run is ended: 1 to 9e12; default 1e9. */
  readonly eventsMax?: number;
  /** Time between the boots of two machines at the start; default 0. */
  readonly bootEveryMs?: number;
  /** Wall time of every machine at the start, since the Unix epoch; default 2026-01-01T00:00:00Z. */
  readonly wallStartMs?: number;
  /** What must hold: returns nothing when it does, else a sentence. Asked every `checkEveryMs` and at the end. */
  readonly check?: (world: MachinesWorld<Process>) => string | undefined;
  /** Default 1000. */
  readonly checkEveryMs?: number;
  /** 32 bits of a message for the trace hash; default: its bytes, or nothing of what is not bytes. */
  readonly digest?: (message: Message) => number;
  /** A message with something changed; undefined when nothing readable is left. Default: one bit of bytes, or undefined. */
  readonly corrupt?: (message: Message, random: Random) => Message | undefined;
  /** Sees every message that arrives. */
  readonly onMessage?: (from: number, to: number, trafficClass: TrafficClass, message: Message) => void;
}

/** 2026-01-01T00:00:00Z. */
const WALL_START_MS = 1_767_225_600_000;

/** Check the options and set the machines up, not started. */
export function prepareMachines<Message, Process extends MachineProcess<Message>>(
  options: SimulateMachinesOptions<Message, Process>,
): MachineRun<Message, Process> {
  const { seed, nodes, boot } = options;
  if (typeof seed !== "string") finite("seed", seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  whole("nodes", nodes, 1, MACHINES_MAX);
  if (typeof boot !== "function") throw new BadScenarioError(boot);
  const random = new SeededRandom(seed);
  const scenario =
    typeof options.scenario === "object" ? options.scenario : machineScenario(options.scenario ?? "calm");
  const durationMs = finite("durationMs", options.durationMs ?? scenario.durationMs, 0, LIMIT_MAX);
  const faults = options.faults ?? scenario.faults(random.fork("faults"), nodes, durationMs);
  checkMachineFaults(faults, nodes);
  const run: MachineRunOptions<Message, Process> = {
    seed,
    random,
    nodes,
    boot,
    durationMs,
    faults,
    network: { ...scenario.network, ...options.network },
    eventsMax: whole("eventsMax", options.eventsMax ?? MACHINE_EVENTS_MAX, 1, LIMIT_MAX),
    bootEveryMs: finite("bootEveryMs", options.bootEveryMs ?? 0, 0, LIMIT_MAX),
    wallStartMs: finite("wallStartMs", options.wallStartMs ?? WALL_START_MS, 0, LIMIT_MAX),
    checkEveryMs: finite("checkEveryMs", options.checkEveryMs ?? 1000, 1, LIMIT_MAX),
    check: options.check,
    digest: options.digest,
    corrupt: options.corrupt,
    onMessage: options.onMessage,
  };
  return new MachineRun(run);
}

/** Run to the end, in one call. @throws {BadOptionError} {BadFaultError} {BadScenarioError} {UnknownScenarioError} */
export function simulateMachines<Message, Process extends MachineProcess<Message>>(
  options: SimulateMachinesOptions<Message, Process>,
): MachinesSimulation<Process> {
  const run = prepareMachines(options);
  while (run.step());
  return run.result();
}

/** The same for programs that use promises: after every event, `turn` lets microtasks run. */
export async function simulateMachinesAsync<Message, Process extends MachineProcess<Message>>(
  options: SimulateMachinesOptions<Message, Process>,
  turn: () => Promise<unknown>,
): Promise<MachinesSimulation<Process>> {
  const run = prepareMachines(options);
  while (run.step()) await turn();
  return run.result();
}
