/** Entry point `@glia-os/hal/random`: the real source of random numbers. */
export { BadRandomLabelError } from "./errors.ts";
export { createSystemRandom, RANDOM_LABEL_LIMIT } from "./system-random.ts";
