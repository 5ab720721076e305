/**
 * Checks an image that came from outside against the program it is to be restored with, before anything is made for it.
 *
 * CI1. What comes out fits the program: module, profile, pending call, memory size and the facts of the host. Globals and frames
 *      are checked when they are put back.
 */
import { type HostModule, type InstanceImage, type PendingCall, PREEMPTED_OP } from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import { SnapshotMismatchError } from "../errors.ts";
import { decodeHostState, type HostState } from "../host-module/host-section.ts";
import { PAGE_BYTES } from "../layout.ts";
import { isMetered } from "../profile.ts";
import { type Control, checkPending, decodeControl, sectionOf } from "./image.ts";

/** What an image says, checked. */
export interface CheckedImage {
  readonly pages: number;
  readonly saved: HostState;
  readonly pending: PendingCall;
  readonly control: Control;
}

/** @throws SnapshotMismatchError, HostModuleMissingError is left to opening the modules */
export function checkedImage(
  {
    hash,
    shape,
    hostModules,
  }: { readonly hash: string; readonly shape: GuestShape; readonly hostModules: readonly HostModule[] },
  image: InstanceImage,
): CheckedImage {
  if (image.moduleHash !== hash) throw new SnapshotMismatchError("the module", image.moduleHash, hash);
  const { profile } = shape.profile;
  if (image.profile !== profile) throw new SnapshotMismatchError("the profile", image.profile, profile);
  const saved = hostStateOf(image);
  const pending = isPreempted(image.pending, profile)
    ? { ...image.pending, args: [] }
    : checkPending(image.pending, saved.waiting, shape.imports, hostModules);
  const control = decodeControl(sectionOf(image, "control"), isMetered(profile));
  if (control.phase === 0 && !shape.hasStart) throw new SnapshotMismatchError("phase", "start", "main");
  const pages = sectionOf(image, "memory").length / PAGE_BYTES;
  const { minimum, maximum } = shape.memory;
  if (!Number.isInteger(pages) || pages < minimum || pages > maximum)
    throw new SnapshotMismatchError("section memory", `${pages} pages`, `${minimum} to ${maximum}`);
  return { pages, saved, pending, control };
}

function hostStateOf({ sections }: InstanceImage): HostState {
  const bytes = Object.hasOwn(sections, "host") ? sections["host"] : undefined;
  return bytes === undefined ? { waiting: undefined, modules: [] } : decodeHostState(bytes);
}

/** Whether an image is of a guest that was pre-empted. @throws SnapshotMismatchError */
function isPreempted({ op, args, requestId }: PendingCall, profile: string): boolean {
  if (op !== PREEMPTED_OP) return false;
  if (profile !== "preemptive") throw new SnapshotMismatchError("the pending call", op, "a blocking call");
  if (args.length > 0 || !Number.isSafeInteger(requestId) || requestId < 1)
    throw new SnapshotMismatchError("the pending call", `${op} ${requestId} (${args.join()})`, `${op} ()`);
  return true;
}
