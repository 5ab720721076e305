/** Where this package lies, and what its manifest says. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the installed package: sources and the build both lie one level below it. */
export const PACKAGE_ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** The version in the package's manifest. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
