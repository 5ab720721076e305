/**
 * Runs a configuration file in a thread of its own, so that it can be read again with everything it imports, and given up when it hangs.
 *
 * CW1. What comes out is JSON text: what is not data in it (a function, say) is there as text that says so, which no field takes.
 */
import { parentPort, workerData } from "node:worker_threads";
import { offerOwnPackages } from "../run/own-imports.ts";

/** What the thread answers. */
export type ConfigReading = { readonly json: string } | { readonly why: string };

async function read(url: string): Promise<ConfigReading> {
  offerOwnPackages();
  try {
    const exports = (await import(url)) as { readonly default?: unknown };
    if (exports.default === undefined) return { why: "it has no default export" };
    return { json: JSON.stringify(exports.default, dataOnly) ?? "null" };
  } catch (error) {
    return { why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** (CW1) */
function dataOnly(_key: string, value: unknown): unknown {
  return typeof value === "function" || typeof value === "symbol" || typeof value === "bigint"
    ? { "not data": typeof value }
    : value;
}

parentPort?.postMessage(await read((workerData as { readonly url: string }).url));
