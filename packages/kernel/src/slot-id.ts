/**
 * Ids that are an index and a generation, so that looking one up is an array read and a stale one is never valid again.
 *
 * I1. id = generation * 2^22 + index: a whole number from 2^22 below 2^53. 0 is never an id.
 * I2. Each reuse of an index raises its generation. An index whose generations are used up is retired, not wrapped.
 */

/** Most items one table can hold. */
export const INDEX_LIMIT = 4_194_304;
/** Mask of the 22 index bits. Bit operations see an id modulo 2^32, which keeps the low 22 bits exact. */
export const INDEX_MASK: number = INDEX_LIMIT - 1;
/** Last generation of an index: 2^31 - 1, so that every id stays below 2^53. */
export const GENERATION_LIMIT = 2_147_483_647;

/** The generation inside an id. */
export function generationOf(id: number): number {
  return Math.floor(id / INDEX_LIMIT);
}
