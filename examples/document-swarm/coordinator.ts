/**
 * The coordinator: it has a number of indexers as children, spreads documents over them, asks all of them each question, and puts their answers
 * together.
 *
 * CO1. A document is at the indexer that owns its path by rendezvous hashing: the same for everybody who asks.
 * CO2. An answer says how many indexers it came from; one that does not answer in time makes it partial, not late.
 */
import { type AgentRef, agent, type Settled } from "@glia-os/cells/agent";
import { awaitAll, Shards } from "@glia-os/cells/orchestration";
import type { Commonness } from "@glia-os/example-semantic-search/embedder";
import { type Found, indexer, type Question } from "./indexer.ts";
import { type Document, ingestion } from "./pipeline.ts";

type Indexer = AgentRef<typeof indexer>;

/** What the swarm found (CO2). */
export interface Answer {
  readonly found: readonly Found[];
  /** Indexers that answered, of so many. */
  readonly answered: number;
  readonly of: number;
}

/** What was indexed: passages of each indexer, by its name. */
export type Indexed = Readonly<Record<string, number>>;

/** How long an indexer may take for a question. */
const ANSWER_MS = 5000;
/** How long one may take to embed all it holds. */
const EMBED_MS = 120_000;

interface Swarm {
  readonly indexers: Map<string, Indexer>;
  /** Passages of each. */
  indexed: Record<string, number>;
}

export const coordinator = agent({
  name: "coordinator",
  state: (): Swarm => ({ indexers: new Map(), indexed: {} }),
  *start(ctx, input: { readonly indexers: number }) {
    for (let n = 1; n <= input.indexers; n++) {
      const name = `indexer-${n}`;
      ctx.state.indexers.set(name, yield* ctx.spawn(indexer, { name }));
    }
  },
  on: {
    /** Index documents; resolves when all can be asked about. */
    index: {
      *handle(ctx, documents: readonly Document[]) {
        const { indexers } = ctx.state;
        const shards = new Shards({ version: 1, members: [...indexers.keys()] });
        const owner = (file: string): Indexer => indexers.get(shards.owner(file)) as Indexer;
        const run = yield* ingestion.run(ctx, documents);
        for (let item = yield* run.next(); !item.done; item = yield* run.next())
          yield* ctx.ask(owner(item.value.file), "add", item.value);
        const all = [...indexers.values()];
        const parts = yield* awaitAll(
          ctx,
          all.map((each) => ctx.begin(each, "commonness")),
        );
        const everywhere = merged(parts as readonly Commonness[]);
        const counts = yield* awaitAll(
          ctx,
          all.map((each) => ctx.begin(each, "embed", everywhere, { timeoutMs: EMBED_MS })),
        );
        ctx.state.indexed = Object.fromEntries(
          [...indexers.keys()].map((name, at) => [name, counts[at] as number]),
        );
        return ctx.state.indexed as Indexed;
      },
    },
    /** Ask all indexers, and put together what those that answer in time found (CO2). */
    ask: {
      *handle(ctx, question: Question) {
        const all = [...ctx.state.indexers.values()];
        const tickets = all.map((each) => ctx.begin(each, "search", question, { timeoutMs: ANSWER_MS }));
        const settled: readonly Settled<unknown>[] = yield* ctx.settled(tickets, { count: tickets.length });
        const answers = settled.flatMap((one) => (one.ok ? [one.value as readonly Found[]] : []));
        const found = answers
          .flat()
          .sort((a, b) => b.score - a.score)
          .slice(0, question.top);
        return { found, answered: answers.length, of: all.length } satisfies Answer;
      },
    },
  },
});

/** How common features are in all parts together. */
export function merged(parts: readonly Commonness[]): Commonness {
  const features = new Map<string, number>();
  for (const part of parts)
    for (const [name, count] of part.features) features.set(name, (features.get(name) ?? 0) + count);
  return { texts: parts.reduce((sum, { texts }) => sum + texts, 0), features: [...features] };
}
