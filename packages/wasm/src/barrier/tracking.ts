/**
 * The form of an admitted module that marks the pages its guests write, made here out of the module's own bytes.
 *
 * TR1. A node takes no such module from outside: admission refuses it, because it has a memory too many. What it runs is what it
 *      wrote itself into bytes that admission has read.
 * TR2. Snapshots, globals, frames and fuel are those of the admitted module: the marks are put in after asyncify and after fuel.
 */
import type { HostModule } from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import { readOutline } from "../binary/outline.ts";
import type { BodyPlan } from "../engine/body.ts";
import { NotInstrumentedError } from "../errors.ts";
import { sharedForm } from "../presence/shared-form.ts";
import { webAssembly } from "../web-assembly.ts";
import { activeData } from "./active-data.ts";
import { markWrites } from "./mark-writes.ts";

/** A compiled module that marks writes, for guests of the program with this hash. */
export interface Tracking {
  readonly hash: string;
  readonly profile: string;
  /** For guests whose memory another thread has, too. */
  readonly shared: boolean;
  readonly plan: BodyPlan;
}

/** What it is made from. */
export interface TrackedProgram {
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly shape: GuestShape;
  readonly hostModules: readonly HostModule[];
}

/**
 * Make and compile it. O(module size), some milliseconds for a small module.
 * @throws NotInstrumentedError for the profile `none`, UnsupportedFeatureError
 */
export async function trackingOf(
  { hash, bytes, shape, hostModules }: TrackedProgram,
  shared = false,
): Promise<Tracking> {
  const { profile } = shape.profile;
  if (profile === "none")
    throw new NotInstrumentedError("a guest of the profile none runs to its end in one step and never moves");
  const marked = markWrites(bytes);
  const overwritten = shared ? [] : activeData(bytes, readOutline(bytes));
  const module = await webAssembly.compile(shared ? sharedForm(marked) : marked);
  return { hash, profile, shared, plan: { module, shape, hostModules, overwritten } };
}
