/**
 * The primitive `lease`: one holder of a resource at a time, for a while.
 *
 * LE1. A lease of a keeper with an engine carries a `fence`, the epoch of the grant: at most one holder per epoch, and epochs grow.
 * LE2. A lease of a keeper without one has the type `BestEffortLease`, which has no fence. What demands a fence does not compile with it.
 * LE3. A holder counts its own time from when it asked, so it believes in its lease no longer than the keeper does, as far as both clocks run
 *      alike.
 *
 * Promised: LE1, and that a resource behind a `FenceGate` refuses every use under an older epoch once it saw a newer one. Not promised: that
 * two never both believe they hold the lease. A holder that stood still for a while does; its fence is what stops it.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentContext, AgentRef, AgentRoutine, AgentTarget } from "../agent/index.ts";
import { LeaseHeldError, LeaseLostError } from "./errors.ts";
import type {
  BestEffortKeeper,
  FencingKeeper,
  LeaseClaim,
  LeaseGrant,
  LeaseRequest,
} from "./lease-keeper.ts";

/** What every lease has. Plain data; only its holder should use it. */
interface AnyLease {
  readonly resource: string;
  /** Id of the agent that holds it. */
  readonly holder: string;
  /** Milliseconds since the Unix epoch, by the holder's clock (LE3). */
  readonly expiresAtMs: number;
  readonly keeper: AgentTarget;
}

/** A lease with a fence. */
export interface FencedLease extends AnyLease {
  /** The epoch of the grant: give it to the resource with every use. */
  readonly fence: number;
}

/** A lease without a fence: good for saving work that two would do twice, and for nothing that must not happen twice. */
export interface BestEffortLease extends AnyLease {
  /** Names the grant to its keeper; no other use. */
  readonly grant: { readonly bestEffort: number };
}

/** Ask for a lease. @throws `orchestration.lease-held` with `details.retryAfterMs`; what `ctx.ask` throws */
export function lease(
  ctx: AgentContext,
  keeper: AgentRef<FencingKeeper>,
  resource: string,
  ttlMs: number,
): AgentRoutine<FencedLease>;
/** Ask for a lease without a fence. @throws the same */
export function lease(
  ctx: AgentContext,
  keeper: AgentRef<BestEffortKeeper>,
  resource: string,
  ttlMs: number,
): AgentRoutine<BestEffortLease>;
export function* lease(
  ctx: AgentContext,
  keeper: AgentRef<FencingKeeper> | AgentRef<BestEffortKeeper>,
  resource: string,
  ttlMs: number,
): AgentRoutine<FencedLease | BestEffortLease> {
  const askedMs = ctx.now();
  const holder = ctx.self.id;
  const granted = yield* asked(ctx, keeper, "acquire", { resource, holder, ttlMs });
  return shaped({ resource, holder, keeper }, granted, askedMs);
}

/** Extend a lease by `ttlMs` from now. @throws `orchestration.lease-lost` when it ran out or another has it */
export function* renew<Held extends FencedLease | BestEffortLease>(
  ctx: AgentContext,
  held: Held,
  ttlMs: number,
): AgentRoutine<Held> {
  const askedMs = ctx.now();
  const granted = yield* asked(ctx, held.keeper, "renew", { ...claimOf(held), ttlMs });
  return shaped(held, granted, askedMs) as Held;
}

/** Give a lease back before its time. False when it was over already. */
export function* release(ctx: AgentContext, held: FencedLease | BestEffortLease): AgentRoutine<boolean> {
  return (yield* ctx.ask<unknown>(held.keeper, "release", claimOf(held))) as boolean;
}

/** Whether the holder may still believe in its lease, by its own clock. */
export function isHeld(ctx: AgentContext, held: FencedLease | BestEffortLease): boolean {
  return ctx.now() < held.expiresAtMs;
}

/**
 * Hold a lease for the time of `work`, and give it back whatever becomes of it; a keeper that cannot be reached then changes nothing of what
 * came of the work, and the lease runs out by itself. `work` gets the lease and renews it itself when it takes longer. @throws `orchestration.lease-held`, what `work` throws
 */
export function* withLease<Result>(
  ctx: AgentContext,
  keeper: AgentRef<FencingKeeper>,
  wanted: { readonly resource: string; readonly ttlMs: number },
  work: (held: FencedLease) => AgentRoutine<Result>,
): AgentRoutine<Result> {
  const held = yield* lease(ctx, keeper, wanted.resource, wanted.ttlMs);
  try {
    return yield* work(held);
  } finally {
    yield* giveBack(ctx, held);
  }
}

/** A release that fails is none: the lease runs out by itself. */
function* giveBack(ctx: AgentContext, held: FencedLease): AgentRoutine<void> {
  try {
    yield* release(ctx, held);
  } catch {
    // Said above.
  }
}

/** The door of a resource: it lets a use pass only under the newest epoch it has seen. Keep `seen` with the resource itself, in one write. */
export class FenceGate {
  readonly resource: string;
  #seen: number;

  /** `seen`: the newest epoch that the resource stored, 0 for none. */
  constructor(resource: string, seen = 0) {
    this.resource = resource;
    this.#seen = seen;
  }

  /** The newest epoch seen. */
  get seen(): number {
    return this.#seen;
  }

  /** Let a use pass, or refuse it. Takes the fence of a lease and nothing else. @throws {LeaseLostError} under an older epoch */
  pass({ fence }: Pick<FencedLease, "fence">): void {
    if (!(fence >= this.#seen)) throw new LeaseLostError(this.resource, fence);
    this.#seen = fence;
  }
}

/** Ask a keeper; what it refuses arrives as data and is thrown as the error that it was. */
function* asked(
  ctx: AgentContext,
  keeper: AgentTarget,
  message: "acquire" | "renew",
  input: LeaseClaim | LeaseRequest,
): AgentRoutine<LeaseGrant> {
  try {
    return (yield* ctx.ask<unknown>(keeper, message, input)) as LeaseGrant;
  } catch (error) {
    const { holder, retryAfterMs, epoch } = (error as { details?: Record<string, unknown> }).details ?? {};
    const code = errorCodeOf(error);
    if (code === "orchestration.lease-held")
      throw new LeaseHeldError(input.resource, String(holder), Number(retryAfterMs));
    if (code === "orchestration.lease-lost") throw new LeaseLostError(input.resource, Number(epoch));
    throw error;
  }
}

function claimOf(held: FencedLease | BestEffortLease): LeaseClaim {
  const { resource, holder } = held;
  return { resource, holder, epoch: "fence" in held ? held.fence : held.grant.bestEffort };
}

function shaped(
  { resource, holder, keeper }: Pick<AnyLease, "resource" | "holder" | "keeper">,
  { epoch, ttlMs, fenced }: LeaseGrant,
  askedMs: number,
): FencedLease | BestEffortLease {
  const held = { resource, holder, keeper, expiresAtMs: askedMs + ttlMs };
  return fenced ? { ...held, fence: epoch } : { ...held, grant: { bestEffort: epoch } };
}
