/**
 * The primitive `await`: wait for asks that are under way, all of them or the first that succeeds.
 *
 * Promised: every ticket is used up when these return or throw, so nothing is left under way. Not promised: that an ask that was given up
 * was not handled. A receiver may handle what nobody waits for any more.
 */
import type { AgentContext, AgentRoutine, Settled, Ticket } from "../agent/index.ts";
import { BadOptionError } from "./errors.ts";

/**
 * The values of all asks, in the order of the tickets. When one fails the others are abandoned and its failure is thrown.
 * @throws what an ask failed with
 */
export function* awaitAll<Reply>(
  ctx: AgentContext,
  tickets: readonly Ticket<Reply>[],
): AgentRoutine<readonly Reply[]> {
  const values = new Map<number, Reply>();
  let open = [...tickets];
  while (open.length > 0) {
    const settled: readonly Settled<Reply>[] = yield* ctx.settled(open);
    open = without(open, settled);
    for (const one of settled) {
      if (!one.ok) {
        ctx.abandon(open);
        throw one.error;
      }
      values.set(one.ticket.id, one.value);
    }
  }
  return tickets.map(({ id }) => values.get(id) as Reply);
}

/** How every ask ended, in the order of the tickets; failures too. */
export function* awaitSettled<Reply>(
  ctx: AgentContext,
  tickets: readonly Ticket<Reply>[],
): AgentRoutine<readonly Settled<Reply>[]> {
  if (tickets.length === 0) return [];
  const settled: readonly Settled<Reply>[] = yield* ctx.settled(tickets, { count: tickets.length });
  const by = new Map(settled.map((one) => [one.ticket.id, one]));
  return tickets.map(({ id }) => by.get(id) as Settled<Reply>);
}

/** The value of the first ask that succeeds; the others are abandoned. @throws the last failure when all fail, {BadOptionError} for none */
export function* awaitFirst<Reply>(
  ctx: AgentContext,
  tickets: readonly Ticket<Reply>[],
): AgentRoutine<{ readonly ticket: Ticket<Reply>; readonly value: Reply }> {
  let open = [...tickets];
  let failure: unknown = new BadOptionError("tickets", "there are none to wait for");
  while (open.length > 0) {
    const settled: readonly Settled<Reply>[] = yield* ctx.settled(open);
    open = without(open, settled);
    for (const one of settled) {
      if (one.ok) {
        ctx.abandon(open);
        return { ticket: one.ticket, value: one.value };
      }
      failure = one.error;
    }
  }
  throw failure;
}

function without<Reply>(
  tickets: readonly Ticket<Reply>[],
  settled: readonly Settled<Reply>[],
): Ticket<Reply>[] {
  const over = new Set(settled.map(({ ticket }) => ticket.id));
  return tickets.filter(({ id }) => !over.has(id));
}
