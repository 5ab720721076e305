/** Nominal typing for strings and numbers that must not be mixed up. */
declare const brand: unique symbol;

/** `Base` that only code which checked it can produce. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
