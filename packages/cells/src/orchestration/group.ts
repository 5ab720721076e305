/**
 * A group of agents: members, leaders and observers, and the states it goes through. Plain data: every change is another version.
 *
 * GR1. States and steps: active <-> paused; active or paused -> dissolving -> dissolved. Nothing else, and nobody joins a group that dissolves.
 * GR2. An agent is in a group once, as a member or as an observer. Only members lead, vote and hold shards.
 * GR3. Leaders are the members that rendezvous hashing over the version of the view names: everybody with that version names the same ones, and a
 *      change of one member moves leadership only if it was a leader or becomes one. Two versions may name different leaders at one time; who
 *      must be the only one holds a lease besides.
 */
import { type AgentRef, isAgentRef } from "../agent/index.ts";
import { checkText, checkWhole } from "./check-option.ts";
import { BadOptionError, GroupFullError, GroupStateError, UnknownMemberError } from "./errors.ts";
import { Shards, type View } from "./shard.ts";
import { type VoterSet, voterSet } from "./voter-set.ts";

/** Members and observers of one group. */
export const GROUP_MAX = 1000;
/** Leaders of one group. */
export const LEADERS_MAX = 3;

/** The states of a group. */
export type GroupState = "active" | "paused" | "dissolving" | "dissolved";

/** A group as of one version. */
export interface Group<Def = unknown> {
  readonly name: string;
  readonly version: number;
  readonly state: GroupState;
  /** How many lead: 1 to 3. */
  readonly leaders: number;
  /** Ascending by id. */
  readonly members: readonly AgentRef<Def>[];
  /** Those that hear and do not vote, lead or hold shards; ascending by id. */
  readonly observers: readonly AgentRef[];
}

const STEPS: Readonly<Record<GroupState, readonly GroupState[]>> = {
  active: ["paused", "dissolving"],
  paused: ["active", "dissolving"],
  dissolving: ["dissolved"],
  dissolved: [],
};

/** Make a group, active and at version 1. @throws {BadOptionError}, {GroupFullError} */
export function createGroup<Def = unknown>(
  name: string,
  members: readonly AgentRef<Def>[] = [],
  options: { readonly leaders?: number } = {},
): Group<Def> {
  checkText("name", name, 64);
  const leaders = checkWhole("leaders", options.leaders ?? 1, 1, LEADERS_MAX);
  const empty: Group<Def> = { name, version: 0, state: "active", leaders, members: [], observers: [] };
  let group = empty;
  for (const member of members) group = join(group, member);
  return { ...group, version: 1 };
}

/** The next version, with one more. An observer that joins becomes a member. The same version if nothing changes. @throws {GroupFullError}, {GroupStateError} */
export function join<Def>(group: Group<Def>, ref: AgentRef<Def>): Group<Def> {
  checkOpen(group, "take a member");
  if (!isAgentRef(ref)) throw new BadOptionError("member", "it is no address of an agent");
  if (group.members.some(({ id }) => id === ref.id)) return group;
  const observers = group.observers.filter(({ id }) => id !== ref.id);
  checkRoom(group, observers.length + group.members.length);
  return next(group, { members: sorted([...group.members, ref]), observers });
}

/** The next version, with one more that only observes; a member that observes is a member no more. @throws as `join` */
export function observe<Def>(group: Group<Def>, ref: AgentRef): Group<Def> {
  checkOpen(group, "take an observer");
  if (!isAgentRef(ref)) throw new BadOptionError("observer", "it is no address of an agent");
  if (group.observers.some(({ id }) => id === ref.id)) return group;
  const members = group.members.filter(({ id }) => id !== ref.id);
  checkRoom(group, members.length + group.observers.length);
  return next(group, { members, observers: sorted([...group.observers, ref]) });
}

/** The next version, without one. @throws {UnknownMemberError}, {GroupStateError} for a dissolved group */
export function leave<Def>(group: Group<Def>, ref: AgentRef): Group<Def> {
  if (group.state === "dissolved") throw new GroupStateError(group.name, group.state, "lose a member");
  const stays = ({ id }: AgentRef): boolean => id !== ref.id;
  const [members, observers] = [group.members.filter(stays), group.observers.filter(stays)];
  if (members.length + observers.length === group.members.length + group.observers.length)
    throw new UnknownMemberError(group.name, ref.id);
  return next(group, { members, observers });
}

/** The next version, in another state (GR1). @throws {GroupStateError} */
export function step<Def>(group: Group<Def>, to: GroupState): Group<Def> {
  if (!STEPS[group.state].includes(to)) throw new GroupStateError(group.name, group.state, `become ${to}`);
  if (to !== "dissolved") return next(group, { state: to });
  return next(group, { state: to, members: [], observers: [] });
}

/** The members that lead, the first one first; none in an empty group (GR3). O(members). */
export function leadersOf<Def>(group: Group<Def>): readonly AgentRef<Def>[] {
  if (group.members.length === 0) return [];
  const { owners } = new Shards(viewOf(group)).of(`leader of ${group.name}`, group.leaders);
  return owners.map((id) => group.members.find((member) => member.id === id) as AgentRef<Def>);
}

/** Whether an agent leads, is a member, observes, or none of it. */
export function roleOf(group: Group, ref: AgentRef): "leader" | "member" | "observer" | "stranger" {
  if (leadersOf(group).some(({ id }) => id === ref.id)) return "leader";
  if (group.members.some(({ id }) => id === ref.id)) return "member";
  return group.observers.some(({ id }) => id === ref.id) ? "observer" : "stranger";
}

/** The members as a view for `shard`. */
export function viewOf(group: Group): View {
  return { version: group.version, members: group.members.map(({ id }) => id) };
}

/** The members as voters, each of weight 1. @throws {BadOptionError} for an empty group, {GroupStateError} for one that is not active */
export function votersOf<Def>(group: Group<Def>): VoterSet<Def> {
  if (group.state !== "active") throw new GroupStateError(group.name, group.state, "vote");
  return voterSet(group.name, group.version, group.members);
}

function next<Def>(group: Group<Def>, change: Partial<Group<Def>>): Group<Def> {
  return { ...group, ...change, version: group.version + 1 };
}

function sorted<Ref extends AgentRef>(refs: readonly Ref[]): readonly Ref[] {
  return refs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function checkOpen({ name, state }: Group, wanted: string): void {
  if (state === "dissolving" || state === "dissolved") throw new GroupStateError(name, state, wanted);
}

function checkRoom({ name }: Group, there: number): void {
  if (there >= GROUP_MAX) throw new GroupFullError(name, GROUP_MAX);
}
