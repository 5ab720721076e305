/**
 * Imports of Glia's packages by a program.
 *
 * OI1. A program that imports `glia` or `@glia-os/...` gets the copies this command itself uses, so that no second kernel meets the first and
 *      a program needs no installation. A package this command does not depend on is looked for from who imports it.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../package-root.ts";

const NAME = /^(glia|@glia-os\/[a-z-]+)(?:\/|$)/;

/** Let programs import what this command has (OI1). For the whole process, once. */
export function offerOwnPackages(): void {
  const own = ownPackages();
  registerHooks({
    resolve(specifier, context, next) {
      const name = NAME.exec(specifier)?.[1];
      if (name === undefined || !own.has(name)) return next(specifier, context);
      return next(specifier, { ...context, parentURL: import.meta.url });
    },
  });
}

/** This package and those it depends on. */
function ownPackages(): ReadonlySet<string> {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  return new Set(["glia", ...Object.keys(manifest.dependencies ?? {})]);
}
