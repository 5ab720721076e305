/**
 * A hashing embedder: NOT a language model. Words and parts of words are counted in buckets chosen by a hash (feature hashing, Weinberger
 * et al. 2009). Texts that share words, or parts of them, are near each other; it knows nothing of synonyms. It needs no download and no
 * training; an embedding model takes its place by giving vectors of the same length for texts.
 */

/** Numbers of one embedding. */
export const DIMENSIONS = 1024;

/** Words that say nothing about what a text is about. */
const STOP = new Set(
  "a an and are as at be by can do does for from has have how i if in into is it its many no not of on one or so that the their then there they this to was what when where which who why will with you".split(
    " ",
  ),
);

/** What is counted of a text: each word without its ending, and its groups of four letters, which tie related forms together. */
function* features(text: string): Generator<readonly [feature: string, weight: number]> {
  for (const [word] of text.toLowerCase().matchAll(/[a-z0-9]+/g)) {
    if (STOP.has(word)) continue;
    yield [word.replace(/(?:ing|ed|es|s)$/, ""), 1];
    for (let at = 0; at + 4 <= word.length; at++) yield [`#${word.slice(at, at + 4)}`, 0.25];
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** How common features are in some texts: in how many of them each is. Plain data, to be sent. */
export interface Commonness {
  readonly texts: number;
  readonly features: readonly (readonly [feature: string, texts: number])[];
}

/** Embeds texts of one collection: a feature that many of its texts have counts less. */
export class HashingEmbedder {
  #texts = new Map<string, number>();
  #count = 0;

  /** Learn how common features are. */
  observe(text: string): void {
    this.#count += 1;
    for (const feature of new Set(Array.from(features(text), ([name]) => name)))
      this.#texts.set(feature, (this.#texts.get(feature) ?? 0) + 1);
  }

  /** How common features are in the texts that were observed. */
  commonness(): Commonness {
    return { texts: this.#count, features: [...this.#texts] };
  }

  /** Take over how common features are in a larger collection, in place of what was observed. */
  learn({ texts, features }: Commonness): void {
    this.#count = texts;
    this.#texts = new Map(features);
  }

  /** Write the embedding of a text to `target`, of DIMENSIONS numbers. */
  embed(text: string, target: Float32Array): void {
    const counts = new Map<string, number>();
    for (const [feature, weight] of features(text)) counts.set(feature, (counts.get(feature) ?? 0) + weight);
    target.fill(0);
    for (const [feature, count] of counts) {
      const rarity = Math.log((1 + this.#count) / (1 + (this.#texts.get(feature) ?? 0)));
      const bucket = hash(feature);
      const sign = (bucket & 1) === 0 ? 1 : -1;
      const at = (bucket >>> 1) % DIMENSIONS;
      target[at] = (target[at] as number) + sign * Math.log1p(count) * rarity;
    }
  }
}
