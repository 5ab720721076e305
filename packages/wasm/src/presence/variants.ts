/**
 * The two forms of an admitted module for guests in shared memory, made here out of the module's own bytes: one that checks whether a
 * page is there before it touches it, and one that does not.
 *
 * PV1. A node takes neither from outside: admission refuses shared memory and memories too many, whether a check is missing or not.
 *      What it runs is what it wrote itself into bytes that admission has read.
 * PV2. Snapshots, globals, frames and fuel are those of the admitted module: checks are put in after asyncify and after fuel.
 */
import type { TrackedProgram } from "../barrier/tracking.ts";
import type { BodyPlan } from "../engine/body.ts";
import { NotInstrumentedError } from "../errors.ts";
import { type CompiledModule, webAssembly } from "../web-assembly.ts";
import { checkAccesses } from "./check-accesses.ts";
import { sharedForm } from "./shared-form.ts";

/** The forms themselves, which threads of one process can give each other. */
export interface PresenceModules {
  /** While pages are missing. */
  readonly checked: CompiledModule;
  /** Once all are there. */
  readonly plain: CompiledModule;
}

/** Compiled modules for guests that arrive by post-copy, of the program with this hash. */
export interface Presence {
  readonly hash: string;
  readonly checked: BodyPlan;
  readonly plain: BodyPlan;
}

/**
 * Make and compile them. O(module size): some milliseconds for a small module, some hundred for one of two megabytes.
 * @throws NotInstrumentedError for the profile `none`, UnsupportedFeatureError
 */
export async function presenceModules({
  bytes,
  shape,
}: Pick<TrackedProgram, "bytes" | "shape">): Promise<PresenceModules> {
  if (shape.profile.profile === "none")
    throw new NotInstrumentedError("a guest of the profile none runs to its end in one step and never moves");
  const [checked, plain] = await Promise.all([
    webAssembly.compile(checkAccesses(bytes)),
    webAssembly.compile(sharedForm(bytes)),
  ]);
  return { checked, plain };
}

/** What guests of a program are made of with them. */
export function presenceWith(
  { hash, shape, hostModules }: Omit<TrackedProgram, "bytes">,
  { checked, plain }: PresenceModules,
): Presence {
  const plan = { shape, hostModules };
  return { hash, checked: { ...plan, module: checked }, plain: { ...plan, module: plain } };
}
