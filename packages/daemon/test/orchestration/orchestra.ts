/** Agents that orchestrate each other, as one module for WebAssembly cells: voters, a conductor, stages, villagers, peers and a keeper. */
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "@glia-os/cells/agent";
import {
  channel,
  lease,
  leaseKeeper,
  noRumors,
  pipe,
  quorum,
  type RumorState,
  rumors,
  source,
  stage,
  voterSet,
} from "@glia-os/cells/orchestration";
import { noSharedState, type SharedPlain, sharing } from "@glia-os/cells/shared-state";

export const voter = agent({
  name: "voter",
  state: (input: unknown): { opinion: string } => ({ opinion: String(input) }),
  on: { vote: { handle: (ctx: AgentContext<{ opinion: string }>, _question: string) => ctx.state.opinion } },
});

const numbers = source({
  name: "numbers",
  start: (to: number) => ({ at: 0, to }),
  next: (own) => (own.at < own.to ? { value: own.at++ } : undefined),
});
const squares = stage({ name: "squares", each: (n: number) => [n * n] });
const odd = stage({ name: "odd", each: (n: number) => (n % 2 === 1 ? [n] : []) });
export const numbersAgent = numbers.definition;
export const squaresAgent = squares.definition;
export const oddAgent = odd.definition;

export const bestEffort = leaseKeeper({ name: "keeper" });

export const sink = agent({
  name: "sink",
  state: (): { got: number[] } => ({ got: [] }),
  on: {
    take: { handle: (ctx: AgentContext<{ got: number[] }>, n: number) => void ctx.state.got.push(n) },
    got: { handle: (ctx: AgentContext<{ got: number[] }>) => ctx.state.got },
  },
});

export const conductor = agent({
  name: "conductor",
  on: {
    survey: {
      *handle(ctx: AgentContext, refs: readonly AgentRef<typeof voter>[]) {
        return yield* quorum(ctx, voterSet("board", 1, refs), "vote", "go?", { timeoutMs: 20_000 });
      },
    },
    pipeline: {
      *handle(ctx: AgentContext, [to, away]: readonly [number, string]): AgentRoutine<readonly number[]> {
        const running = yield* pipe(numbers, squares, odd).run(ctx, to, { on: { squares: away } });
        return yield* running.collect();
      },
    },
    send: {
      *handle(ctx: AgentContext, [to, upTo]: readonly [AgentRef<typeof sink>, number]): AgentRoutine<number> {
        const out = channel(ctx, to, "take", { capacity: 8 });
        let most = 0;
        for (let n = 0; n < upTo; n++) {
          yield* out.put(n);
          most = Math.max(most, out.underway);
        }
        yield* out.flush();
        return most;
      },
    },
    hold: {
      *handle(ctx: AgentContext, keeper: AgentRef<typeof bestEffort>): AgentRoutine<boolean> {
        return "fence" in (yield* lease(ctx, keeper, "printer", 60_000));
      },
    },
  },
});

interface Villager {
  rumors: RumorState<string>;
  members: readonly string[];
  heard: string[];
}
const news = rumors<Villager, string>({
  memory: (state) => state.rumors,
  members: (state) => state.members,
  heard: (ctx, payload) => void ctx.state.heard.push(payload),
});
export const villager = agent({
  name: "villager",
  state: (): Villager => ({ rumors: noRumors(), members: [], heard: [] }),
  on: {
    ...news.handlers,
    meet: { handle: (ctx: AgentContext<Villager>, ids: readonly string[]) => void (ctx.state.members = ids) },
    say: { handle: (ctx: AgentContext<Villager>, text: string) => news.broadcast(ctx, text) },
    heard: { handle: (ctx: AgentContext<Villager>) => ctx.state.heard },
  },
});

const shared = sharing<{ shared: SharedPlain }>({
  memory: (state) => state.shared,
  topic: "tally",
  knownMs: 200,
});
export const peer = agent({
  name: "peer",
  state: (): { shared: SharedPlain } => ({ shared: noSharedState() }),
  start: (ctx: AgentContext<{ shared: SharedPlain }>) => shared.start(ctx),
  on: {
    ...shared.handlers,
    add: {
      handle: (ctx: AgentContext<{ shared: SharedPlain }>, n: number) =>
        shared.change(ctx, (state) => state.counter("sum").add(n)),
    },
    read: {
      handle: (ctx: AgentContext<{ shared: SharedPlain }>) => shared.read(ctx).counter("sum").value,
    },
  },
});

export default conductor;
