/**
 * Imports of Glia's packages by a program.
 *
 * OI1. A program that imports `glia` or `@glia-os/...` gets the copies this command itself uses, so that no second kernel meets the first and
 *      a program needs no installation. A package this command does not have is looked for from the program.
 */
import { registerHooks } from "node:module";

const OWN = /^(?:glia|@glia-os\/[a-z-]+)(?:\/|$)/;

/** Let programs import what this command has (OI1). For the whole process, once. */
export function offerOwnPackages(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (!OWN.test(specifier)) return next(specifier, context);
      try {
        return next(specifier, { ...context, parentURL: import.meta.url });
      } catch {
        return next(specifier, context);
      }
    },
  });
}
