/**
 * Who leads a group for certain: the member that holds the group's lease. Naming leaders by the view (`leadersOf`) costs nothing and may differ for
 * a while between two views; this costs an ask and gives a fence.
 *
 * LS1. At most one member leads per epoch, whatever views there are; what it does under its fence is refused once another leads.
 * LS2. Only members lead, and only while the group is active or paused.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentContext, AgentRef, AgentRoutine } from "../agent/index.ts";
import { GroupStateError, type LeaseHeldError, UnknownMemberError } from "./errors.ts";
import type { Group } from "./group.ts";
import { type FencedLease, lease } from "./lease.ts";
import type { FencingKeeper } from "./lease-keeper.ts";

/** Who leads: this agent, by a lease that it renews while it wants to; or another one, for so long at least. */
export type Leadership =
  | { readonly leads: true; readonly lease: FencedLease }
  | { readonly leads: false; readonly leader: string; readonly retryAfterMs: number };

/** Try to lead a group for `ttlMs`. @throws {UnknownMemberError}, {GroupStateError}, what `lease` throws but that it is held */
export function* lead(
  ctx: AgentContext,
  group: Group,
  keeper: AgentRef<FencingKeeper>,
  ttlMs: number,
): AgentRoutine<Leadership> {
  const { name, state, members } = group;
  if (!members.some(({ id }) => id === ctx.self.id)) throw new UnknownMemberError(name, ctx.self.id);
  if (state === "dissolving" || state === "dissolved") throw new GroupStateError(name, state, "be led");
  try {
    return { leads: true, lease: yield* lease(ctx, keeper, `group ${name}`, ttlMs) };
  } catch (error) {
    if (errorCodeOf(error) !== "orchestration.lease-held") throw error;
    const { details } = error as LeaseHeldError;
    return { leads: false, leader: String(details["holder"]), retryAfterMs: Number(details["retryAfterMs"]) };
  }
}
