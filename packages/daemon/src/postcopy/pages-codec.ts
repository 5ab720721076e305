/**
 * Moves by post-copy of the guests of `@glia-os/wasm`: the codec of nodes (docs/spec/postcopy.md).
 *
 * PD1. A guest that arrives has a thread of its own until it is whole, and no longer; at most {@link GUEST_THREADS_MAX} have one at a time.
 * PD2. What cannot be run without its memory, here or anywhere, is refused before its agent is stopped.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { hasErrorCode, RemoteError } from "@glia-os/abi/errors";
import { NoPostCopyError, type PagesArrival, type PagesCodec } from "@glia-os/cells";
import type { PresenceModules, WasmInstance, WasmProgram } from "@glia-os/wasm";
import { GuestAway } from "./guest-away.ts";
import type { FromGuestThread, GuestThreadSetup } from "./guest-words.ts";
import { PagesReading } from "./pages-reading.ts";

/** Guests that have a thread of their own at a time. */
export const GUEST_THREADS_MAX = 8;
/** Young generation of such a thread's heap: what it has is the guest's memory, which is not in the heap. */
const YOUNG_GENERATION_MB = 4;
/** Native stack: twice what threads have by default, since code with checks may need larger frames than that which the guest comes from. */
const STACK_MB = 8;

/** What the codec is made of. */
export interface PagesCodecOptions {
  /** The program of a guest's thread. */
  readonly worker: URL;
  /** Longest step. */
  readonly stepMs: number;
}

/** The codec. */
export function pagesCodec({ worker: url, stepMs }: PagesCodecOptions): PagesCodec {
  let threads = 0;
  return {
    async read(agent, program, instance, rounds) {
      const guest = instance as WasmInstance;
      const memory = guest.shared ? "shared" : "private";
      try {
        if (guest.program.profile === "none")
          throw new NoPostCopyError(agent, "its module has the profile none, which never stands still");
        const tracking = rounds ? await (program as WasmProgram).tracking(memory) : undefined;
        return new PagesReading(guest, tracking);
      } catch (error) {
        if (hasErrorCode(error, "wasm.not-pending")) return undefined;
        throw error;
      }
    },
    async arrive(arrival) {
      if (threads >= GUEST_THREADS_MAX)
        throw new NoPostCopyError(
          arrival.agent,
          `${GUEST_THREADS_MAX} agents have a thread of their own here, the limit`,
        );
      threads++;
      const ended = (): void => void threads--;
      let worker: Worker | undefined;
      try {
        worker = startThread(url, arrival);
        const made = await ready(worker, arrival.agent);
        const presence = await (arrival.program as WasmProgram).presence(made);
        const preemptible = presence.checked.shape.profile.profile === "preemptive";
        return new GuestAway({ arrival, presence, worker, stepMs, ended }, preemptible);
      } catch (error) {
        ended();
        void worker?.terminate();
        throw asRefusal(arrival, error);
      }
    },
  };
}

function startThread(url: URL, { program: lender, limits, host }: PagesArrival): Worker {
  const program = (lender as WasmProgram).lend();
  const offered = host.capabilities?.initial ?? [];
  return new Worker(url, {
    workerData: { program, limits, offered } satisfies GuestThreadSetup,
    name: "glia-guest",
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB, stackSizeMb: STACK_MB },
  });
}

async function ready(worker: Worker, agent: PagesArrival["agent"]): Promise<PresenceModules | undefined> {
  const exited = once(worker, "exit").then((): never => {
    throw new NoPostCopyError(agent, "its thread did not start");
  });
  exited.catch(() => undefined);
  const [said] = (await Promise.race([once(worker, "message"), exited])) as [FromGuestThread];
  if ("refused" in said) throw new RemoteError(said.refused);
  return "ready" in said ? said.made : undefined;
}

function asRefusal({ agent }: PagesArrival, error: unknown): NoPostCopyError {
  if (error instanceof NoPostCopyError) return error;
  return new NoPostCopyError(agent, error instanceof Error ? error.message : String(error), error);
}
