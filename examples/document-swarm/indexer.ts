/** An indexer: it holds the passages of some documents with their embeddings, and finds the nearest to a question among them. */
import { agent } from "@glia-os/cells/agent";
import { type Commonness, DIMENSIONS, HashingEmbedder } from "@glia-os/example-semantic-search/embedder";
import type { Passage } from "@glia-os/example-semantic-search/passages";
import { Space, Tensor } from "@glia-os/tensor";

/** A question to one indexer or to the swarm. */
export interface Question {
  readonly text: string;
  /** How many passages are wanted, from 1. */
  readonly top: number;
}

/** A passage that was found, with the cosine of the angle between it and the question. */
export interface Found {
  readonly score: number;
  readonly passage: Passage;
}

interface Index {
  readonly passages: Passage[];
  readonly embedder: HashingEmbedder;
  /** One row for each passage; undefined until `embed`. In memory of its own, so this agent stays in the process it was made in. */
  matrix: Tensor | undefined;
}

export const indexer = agent({
  name: "indexer",
  state: (): Index => ({ passages: [], embedder: new HashingEmbedder(), matrix: undefined }),
  on: {
    /** Take a passage; how many there are now. */
    add: {
      handle({ state }, passage: Passage): number {
        state.embedder.observe(passage.text);
        state.matrix?.free();
        state.matrix = undefined;
        return state.passages.push(passage);
      },
    },
    /** How common features are in the passages held here. */
    commonness: {
      handle: ({ state }): Commonness => state.embedder.commonness(),
    },
    /** Embed all passages by how common features are everywhere, so that scores of all indexers compare. */
    embed: {
      handle({ state }, everywhere: Commonness): number {
        state.embedder.learn(everywhere);
        const { passages } = state;
        state.matrix?.free();
        state.matrix = Tensor.zeros([passages.length, DIMENSIONS], { space: new Space() });
        const rows = state.matrix.data as Float32Array;
        for (const [row, { text }] of passages.entries())
          state.embedder.embed(text, rows.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS));
        return passages.length;
      },
    },
    search: {
      handle({ state }, question: Question): readonly Found[] {
        const { passages, matrix, embedder } = state;
        if (matrix === undefined || passages.length === 0) return [];
        return nearest(
          matrix,
          (asked) => embedder.embed(question.text, asked),
          passages,
          Math.min(question.top, passages.length),
        );
      },
    },
  },
  stop({ state }) {
    state.matrix?.space[Symbol.dispose]();
  },
});

function nearest(
  matrix: Tensor,
  embed: (target: Float32Array) => void,
  passages: readonly Passage[],
  top: number,
): readonly Found[] {
  const { space } = matrix;
  return space.scope(() => {
    const asked = Tensor.zeros([DIMENSIONS], { space });
    embed(asked.data as Float32Array);
    const { values, indices } = matrix.cosineSimilarity(asked).topK(top);
    const places = indices.data;
    return Array.from(values.data, (score, rank) => ({
      score,
      passage: passages[places[rank] as number] as Passage,
    }));
  });
}
