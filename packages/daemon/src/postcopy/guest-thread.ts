/**
 * Runs one guest while its pages come: in a thread of its own, because a guest that waits for a page holds its thread (docs/spec/postcopy.md).
 *
 * GT1. Steps are made one at a time, when they are asked for. What the guest says goes out before the end of its step, and before it is given away.
 * GT2. When it is asked to, the thread gives the guest away and runs nothing of it any more.
 */
import { parentPort } from "node:worker_threads";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { StepOutcome } from "@glia-os/abi/ports";
import { borrowed, callRanges, type PostCopyHandover, type WasmInstance } from "@glia-os/wasm";
import { guestModules } from "../guest-modules.ts";
import type { FromGuestThread, GuestThreadSetup, StepEnd, ToGuestThread } from "./guest-words.ts";
import { ThreadHost } from "./thread-host.ts";

/** Run the thread. Resolves when it is ready for the guest. */
export async function runGuestThread(setup: GuestThreadSetup): Promise<void> {
  const { limits, offered } = setup;
  const port = parentPort as NonNullable<typeof parentPort>;
  const say = (message: FromGuestThread): void => port.postMessage(message);
  const host = new ThreadHost(offered, say);
  try {
    const program = await borrowed(setup.program, guestModules());
    let instance: WasmInstance | undefined;
    const arrive = (handover: PostCopyHandover): void => {
      instance = program.arrive(handover, limits, host);
    };
    port.on("message", (message: ToGuestThread) => {
      try {
        if ("handover" in message) arrive(message.handover);
        else if (instance === undefined) return;
        else if ("leave" in message) {
          const image = imageOf(instance);
          host.tellNotes();
          say({ image });
          instance = undefined;
        } else {
          const end = endIn(instance, host, message);
          host.tellNotes();
          say({ end });
        }
      } catch (error) {
        say({ refused: toErrorRecord(error) });
      }
    });
    say({ ready: true, made: program.made });
  } catch (error) {
    say({ refused: toErrorRecord(error) });
  }
}

function endIn(
  instance: WasmInstance,
  host: ThreadHost,
  message: Extract<ToGuestThread, { stand: unknown } | { step: unknown }>,
): StepEnd {
  if ("stand" in message) return endOf(instance, { kind: "pending", call: message.stand });
  host.mayReply = message.mayReply;
  host.capabilities.called();
  return endOf(instance, instance.step(message.step, message.fuel));
}

function endOf(instance: WasmInstance, outcome: StepOutcome): StepEnd {
  if (outcome.kind === "failed") return { kind: "failed", error: toErrorRecord(outcome.error) };
  return outcome.kind === "pending" ? { ...outcome, ranges: callRanges(instance, outcome.call) } : outcome;
}

function imageOf(instance: WasmInstance): ReturnType<WasmInstance["snapshot"]> {
  const { sections, ...image } = instance.snapshot(true);
  const { memory: _, ...rest } = sections;
  return { ...image, sections: rest };
}
