/**
 * The agent that grants leases. With an engine its epochs are fences; without one it does its best, and its type says so.
 *
 * LK1. A grant is one compare-and-swap on the engine: at most one holder per epoch, and epochs grow.
 * LK2. A lease ends by the keeper's own clock. A keeper whose clock runs ahead ends leases early; nobody's fence suffers from it.
 * LK3. Without an engine the epochs live in the state of the agent and begin again with it, so they are given to nobody. It holds
 *      {@link RESOURCES_MAX} leases; when it is full, those that are over make room, and grow on from the highest epoch that was forgotten.
 */
import type { FenceRow, FenceStore } from "@glia-os/abi/ports";
import { type AgentContext, type AgentDefinition, agent } from "../agent/index.ts";
import { checkText, checkWhole } from "./check-option.ts";
import { LeaseHeldError, LeaseLostError } from "./errors.ts";

/** Characters of the name of a resource. */
export const RESOURCE_CHARS_MAX = 256;
/** The shortest lease in milliseconds. */
export const LEASE_TTL_MS_MIN = 1;
/** The longest lease in milliseconds: a day. */
export const LEASE_TTL_MS_MAX = 86_400_000;
/** Leases at once of a keeper without an engine. */
export const RESOURCES_MAX = 10_000;

/** What is asked of a keeper. */
export interface LeaseRequest {
  readonly resource: string;
  readonly holder: string;
  readonly ttlMs: number;
}

/** What names a lease that was granted. */
export interface LeaseClaim {
  readonly resource: string;
  readonly holder: string;
  readonly epoch: number;
}

/** A grant, as keepers answer it. */
export interface LeaseGrant {
  readonly epoch: number;
  /** How long it lasts from when the keeper granted it. */
  readonly ttlMs: number;
  /** Whether the epoch is a fence: the keeper has an engine. */
  readonly fenced: boolean;
}

/** The messages of a keeper. */
export interface LeaseMessages {
  readonly acquire: { readonly input: LeaseRequest; readonly reply: LeaseGrant; readonly chunk: unknown };
  readonly renew: {
    readonly input: LeaseClaim & { readonly ttlMs: number };
    readonly reply: LeaseGrant;
    readonly chunk: unknown;
  };
  readonly release: { readonly input: LeaseClaim; readonly reply: boolean; readonly chunk: unknown };
}

declare const FENCES: unique symbol;

/** A keeper whose epochs are fences. */
export interface FencingKeeper extends AgentDefinition<LeaseState, LeaseMessages> {
  readonly [FENCES]?: true;
}

/** A keeper that does its best: its epochs mean nothing after it restarted. */
export interface BestEffortKeeper extends AgentDefinition<LeaseState, LeaseMessages> {
  readonly [FENCES]?: false;
}

/** What a keeper without an engine remembers. */
export interface LeaseState {
  rows: Record<string, FenceRow>;
  /** How many rows there are. */
  count: number;
  /** The highest epoch of a row that made room: a resource without a row begins above it. */
  floor?: number;
}

/** A keeper over an engine: the leases that it grants carry fences. */
export function leaseKeeper(options: { readonly engine: FenceStore; readonly name?: string }): FencingKeeper;
/** A keeper without an engine. */
export function leaseKeeper(options?: { readonly name?: string }): BestEffortKeeper;
export function leaseKeeper(
  options: { readonly engine?: FenceStore; readonly name?: string } = {},
): FencingKeeper | BestEffortKeeper {
  const { engine, name = "lease-keeper" } = options;
  const storeOf = (ctx: AgentContext<LeaseState>): FenceStore => engine ?? inState(ctx.state, ctx.now());
  return agent({
    name,
    state: (): LeaseState => ({ rows: {}, count: 0 }),
    // A request that is none must not end the keeper of everybody's leases.
    onError: "reply",
    on: {
      acquire: {
        handle: (ctx: AgentContext<LeaseState>, request: LeaseRequest): LeaseGrant => ({
          epoch: acquire(storeOf(ctx), ctx.now(), request),
          ttlMs: request.ttlMs,
          fenced: engine !== undefined,
        }),
      },
      renew: {
        handle: (
          ctx: AgentContext<LeaseState>,
          claim: LeaseClaim & { readonly ttlMs: number },
        ): LeaseGrant => ({
          epoch: renew(storeOf(ctx), ctx.now(), claim),
          ttlMs: claim.ttlMs,
          fenced: engine !== undefined,
        }),
      },
      release: {
        handle: (ctx: AgentContext<LeaseState>, claim: LeaseClaim): boolean => release(storeOf(ctx), claim),
      },
    },
  });
}

function acquire(store: FenceStore, nowMs: number, { resource, holder, ttlMs }: LeaseRequest): number {
  checkText("resource", resource, RESOURCE_CHARS_MAX);
  checkText("holder", holder, RESOURCE_CHARS_MAX);
  checkWhole("ttlMs", ttlMs, LEASE_TTL_MS_MIN, LEASE_TTL_MS_MAX);
  const row = store.read(resource);
  if (row !== undefined && row.expiresMs > nowMs)
    throw new LeaseHeldError(resource, row.holder, Math.ceil(row.expiresMs - nowMs));
  const expected = row?.epoch ?? 0;
  const granted = { epoch: expected + 1, holder, expiresMs: nowMs + ttlMs };
  if (!store.swap(resource, expected, granted)) {
    const winner = store.read(resource);
    throw new LeaseHeldError(
      resource,
      winner?.holder ?? "another keeper",
      Math.max(1, (winner?.expiresMs ?? 0) - nowMs),
    );
  }
  return granted.epoch;
}

/** An epoch is renewed in place: the swap from an epoch to the same one is refused once another was granted. */
function renew(
  store: FenceStore,
  nowMs: number,
  { resource, holder, epoch, ttlMs }: LeaseClaim & { readonly ttlMs: number },
): number {
  checkWhole("ttlMs", ttlMs, LEASE_TTL_MS_MIN, LEASE_TTL_MS_MAX);
  const row = store.read(resource);
  if (row?.epoch !== epoch || row.holder !== holder || row.expiresMs <= nowMs)
    throw new LeaseLostError(resource, epoch);
  if (!store.swap(resource, epoch, { epoch, holder, expiresMs: nowMs + ttlMs }))
    throw new LeaseLostError(resource, epoch);
  return epoch;
}

function release(store: FenceStore, { resource, holder, epoch }: LeaseClaim): boolean {
  const row = store.read(resource);
  if (row?.epoch !== epoch || row.holder !== holder) return false;
  return store.swap(resource, epoch, { epoch, holder, expiresMs: 0 });
}

function inState(state: LeaseState, nowMs: number): FenceStore {
  const { rows } = state;
  // Behind a word of ours, so that no resource is called as something that every object has.
  const at = (resource: string): string => `lease on ${resource}`;
  return {
    read: (resource) => rows[at(resource)] ?? forgotten(state),
    swap: (resource, expected, row) => {
      const had = rows[at(resource)];
      if ((had?.epoch ?? state.floor ?? 0) !== expected) return false;
      if (had === undefined) {
        if (row.epoch === expected) return false;
        if (state.count >= RESOURCES_MAX) forgetEnded(state, nowMs);
        state.count = checkWhole("resources", state.count + 1, 1, RESOURCES_MAX);
      }
      rows[at(resource)] = row;
      return true;
    },
  };
}

/** What a resource without a row may have had: nobody's lease, which is over. */
function forgotten({ floor }: LeaseState): FenceRow | undefined {
  return floor === undefined ? undefined : { epoch: floor, holder: "", expiresMs: 0 };
}

/** (LK3) */
function forgetEnded(state: LeaseState, nowMs: number): void {
  for (const [key, { epoch, expiresMs }] of Object.entries(state.rows)) {
    if (expiresMs > nowMs) continue;
    state.floor = Math.max(state.floor ?? 0, epoch);
    delete state.rows[key];
    state.count -= 1;
  }
}
