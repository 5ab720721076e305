/**
 * Guests that arrive by post-copy in a thread that has not admitted their program: another thread of the process has, and lends it.
 *
 * BP1. What is lent was admitted where it comes from, and nothing of it from outside the process: it is not checked again.
 * BP2. The forms with checks of presence are made once for a program: by the first thread that borrows it, which gives them back, so that the
 *      thread that lends, with all of its guests, does not stand still for it.
 */
import type { EngineLimits, GuestHost, HostModule } from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import { postCopied } from "../engine/arrival.ts";
import { BodyPool, spareRoom } from "../engine/body.ts";
import { checkHostModules } from "../engine/host-modules.ts";
import type { WasmInstance } from "../engine/instance.ts";
import { completeLimits } from "../engine/limits.ts";
import { type PresenceModules, presenceModules, presenceWith } from "../presence/variants.ts";
import type { PostCopyHandover } from "./arrival-state.ts";

/** See `lend` of a program. */
export interface LentProgram {
  /** SHA-256 of the module, as hexadecimal. */
  readonly hash: string;
  readonly shape: GuestShape;
  /** The forms for guests that arrive, or the module to make them of. */
  readonly form: PresenceModules | Uint8Array;
}

/** A program as the borrowing thread has it. */
export interface BorrowedProgram {
  /** The forms, for `presence` of the program where it was lent (BP2). */
  readonly made: PresenceModules;
  /** As `arrive` of a program. */
  arrive(handover: PostCopyHandover, limits: Partial<EngineLimits>, host: GuestHost): WasmInstance;
}

/** Make it ready for guests. @throws NotInstrumentedError for the profile `none`, UnsupportedFeatureError, BadHostModuleError */
export async function borrowed(
  { hash, shape, form }: LentProgram,
  offered: readonly HostModule[] = [],
): Promise<BorrowedProgram> {
  const hostModules = checkHostModules(offered);
  const made = form instanceof Uint8Array ? await presenceModules({ bytes: form, shape }) : form;
  const presence = presenceWith({ hash, shape, hostModules }, made);
  const bodies = new BodyPool(presence.plain, spareRoom(0, 0));
  const program = { hash, shape, hostModules, heartbeat: undefined, bodies };
  let instances = 0;
  return {
    made,
    arrive: (handover, limits, host) =>
      postCopied(program, ++instances, presence, handover, completeLimits(limits), host),
  };
}
