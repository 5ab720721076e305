/**
 * The primitive `broadcast`: an epidemic among agents. Who hears a rumor tells it to three others, and for a while offers it by its number, so
 * that those the push missed ask for it (Demers et al., "Epidemic algorithms for replicated database maintenance", 1987).
 *
 * RU1. A member takes a rumor up once, told apart by (origin, number).
 * RU2. A member pushes a rumor on once, to `fanout` others; afterwards only those get it that ask.
 * RU3. What is kept to answer them is bounded: {@link RUMORS_MAX} rumors, for {@link ROUNDS} rounds after the last new one.
 * RU4. A member that hears nothing new falls silent after {@link ROUNDS} rounds.
 * RU5. What is no list of rumors or numbers is refused before it reaches a handler, and changes nothing.
 *
 * Promised: who is alive and reachable while a rumor goes round hears it, except with a chance that shrinks with every round, and once.
 * Not promised: an order between rumors, or that a member which is cut off for longer than the rounds hears it ever. The broadcast between
 * nodes (`mesh.broadcast`) is the same idea one floor below and repairs partitions too.
 */
import { type AgentContext, isAgentId, type MessageHandler, type StandardSchema } from "../agent/index.ts";
import { checkWhole } from "./check-option.ts";
import { admit, nextNumber, nothingSeen, type Seen } from "./seen.ts";

/** Members a rumor is pushed to. */
export const FANOUT = 3;
/** Members that are offered what is kept, per round. */
export const OFFERED = 2;
/** Time between rounds in milliseconds, give or take a quarter. */
export const ROUND_MS = 200;
/** Rounds after the last new rumor. */
export const ROUNDS = 10;
/** Rumors kept. */
export const RUMORS_MAX = 256;

/** One rumor. */
export interface Rumor<Payload = unknown> {
  readonly origin: string;
  readonly number: number;
  readonly payload: Payload;
}

/** What a rumor is named by. */
export type RumorId = readonly [origin: string, number: number];

/** What a member remembers. Plain data, part of its agent's state. */
export interface RumorState<Payload = unknown> {
  seen: Seen;
  /** The newest is last. */
  kept: Rumor<Payload>[];
  roundsLeft: number;
}

/** Nothing heard. */
export function noRumors<Payload = unknown>(): RumorState<Payload> {
  return { seen: nothingSeen(), kept: [], roundsLeft: 0 };
}

/** How a kind of agent takes part. */
export interface RumorOptions<State, Payload> {
  /** Where in the state the memory is: `noRumors()` at first. */
  memory(state: State): RumorState<Payload>;
  /** Ids of the members as this one knows them; itself may be among them. */
  members(state: State): readonly string[];
  /** Called once per rumor of others (RU1). */
  heard(ctx: AgentContext<State>, payload: Payload, origin: string): void;
  /** 1 to 16; default 3. */
  readonly fanout?: number;
}

/** What `rumors` makes: handlers to spread into `on` of a definition, and the way to start a rumor. */
export interface Rumors<State, Payload> {
  /** Handlers `rumor.push`, `rumor.offer`, `rumor.want` and `rumor.round`. */
  readonly handlers: {
    readonly "rumor.push": MessageHandler<State, readonly Rumor<Payload>[], void, unknown>;
    readonly "rumor.offer": MessageHandler<State, readonly RumorId[], void, unknown>;
    readonly "rumor.want": MessageHandler<State, readonly RumorId[], void, unknown>;
    readonly "rumor.round": MessageHandler<State, unknown, void, unknown>;
  };
  /** Tell everybody else. Gives the number of the rumor. */
  broadcast(ctx: AgentContext<State>, payload: Payload): number;
}

/** Take part in an epidemic. @throws {BadOptionError} */
export function rumors<State, Payload>(options: RumorOptions<State, Payload>): Rumors<State, Payload> {
  const fanout = checkWhole("fanout", options.fanout ?? FANOUT, 1, 16);
  const { memory, heard } = options;
  const pushOn = (ctx: AgentContext<State>, fresh: readonly Rumor<Payload>[]): void => {
    keep(ctx, memory(ctx.state), fresh);
    for (const id of pick(ctx, options, fanout)) ctx.tell({ id }, "rumor.push", fresh);
  };
  return {
    handlers: {
      "rumor.push": {
        input: rumorList<Payload>(),
        handle(ctx, pushed) {
          const fresh = pushed.filter(
            ({ origin, number }) => origin !== ctx.self.id && admit(memory(ctx.state).seen, origin, number),
          );
          if (fresh.length === 0) return;
          pushOn(ctx, fresh);
          for (const { payload, origin } of fresh) heard(ctx, payload, origin);
        },
      },
      "rumor.offer": {
        input: IDS,
        handle(ctx, offered) {
          const missing = offered.filter(([origin, number]) => isMissing(memory(ctx.state), origin, number));
          if (missing.length > 0 && ctx.from !== undefined) ctx.tell(ctx.from, "rumor.want", missing);
        },
      },
      "rumor.want": {
        input: IDS,
        handle(ctx, wanted) {
          const ids = new Set(wanted.map(([origin, number]) => `${origin} ${number}`));
          const found = memory(ctx.state).kept.filter(({ origin, number }) => ids.has(`${origin} ${number}`));
          if (found.length > 0 && ctx.from !== undefined) ctx.tell(ctx.from, "rumor.push", found);
        },
      },
      "rumor.round": { handle: (ctx) => round(ctx, options) },
    },
    broadcast(ctx, payload) {
      const number = nextNumber(memory(ctx.state).seen, ctx.self.id);
      pushOn(ctx, [{ origin: ctx.self.id, number, payload }]);
      return number;
    },
  };
}

/** Lists of at most {@link RUMORS_MAX} such items (RU5). */
function listOf<Item>(
  what: string,
  fits: (item: unknown) => boolean,
): StandardSchema<unknown, readonly Item[]> {
  const issues = [{ message: `it is no list of at most ${RUMORS_MAX} ${what}` }];
  return {
    "~standard": {
      version: 1,
      vendor: "glia",
      validate: (value) =>
        Array.isArray(value) && value.length <= RUMORS_MAX && value.every(fits)
          ? { value: value as readonly Item[] }
          : { issues },
    },
  };
}

const IDS: StandardSchema<unknown, readonly RumorId[]> = listOf<RumorId>(
  "numbers of rumors",
  (item) => Array.isArray(item) && isNamed(item[0], item[1]),
);

function rumorList<Payload>(): StandardSchema<unknown, readonly Rumor<Payload>[]> {
  return listOf<Rumor<Payload>>("rumors", (item) => {
    const { origin, number } = (item ?? {}) as Partial<Rumor>;
    return isNamed(origin, number);
  });
}

function isNamed(origin: unknown, number: unknown): boolean {
  return isAgentId(origin) && Number.isSafeInteger(number) && (number as number) >= 1;
}

function isMissing(memory: RumorState, origin: string, number: number): boolean {
  const of = Object.hasOwn(memory.seen.of, origin) ? memory.seen.of[origin] : undefined;
  return of === undefined || (number > of.upTo && !of.above.includes(number));
}

/** Keep what is new, and begin the rounds anew (RU3). */
function keep<Payload>(
  ctx: AgentContext,
  memory: RumorState<Payload>,
  fresh: readonly Rumor<Payload>[],
): void {
  memory.kept.push(...fresh);
  if (memory.kept.length > RUMORS_MAX) memory.kept.splice(0, memory.kept.length - RUMORS_MAX);
  if (memory.roundsLeft === 0) schedule(ctx);
  memory.roundsLeft = ROUNDS;
}

function round<State, Payload>(ctx: AgentContext<State>, options: RumorOptions<State, Payload>): void {
  const memory = options.memory(ctx.state);
  if (memory.roundsLeft === 0) return;
  const ids = memory.kept.map(({ origin, number }): RumorId => [origin, number]);
  for (const id of pick(ctx, options, OFFERED)) ctx.tell({ id }, "rumor.offer", ids);
  memory.roundsLeft--;
  if (memory.roundsLeft > 0) schedule(ctx);
  else memory.kept = [];
}

function schedule(ctx: AgentContext): void {
  ctx.after(Math.round(ROUND_MS * (0.75 + ctx.random() / 2)), "rumor.round");
}

/** Different members, by chance, without this one. O(count) expected for many members. */
function pick<State, Payload>(
  ctx: AgentContext<State>,
  { members }: RumorOptions<State, Payload>,
  count: number,
): readonly string[] {
  const all = members(ctx.state);
  if (all.length <= 4 * count)
    return shuffled(
      ctx,
      all.filter((id) => id !== ctx.self.id),
    ).slice(0, count);
  const chosen = new Set<string>();
  for (let tries = 16 * count; chosen.size < count && tries > 0; tries--) {
    const id = all[Math.floor(ctx.random() * all.length)] as string;
    if (id !== ctx.self.id) chosen.add(id);
  }
  return [...chosen];
}

function shuffled(ctx: AgentContext, items: string[]): string[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(ctx.random() * (at + 1));
    [items[at], items[other]] = [items[other] as string, items[at] as string];
  }
  return items;
}
