/**
 * Who talks to whom in a group: mesh, ring, star and tree over one version of a view, messages that go along the edges, and repair.
 *
 * TP1. Neighbourship is mutual, and everybody reaches everybody. All that know the same members compute the same edges.
 * TP2. A message that goes along the edges is taken up once per member, however many ways lead there (`relay`).
 * TP3. When a member goes, `without` gives the next version, in which TP1 holds again; a message of an older version is taken up and sent on along
 *      the edges of the version that its receiver has.
 *
 * Promised: TP1 to TP3. Not promised: that a message that was on its way through a member that goes reaches those behind it. Who must reach all
 * of them uses rumors (`rumors.ts`), which are offered again.
 */
import { topology as edges, type TopologyKind } from "@glia-os/mesh-core";
import type { AgentContext } from "../agent/index.ts";
import { checkText, checkWhole } from "./check-option.ts";
import { BadOptionError, UnknownMemberError } from "./errors.ts";
import { admit, nextNumber, type Seen } from "./seen.ts";
import { MEMBERS_MAX } from "./shard.ts";

/** Children per member of a tree unless said otherwise. */
export const TREE_FANOUT = 2;
/** Edges a message follows at most; no shape within the limits is longer. */
export const HOPS_MAX: number = MEMBERS_MAX;

/** A shape over the members of one version. Plain data. */
export interface Topology {
  readonly kind: TopologyKind;
  readonly version: number;
  /** Ids of agents, ascending. In a star and a tree the first is the centre or root. */
  readonly members: readonly string[];
  /** Children per member; used by `tree` only. */
  readonly fanout: number;
}

/** A message on its way along the edges. */
export interface Relayed<Payload = unknown> {
  /** Id of the agent that sent it first, and its number there. */
  readonly origin: string;
  readonly number: number;
  /** Edges it has come. */
  readonly hops: number;
  /** The version of the origin's view. */
  readonly version: number;
  readonly payload: Payload;
}

/** Make a topology. @throws {BadOptionError} */
export function createTopology(
  kind: TopologyKind,
  members: readonly string[],
  options: { readonly version?: number; readonly fanout?: number } = {},
): Topology {
  if (!["mesh", "ring", "star", "tree"].includes(kind))
    throw new BadOptionError("kind", `"${String(kind).slice(0, 32)}" is none of mesh, ring, star, tree`);
  const sorted = [...new Set(members)].sort();
  checkWhole("members", sorted.length, 0, MEMBERS_MAX);
  for (const member of sorted) checkText("members", member, 64);
  return {
    kind,
    version: checkWhole("version", options.version ?? 1, 0, Number.MAX_SAFE_INTEGER),
    members: sorted,
    fanout: checkWhole("fanout", options.fanout ?? TREE_FANOUT, 1, 1024),
  };
}

/** The next version, with a member more. The same topology if it is one already. */
export function withMember(topology: Topology, member: string): Topology {
  const { kind, members, version, fanout } = topology;
  if (members.includes(member)) return topology;
  return createTopology(kind, [...members, member], { version: version + 1, fanout });
}

/** The next version, without a member (TP3). The same topology if it was none. */
export function without(topology: Topology, member: string): Topology {
  const { kind, members, version, fanout } = topology;
  if (!members.includes(member)) return topology;
  return createTopology(
    kind,
    members.filter((other) => other !== member),
    { version: version + 1, fanout },
  );
}

/** The neighbours of a member, ascending. O(members), in a mesh too. @throws {UnknownMemberError} */
export function neighbours(topology: Topology, member: string): readonly string[] {
  const { kind, members, fanout } = topology;
  if (!members.includes(member)) throw new UnknownMemberError(`the ${kind}`, member);
  if (kind === "mesh") return members.filter((other) => other !== member);
  return edges(kind, members, fanout).get(member) ?? [];
}

/** The way from one member to another along the edges, both included: the shortest. O(members + edges). @throws {UnknownMemberError} */
export function route(topology: Topology, from: string, to: string): readonly string[] {
  for (const member of [from, to])
    if (!topology.members.includes(member)) throw new UnknownMemberError(`the ${topology.kind}`, member);
  if (topology.kind === "mesh") return from === to ? [from] : [from, to];
  const all = edges(topology.kind, topology.members, topology.fanout);
  const before = new Map<string, string>([[from, from]]);
  const queue = [from];
  for (const member of queue) {
    if (member === to) break;
    for (const next of all.get(member) ?? [])
      if (!before.has(next)) {
        before.set(next, member);
        queue.push(next);
      }
  }
  const way = [to];
  for (let at = to; at !== from; at = before.get(at) as string) way.unshift(before.get(at) as string);
  return way;
}

/** Send a message of one's own along the edges; `message` is what every member handles it by. Gives its number. @throws {UnknownMemberError} */
export function flood(
  ctx: AgentContext,
  topology: Topology,
  seen: Seen,
  message: string,
  payload: unknown,
): number {
  const self = ctx.self.id;
  const number = nextNumber(seen, self);
  const relayed: Relayed = { origin: self, number, hops: 1, version: topology.version, payload };
  for (const id of neighbours(topology, self)) ctx.tell({ id }, message, relayed);
  return number;
}

/**
 * Take up a message that came along an edge, and send it on to the other neighbours. True the first time (TP2): then the receiver should use
 * its payload. A member that is not in its own view any more sends nothing on. False for what is no such message, which changes nothing.
 */
export function relay(
  ctx: AgentContext,
  topology: Topology,
  seen: Seen,
  message: string,
  relayed: Relayed,
): boolean {
  const { origin, number, hops } = (relayed ?? {}) as Partial<Relayed>;
  if (origin === undefined || number === undefined || !(typeof hops === "number" && hops >= 1)) return false;
  if (!admit(seen, origin, number)) return false;
  const self = ctx.self.id;
  if (hops >= HOPS_MAX || !topology.members.includes(self)) return true;
  for (const id of neighbours(topology, self))
    if (id !== ctx.from?.id && id !== origin) ctx.tell({ id }, message, { ...relayed, hops: hops + 1 });
  return true;
}
