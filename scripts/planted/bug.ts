/**
 * A planted bug: a small patch of shipped source, and how soon the simulator must catch it.
 *
 *     Bug: an accused member does not answer
 *     Scenario: stalls
 *     Nodes: 16
 *     Seeds: 5
 *
 *     diff --git a/packages/mesh-core/src/membership/hearing.ts b/packages/mesh-core/src/membership/hearing.ts
 *     ...
 *
 * Instead of a scenario of membership, `Scenario` may name one of `OVERLAY_RUNS`; `Nodes` is what that run has then.
 *
 * `Seeds` is the budget: with the patch, one of the seeds 1 to `Seeds` of the scenario must violate a property; without it, none may.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { machineScenario } from "@glia-os/sim";
import { OVERLAY_RUNS } from "../seeds/check-seed.ts";

/** Where bugs may be planted: what the runs run. */
const PLANTED_IN = /^packages\/(mesh-core|cells|kernel)\/src\//;

/** A bug as its file says it. */
export interface PlantedBug {
  readonly name: string;
  readonly summary: string;
  readonly scenario: string;
  readonly nodes: number;
  readonly seeds: number;
  readonly patch: string;
}

/** Reads a bug. @throws {RangeError} that says what is wrong with the file. */
export function parseBug(name: string, text: string): PlantedBug {
  const start = text.search(/^diff --git /m);
  if (start < 0) throw new RangeError(`${name} has no diff; make it with git diff`);
  const header = text.slice(0, start);
  const value = (key: string): string => {
    const found = [...header.matchAll(new RegExp(`^${key}: (.+)$`, "gm"))];
    if (found.length !== 1)
      throw new RangeError(`${name} has ${found.length} lines "${key}: ..."; it has one`);
    return found[0]?.[1]?.trim() ?? "";
  };
  const count = (key: string, most: number): number => {
    const number = Number(value(key));
    if (!Number.isInteger(number) || number < 1 || number > most)
      throw new RangeError(`${name}: ${key} is not a whole number from 1 to ${most}`);
    return number;
  };
  const scenario = value("Scenario");
  if (!Object.hasOwn(OVERLAY_RUNS, scenario)) machineScenario(scenario);
  const outside = [...text.slice(start).matchAll(/^diff --git a\/(\S+) /gm)].filter(
    ([, file = ""]) => !PLANTED_IN.test(file),
  );
  if (outside.length > 0)
    throw new RangeError(`${name} changes files outside the sources of mesh-core, cells and kernel`);
  return {
    name,
    summary: value("Bug"),
    scenario,
    nodes: count("Nodes", 256),
    seeds: count("Seeds", 1000),
    patch: text.slice(start),
  };
}

/** All bugs of a repository, by name. */
export function readBugs(root: string): PlantedBug[] {
  const folder = join(root, "conformance/planted");
  const files = readdirSync(folder).filter((file) => file.endsWith(".patch"));
  return files.sort().map((file) => parseBug(file.slice(0, -6), readFileSync(join(folder, file), "utf8")));
}
