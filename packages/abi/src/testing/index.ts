/** Ports for tests and simulations: the one source of seeded randomness of all packages. */
export { SeededRandom } from "./seeded-random.ts";
