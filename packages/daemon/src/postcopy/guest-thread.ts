/**
 * Runs one guest while its pages come: in a thread of its own, because a guest that waits for a page holds its thread (docs/spec/postcopy.md).
 *
 * GT1. Steps are made one at a time, when they are asked for. What the guest says goes out before the end of its step.
 * GT2. When it is asked to, the thread gives the guest away and runs nothing of it any more.
 */
import { parentPort } from "node:worker_threads";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { createSystemClock, createSystemRandom } from "@glia-os/hal";
import { createWasmEngine, type PostCopyHandover, type WasmInstance } from "@glia-os/wasm";
import { guestModules } from "../guest-modules.ts";
import type { FromGuestThread, GuestThreadSetup, StepEnd, ToGuestThread } from "./guest-words.ts";

/** Longest reply: the largest payload of a link. */
const REPLY_BYTES_MAX: number = 1024 * 1024;

/** What the guest may ask for without waiting. Capabilities it has none. */
class ThreadHost implements GuestHost {
  readonly #say: (message: FromGuestThread) => void;
  readonly #clock = createSystemClock();
  readonly #random = createSystemRandom();
  mayReply = false;

  constructor(say: (message: FromGuestThread) => void) {
    this.#say = say;
  }

  log(level: number, text: string): void {
    this.#say({ log: [level, text] });
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  random(target: Uint8Array): void {
    this.#random.bytes(target);
  }

  reply(payload: Uint8Array): number {
    if (!this.mayReply) return GUEST_ERRORS.E_STATE;
    if (payload.length > REPLY_BYTES_MAX) return GUEST_ERRORS.E_LIMIT;
    this.mayReply = false;
    this.#say({ reply: payload.slice() });
    return 0;
  }
}

/** Run the thread. Resolves when it is ready for the guest. */
export async function runGuestThread({ program: bytes, grants, limits }: GuestThreadSetup): Promise<void> {
  const port = parentPort as NonNullable<typeof parentPort>;
  const say = (message: FromGuestThread): void => port.postMessage(message);
  const host = new ThreadHost(say);
  try {
    const program = await createWasmEngine({ hostModules: guestModules() }).admit(bytes, grants);
    const presence = await program.presence();
    let instance: WasmInstance | undefined;
    const arrive = (handover: PostCopyHandover): void => {
      instance = program.arrive(presence, handover, limits, host);
    };
    port.on("message", (message: ToGuestThread) => {
      try {
        if ("handover" in message) arrive(message.handover);
        else if (instance === undefined) return;
        else if ("leave" in message) {
          say({ image: imageOf(instance) });
          instance = undefined;
        } else {
          host.mayReply = message.mayReply;
          say({ end: endOf(instance.step(message.step, message.fuel)) });
        }
      } catch (error) {
        say({ refused: toErrorRecord(error) });
      }
    });
    say({ ready: true });
  } catch (error) {
    say({ refused: toErrorRecord(error) });
  }
}

function endOf(outcome: StepOutcome): StepEnd {
  return outcome.kind === "failed" ? { kind: "failed", error: toErrorRecord(outcome.error) } : outcome;
}

function imageOf(instance: WasmInstance): ReturnType<WasmInstance["snapshot"]> {
  const { sections, ...image } = instance.snapshot(true);
  const { memory: _, ...rest } = sections;
  return { ...image, sections: rest };
}
