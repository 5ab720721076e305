/** Instruments a module in a thread of its own, so that an interrupt ends it at once. */
import { Worker } from "node:worker_threads";
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { Profile } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { GuestThreadError } from "../errors.ts";
import { aborted } from "../interrupt.ts";

/** What the thread is given. */
export interface Instrumenting {
  readonly original: Uint8Array;
  readonly profile: Profile;
  /** Folder of the cache; without it, nothing is kept. */
  readonly cache: string | undefined;
}

/** What it answers. */
export type InstrumentNews = { readonly bytes: Uint8Array } | { readonly refused: ErrorRecord };

/** The instrumented module, or why there is none. @throws GuestThreadError, or the reason of an interrupt */
export async function instrumentInThread(task: Instrumenting, context: Context): Promise<InstrumentNews> {
  const source = import.meta.url.endsWith(".ts");
  const url = new URL(source ? "./instrument-worker.ts" : "./instrument-worker.js", import.meta.url);
  const worker = new Worker(url, { workerData: task });
  try {
    const news = new Promise<InstrumentNews>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", (cause) => reject(new GuestThreadError(cause)));
      worker.once("exit", (code) => reject(new GuestThreadError(`it ended with code ${code}`)));
    });
    return await Promise.race([news, aborted(context.interrupt)]);
  } finally {
    await worker.terminate();
  }
}
