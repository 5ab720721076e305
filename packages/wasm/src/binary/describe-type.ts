/** Function types in words: `(i32 i64) -> i32`, as docs/spec/host-abi.md writes them. */
import type { FunctionType } from "./outline.ts";

/** Value types by their byte in the binary format. */
export const TYPE_NAMES: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** A function type by the names of its types; `none` for no result. */
export function describeTypes(params: readonly string[], result: string): string {
  return `(${params.join(" ")}) -> ${result === "none" ? "()" : result}`;
}

/** A function type as a module declares it. */
export function describeType({ params, results }: FunctionType): string {
  const names = (types: readonly number[]): string => types.map((type) => TYPE_NAMES[type] ?? "?").join(" ");
  return describeTypes(
    names(params) === "" ? [] : [names(params)],
    results.length === 0 ? "none" : names(results),
  );
}
