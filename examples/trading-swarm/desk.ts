/** The desk: makes the agents, gives every symbol its analyst, and plays the prices tick by tick. A routine: it runs in any agent system. */
import type { AgentContext, AgentRef, AgentRoutine } from "@glia-os/cells/agent";
import { awaitAll, Shards, spawnMany, voterSet } from "@glia-os/cells/orchestration";
import { analyst } from "./analyst.ts";
import { type Book, executor } from "./executor.ts";
import { byTick, type Price } from "./prices.ts";
import { riskManager, TOLERANCES, type Verdict, voter } from "./risk.ts";

/** How the prices are played. */
export interface ReplayOptions {
  /** Analysts: 2 to 64. */
  readonly analysts: number;
  /** The first analyst leaves before this tick; its symbols go to others. Undefined: nobody leaves. */
  readonly leaveAt?: number;
}

/** What came of it. */
export interface Replayed {
  readonly ticks: number;
  readonly book: Book;
  readonly verdicts: readonly Verdict[];
  /** Symbols by the number of the analyst that watched them at the end. */
  readonly watched: Readonly<Record<number, readonly string[]>>;
  /** Symbols that changed hands when the analyst left. */
  readonly moved: readonly string[];
  /** Worth of everything at the last prices, in cents. */
  readonly worth: number;
}

/** Who watches what. */
interface Team {
  readonly all: readonly AgentRef<typeof analyst>[];
  shards: Shards;
}

/** Play the prices. */
export function* replay(
  ctx: AgentContext,
  prices: readonly Price[],
  options: ReplayOptions,
): AgentRoutine<Replayed> {
  const all = yield* spawnMany(ctx, analyst, options.analysts, (n) => ({ name: `analyst-${n}` }));
  const team: Team = { all, shards: new Shards({ version: 1, members: all.map(({ id }) => id) }) };
  const voters = yield* spawnMany(ctx, voter, TOLERANCES.length, (n) => ({ input: TOLERANCES[n] }));
  const book = yield* ctx.spawn(executor, { name: "executor" });
  const committee = voterSet("committee", 1, voters);
  const risk = yield* ctx.spawn(riskManager, { name: "risk-manager", input: { executor: book, committee } });
  const verdicts: Verdict[] = [];
  let moved: readonly string[] = [];
  const last = new Map<string, number>();
  const ticks = byTick(prices);
  for (const [at, tick] of ticks.entries()) {
    if (at === options.leaveAt) moved = yield* leave(ctx, team, [...last.keys()]);
    // All analysts think at once; orders are reviewed one by one, in the order of the file.
    const tickets = tick.map((price) => ctx.begin(analystOf(team, price.symbol), "price", price));
    for (const order of yield* awaitAll(ctx, tickets))
      if (order !== null) verdicts.push(yield* ctx.ask(risk, "review", order));
    for (const { symbol, cents } of tick) last.set(symbol, cents);
  }
  const held = yield* ctx.ask(book, "book");
  return {
    ticks: ticks.length,
    book: held,
    verdicts,
    watched: yield* whoWatches(ctx, team),
    moved,
    worth: Object.entries(held.shares).reduce(
      (sum, [symbol, n]) => sum + n * (last.get(symbol) ?? 0),
      held.cents,
    ),
  };
}

function analystOf(team: Team, symbol: string): AgentRef<typeof analyst> {
  const id = team.shards.owner(symbol);
  return team.all.find((ref) => ref.id === id) as AgentRef<typeof analyst>;
}

/** The first analyst leaves: what it remembers of each of its symbols goes to the symbol's next analyst, and nothing else moves. */
function* leave(ctx: AgentContext, team: Team, symbols: readonly string[]): AgentRoutine<readonly string[]> {
  const [leaver, ...rest] = team.all as [AgentRef<typeof analyst>, ...AgentRef<typeof analyst>[]];
  const before = new Map(symbols.map((symbol) => [symbol, analystOf(team, symbol)]));
  team.shards = new Shards({ version: team.shards.view.version + 1, members: rest.map(({ id }) => id) });
  const moved: string[] = [];
  for (const [symbol, owner] of before) {
    const next = analystOf(team, symbol);
    if (next.id === owner.id) continue;
    const watched = yield* ctx.ask(owner, "give", symbol);
    if (watched !== null) yield* ctx.ask(next, "take", { symbol, watched });
    moved.push(symbol);
  }
  ctx.stop(leaver);
  return moved;
}

function* whoWatches(ctx: AgentContext, team: Team): AgentRoutine<Record<number, readonly string[]>> {
  const watched: Record<number, readonly string[]> = {};
  const there = new Set(team.shards.view.members);
  for (const [n, ref] of team.all.entries())
    if (there.has(ref.id)) watched[n] = yield* ctx.ask(ref, "symbols");
  return watched;
}
