/** The thread that instruments a module: the optimiser runs for seconds without a pause, and Ctrl-C must end it. */
import { parentPort, workerData } from "node:worker_threads";
import { isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import { instrument, instrumentCached } from "@glia-os/wasm/pipeline";
import type { Instrumenting, InstrumentNews } from "./instrument-thread.ts";

const { original, profile, cache } = workerData as Instrumenting;

async function made(): Promise<Uint8Array> {
  if (cache === undefined) return (await instrument(original, { profile })).bytes;
  try {
    return (await instrumentCached(original, cache, { profile })).bytes;
  } catch (error) {
    if (isGliaError(error)) throw error;
    // The cache's folder cannot be used: that is no reason not to run the guest.
    return (await instrument(original, { profile })).bytes;
  }
}

let news: InstrumentNews;
try {
  news = { bytes: await made() };
} catch (error) {
  news = { refused: toErrorRecord(error) };
}
parentPort?.postMessage(news);
