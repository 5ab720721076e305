/**
 * Rolling operations: do something to every member of a group, a few at a time, and undo it when one fails.
 *
 * RO1. At most `atATime` members are being worked on at once; a batch is checked before the next begins.
 * RO2. The first failure ends it, and members that were done are undone, the last one first: one that `check` said no to among them, one whose
 *      `apply` threw not, for an `apply` that throws has changed nothing. The others were not touched.
 * RO3. With a `canary` the first batch has that many members, and after it nothing goes on that `check` does not like.
 * RO4. A failure to undo is reported by member and does not keep the others from being undone.
 *
 * Promised: RO1 to RO4. That no message is lost is promised by what is done to a member: `pause`, `resume` and `upgrade` of a system keep its
 * mailbox, and so does `restarting`, which keeps nobody's state.
 */
import {
  type AgentContext,
  type AgentDefinition,
  type AgentRef,
  type AgentRoutine,
  type AgentSystem,
  type AnyAgent,
  agent,
} from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { GroupStateError } from "./errors.ts";
import { GROUP_MAX, type Group } from "./group.ts";

/** What is done to a member, where `Yield` is how its steps wait: by the routine of an agent, or by a promise. */
interface Doing<Def, Yield> {
  apply(member: AgentRef<Def>): Generator<Yield, void, unknown>;
  undo?(member: AgentRef<Def>): Generator<Yield, void, unknown>;
  check?(member: AgentRef<Def>): Generator<Yield, boolean, unknown>;
}

/** What is done to a member by a routine. */
export interface MemberRoutine<Def = unknown> {
  /** @throws to say that it failed and changed nothing */
  apply(ctx: AgentContext, member: AgentRef<Def>): AgentRoutine<void>;
  /** Take it back. Without one, members stay as they are after a failure, and the report says so. */
  undo?(ctx: AgentContext, member: AgentRef<Def>): AgentRoutine<void>;
  /** Whether a member that was done is well. Default: yes. */
  check?(ctx: AgentContext, member: AgentRef<Def>): AgentRoutine<boolean>;
}

/** What is done to a member from outside. */
export interface MemberAction<Def = unknown> {
  apply(member: AgentRef<Def>): Promise<void>;
  undo?(member: AgentRef<Def>): Promise<void>;
  check?(member: AgentRef<Def>): Promise<boolean>;
}

/** How it goes through the group. */
export interface RollingOptions {
  /** Members at a time: 1 to 1000, default 1. */
  readonly atATime?: number;
  /** Members of the first batch: 1 to 1000. Default: as many as of any batch. */
  readonly canary?: number;
}

/** How it went. */
export interface RollingReport {
  readonly group: string;
  readonly version: number;
  readonly outcome: "done" | "rolled-back" | "stopped";
  /** Members that are done now, in order. Empty after a roll-back that succeeded. */
  readonly done: readonly string[];
  readonly failed?: { readonly member: string; readonly error: unknown };
  /** Members that were undone, in order. */
  readonly undone: readonly string[];
  /** Members whose undo failed, and why (RO4). */
  readonly stuck: readonly { readonly member: string; readonly error: unknown }[];
}

/** Go through a group with a routine, from inside an agent or from `system.run`. Never throws for what members do. @throws {BadOptionError}, {GroupStateError} */
export function* roll<Def>(
  ctx: AgentContext,
  group: Group<Def>,
  doing: MemberRoutine<Def>,
  options: RollingOptions = {},
): AgentRoutine<RollingReport> {
  const { undo, check } = doing;
  return yield* rolling(
    group,
    {
      apply: (member) => doing.apply(ctx, member),
      ...(undo === undefined ? {} : { undo: (member) => undo.call(doing, ctx, member) }),
      ...(check === undefined ? {} : { check: (member) => check.call(doing, ctx, member) }),
    },
    options,
  );
}

/** The same from outside, with promises. @throws {BadOptionError}, {GroupStateError} */
export async function rollOutside<Def>(
  group: Group<Def>,
  doing: MemberAction<Def>,
  options: RollingOptions = {},
): Promise<RollingReport> {
  const { undo, check } = doing;
  const steps = rolling<Def, Promise<unknown>>(
    group,
    {
      apply: (member) => waited(doing.apply(member)),
      ...(undo === undefined ? {} : { undo: (member) => waited(undo.call(doing, member)) }),
      ...(check === undefined ? {} : { check: (member) => waited(check.call(doing, member)) }),
    },
    options,
  );
  let at = steps.next();
  while (at.done !== true)
    try {
      const value: unknown = await at.value;
      at = steps.next(value);
    } catch (error) {
      at = steps.throw(error);
    }
  return at.value;
}

/** Pause every member of a group, or resume it: the undo of one is the other. Messages wait meanwhile. */
export function pausing(system: AgentSystem): MemberAction {
  return { apply: (member) => system.pause(member), undo: (member) => system.resume(member) };
}

/** Upgrade every member from one definition to another of the same name; the undo goes back to `before`. `check` says whether one is well. */
export function upgrading<Def extends AnyAgent>(
  system: AgentSystem,
  definitions: { readonly before: AnyAgent; readonly after: AnyAgent },
  check?: (member: AgentRef<Def>) => Promise<boolean>,
): MemberAction<Def> {
  return {
    apply: (member) => system.upgrade(member, definitions.after),
    undo: (member) => system.upgrade(member, definitions.before),
    ...(check === undefined ? {} : { check }),
  };
}

/**
 * Restart every member in its place: a first state is made anew, while id, name, mailbox, timers and topics stay. The hook `start` does not run again.
 * There is no undo: the old state is gone.
 */
export function restarting(system: AgentSystem, definition: AnyAgent): MemberAction {
  const { messages: _messages, types: _types, ...options } = definition as AgentDefinition;
  const { state = () => ({}) } = options;
  const first = typeof state === "function" ? state : (input: unknown) => state.initial(input);
  const anew = agent({ ...options, codeChange: () => first(undefined) });
  return { apply: (member) => system.upgrade(member, anew) };
}

function* waited<Result>(promise: Promise<Result>): Generator<Promise<Result>, Result, unknown> {
  return (yield promise) as Result;
}

function* rolling<Def, Yield>(
  group: Group<Def>,
  doing: Doing<Def, Yield>,
  options: RollingOptions,
): Generator<Yield, RollingReport, unknown> {
  const atATime = checkWhole("atATime", options.atATime ?? 1, 1, GROUP_MAX);
  const canary = checkWhole("canary", options.canary ?? atATime, 1, GROUP_MAX);
  if (group.state === "dissolving" || group.state === "dissolved")
    throw new GroupStateError(group.name, group.state, "be worked on");
  const done: AgentRef<Def>[] = [];
  const report = { group: group.name, version: group.version };
  for (let at = 0; at < group.members.length; ) {
    const size = at === 0 ? canary : atATime;
    const failed = yield* batch(group.members.slice(at, at + size), doing, done);
    if (failed !== undefined) return { ...report, ...(yield* takenBack(done, doing)), failed };
    at += size;
  }
  return { ...report, outcome: "done", done: done.map(({ id }) => id), undone: [], stuck: [] };
}

/** Work on one batch, then look at all of it (RO1). */
function* batch<Def, Yield>(
  members: readonly AgentRef<Def>[],
  doing: Doing<Def, Yield>,
  done: AgentRef<Def>[],
): Generator<Yield, RollingReport["failed"], unknown> {
  for (const member of members) {
    try {
      yield* doing.apply(member);
      done.push(member);
    } catch (error) {
      return { member: member.id, error };
    }
  }
  if (doing.check === undefined) return undefined;
  for (const member of members)
    try {
      if (!(yield* doing.check(member))) return { member: member.id, error: "its check said no" };
    } catch (error) {
      return { member: member.id, error };
    }
  return undefined;
}

/** Undo what was done, the last one first (RO2, RO4). */
function* takenBack<Def, Yield>(
  done: readonly AgentRef<Def>[],
  doing: Doing<Def, Yield>,
): Generator<Yield, Pick<RollingReport, "outcome" | "done" | "undone" | "stuck">, unknown> {
  if (doing.undo === undefined)
    return { outcome: "stopped", done: done.map(({ id }) => id), undone: [], stuck: [] };
  const undone: string[] = [];
  const stuck: { member: string; error: unknown }[] = [];
  for (const member of done.toReversed())
    try {
      yield* doing.undo(member);
      undone.push(member.id);
    } catch (error) {
      stuck.push({ member: member.id, error });
    }
  const left = new Set(stuck.map(({ member }) => member));
  return {
    outcome: "rolled-back",
    done: done.filter(({ id }) => left.has(id)).map(({ id }) => id),
    undone,
    stuck,
  };
}
