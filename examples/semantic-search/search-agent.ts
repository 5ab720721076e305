/** The agent: it holds the embeddings of all passages as one matrix and answers questions that other agents ask it. */
import type { Handle, Sys } from "@glia-os/kernel";
import type { Envelope } from "@glia-os/kernel/ipc";
import { Space, Tensor } from "@glia-os/tensor";
import { DIMENSIONS, HashingEmbedder } from "./embedder.ts";
import type { Passage } from "./passages.ts";

/** A question. */
export interface Question {
  readonly text: string;
  /** How many passages are wanted, from 1. */
  readonly top: number;
}

/** A passage that was found. */
export interface Found {
  /** Cosine of the angle between question and passage: 1 is the same direction, 0 is nothing in common. */
  readonly score: number;
  readonly passage: Passage;
}

/** Passages that are embedded between two yields. */
const BATCH = 32;

/** Embed all passages, then answer calls to `service` for ever. */
export function* searchAgent(sys: Sys, service: Handle, passages: readonly Passage[]) {
  const embedder = new HashingEmbedder();
  for (const { text } of passages) embedder.observe(text);
  using space = new Space();
  using matrix = Tensor.zeros([passages.length, DIMENSIONS], { space });
  using question = Tensor.zeros([DIMENSIONS], { space });
  using scores = Tensor.zeros([passages.length], { space });
  for (const [index, { text }] of passages.entries()) {
    embedder.embed(text, rowOf(matrix, index));
    if (index % BATCH === BATCH - 1) yield* sys.yield();
  }
  sys.serve(service);
  for (;;) {
    const ask = (yield* sys.receive(service)) as Envelope;
    const { text, top } = ask.message as Question;
    embedder.embed(text, question.data as Float32Array);
    matrix.cosineSimilarity(question, scores);
    sys.reply(ask, best(space, scores, passages, top));
  }
}

function rowOf(matrix: Tensor, index: number): Float32Array {
  return (matrix.data as Float32Array).subarray(index * DIMENSIONS, (index + 1) * DIMENSIONS);
}

function best(space: Space, scores: Tensor, passages: readonly Passage[], top: number): Found[] {
  const count = Math.min(top, passages.length);
  if (count === 0) return [];
  return space.scope(() => {
    const { values, indices } = scores.topK(count);
    const places = indices.data;
    return Array.from(values.data, (score, rank) => ({
      score,
      passage: passages[places[rank] as number] as Passage,
    }));
  });
}
