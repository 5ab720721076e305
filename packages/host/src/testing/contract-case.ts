/** What the claims of the contract of job engines are written with. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { CancelSignal, JobEngine, JobEnvelope } from "@glia-os/abi/ports";
import type { HandedOn } from "../engines/envelope.ts";

/** One claim about an implementation. */
export interface ContractCase {
  /** The claim, as a sentence. */
  readonly title: string;
  /** Rejects with an assertion error when the claim does not hold. */
  readonly run: () => Promise<void>;
}

/** Limits of the engine under test. */
export interface ContractOptions {
  readonly inFlight?: number;
  readonly timeoutMs?: number;
  readonly handedOn?: (outcome: HandedOn) => void;
}

/** Makes an engine over the functions of `contractJobs`. */
export type MakeJobEngine = (options?: ContractOptions) => JobEngine;

/** An envelope. */
export function job(entry: string, payload: unknown, id = "job"): JobEnvelope {
  return { id, origin: "contract", lineage: [], entry, payload };
}

/** The code of what a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
  return "nothing was thrown";
}

/** A signal and the way to fire it. */
export function abortable(): { readonly signal: CancelSignal; readonly cancel: (reason: unknown) => void } {
  const listeners = new Set<(reason: unknown) => void>();
  const state = { cancelled: false, reason: undefined as unknown };
  return {
    signal: {
      get cancelled() {
        return state.cancelled;
      },
      get reason() {
        return state.reason;
      },
      onCancel(listener) {
        if (state.cancelled) listener(state.reason);
        else listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    cancel(reason) {
      state.cancelled = true;
      state.reason = reason;
      for (const listener of listeners) listener(reason);
    },
  };
}

/** A claim about an engine that is closed afterwards. */
export function using(
  make: MakeJobEngine,
  title: string,
  body: (engine: JobEngine) => Promise<void>,
  options: ContractOptions = {},
): ContractCase {
  return {
    title,
    run: async () => {
      const engine = make(options);
      try {
        await body(engine);
      } finally {
        await engine.close();
      }
    },
  };
}
