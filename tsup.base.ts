import type { Options } from "tsup";

/** The one build configuration every package shares: ESM, types, source maps, code that runs on Node 24. */
export function library(entry: Record<string, string>, extra: Options = {}): Options {
  return {
    entry,
    format: ["esm"],
    target: "node24",
    platform: "node",
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    // Some modules, such as node:sqlite, exist only with the prefix.
    removeNodeProtocol: false,
    ...extra,
  };
}
