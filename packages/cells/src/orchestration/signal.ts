/**
 * The primitive `signal`: a message nobody waits for.
 *
 * Promised: messages of one sender to one receiver arrive in order, each at most once, and exactly once while the receiver lives and is
 * reached within the life of the link. Not promised: that it was handled. Who must know asks.
 */
import type { Accepted, AgentContext, AgentTarget, InputOf, MessageName } from "../agent/index.ts";

/** Send without waiting. `pressured`: it was taken, and the receiver would rather have a pause. @throws what `ctx.tell` throws */
export function signal<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
  ctx: AgentContext,
  to: AgentTarget<Def>,
  message: Name,
  input?: InputOf<Def, Name>,
): Accepted {
  return ctx.tell(to, message, input);
}

/** What became of a message to many. */
export interface SignalledAll<Def> {
  readonly taken: number;
  /** Those that took it and would rather have a pause. */
  readonly pressured: readonly AgentTarget<Def>[];
  /** Those that refused it, with why. */
  readonly refused: readonly { readonly to: AgentTarget<Def>; readonly error: unknown }[];
}

/** Send the same to many without waiting. A receiver that refuses keeps nobody else from getting it. O(receivers). */
export function signalAll<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
  ctx: AgentContext,
  receivers: Iterable<AgentTarget<Def>>,
  message: Name,
  input?: InputOf<Def, Name>,
): SignalledAll<Def> {
  let taken = 0;
  const pressured: AgentTarget<Def>[] = [];
  const refused: { to: AgentTarget<Def>; error: unknown }[] = [];
  for (const to of receivers)
    try {
      const accepted = ctx.tell(to, message, input);
      taken++;
      if (accepted === "pressured") pressured.push(to);
    } catch (error) {
      refused.push({ to, error });
    }
  return { taken, pressured, refused };
}
