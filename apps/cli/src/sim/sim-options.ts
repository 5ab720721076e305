/** The options of `glia sim`, checked before anything runs. */
import { readFileSync } from "node:fs";
import { isGliaError } from "@glia-os/abi/errors";
import { MEMBERSHIP_PROFILES, type MembershipProfile } from "@glia-os/mesh-core";
import { MACHINES_MAX, type MachineFault, machineScenario, simulate } from "@glia-os/sim";
import { reasonOf, UsageError } from "../errors.ts";
import type { SimTask } from "./sim-task.ts";

/** As the command line gives them. */
export interface SimOptions {
  readonly nodes: string;
  readonly scenario: string;
  readonly seed: string;
  readonly seeds: string;
  readonly profile: string;
  readonly minutes?: string;
  readonly converge?: string;
  readonly faults?: string;
  readonly list?: boolean;
}

const SEEDS_MAX = 100_000;
const MINUTES_MAX = 1440;

/** What to simulate. @throws {UsageError}, and the simulator's refusals of scenarios and faults. */
export function simTask(options: SimOptions): SimTask {
  const nodes = wholeNumber("--nodes", options.nodes, 2, MACHINES_MAX);
  const scenario = checkedScenario(options.scenario);
  const profile = checkedProfile(options.profile);
  const minutes = options.minutes === undefined ? undefined : minutesOf(options.minutes);
  const faults = options.faults === undefined ? undefined : readFaults(options.faults);
  const durationMs = minutes === undefined ? undefined : minutes * 60_000;
  const seeds = seedsOf(options.seed, wholeNumber("--seeds", options.seeds, 1, SEEDS_MAX));
  // Nothing runs for no time, but everything is checked.
  simulate({
    seed: 1,
    nodes,
    boot: () => ({ receive: () => undefined }),
    durationMs: 0,
    ...(faults !== undefined && { faults }),
  });
  const convergeMs =
    options.converge === undefined
      ? undefined
      : 1000 * wholeNumber("--converge", options.converge, 1, 86_400);
  return { nodes, scenario, seeds, profile, durationMs, convergeMs, faults };
}

function checkedScenario(name: string): string {
  try {
    machineScenario(name);
    return name;
  } catch (error) {
    throw isGliaError(error) ? new UsageError(`--scenario: ${error.message}`) : error;
  }
}

function checkedProfile(name: string): MembershipProfile {
  if (Object.hasOwn(MEMBERSHIP_PROFILES, name)) return name as MembershipProfile;
  throw new UsageError(`--profile ${name} is none of ${Object.keys(MEMBERSHIP_PROFILES).join(", ")}`);
}

function seedsOf(seed: string, count: number): readonly (number | string)[] {
  const first = /^-?\d{1,15}$/.test(seed) ? Number(seed) : seed;
  if (count === 1) return [first];
  if (typeof first === "string")
    throw new UsageError(`--seeds counts up from a number, and --seed is ${JSON.stringify(seed)}`);
  return Array.from({ length: count }, (_, i) => first + i);
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`${option} ${text} is not a whole number from ${least} to ${most}`);
  return value;
}

function minutesOf(text: string): number {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0.1 && value <= MINUTES_MAX))
    throw new UsageError(`--minutes ${text} is not a number from 0.1 to ${MINUTES_MAX}`);
  return value;
}

function readFaults(given: string): readonly MachineFault[] {
  try {
    const text = given.startsWith("@") ? readFileSync(given.slice(1), "utf8") : given;
    const faults: unknown = JSON.parse(text);
    if (Array.isArray(faults)) return faults as readonly MachineFault[];
  } catch (error) {
    throw new UsageError(`--faults cannot be read: ${reasonOf(error)}`);
  }
  throw new UsageError("--faults is no JSON list");
}
