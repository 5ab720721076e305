/**
 * Runs a kernel with nothing but microtasks and timers: for systems that were given no kernel.
 *
 * OP1. The first slice after an event runs as a microtask, so that an ask from outside is answered within the same turn of the host's loop.
 *      What is more than a slice goes on by a timer of 0 ms, so the host's own events get their turns.
 * OP2. A timer for a deadline stands until it fires, unless an earlier one is needed or none: setting one costs as much as a message. So
 *      one may fire for a deadline that is gone, once.
 */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Kernel } from "@glia-os/kernel";

/** Switches per slice: a few milliseconds of small messages. */
const SLICE_SWITCHES = 8192;

/** Run a kernel from now on. Returns what ends its waits for deadlines, which would keep a process alive that has nothing else to do. */
export function pump(kernel: Kernel, timers: Timers): () => void {
  let waits = true;
  let deadline: TimerHandle | null = null;
  let firesMs = Number.POSITIVE_INFINITY;
  let scheduled = false;
  const forget = (): void => {
    deadline?.cancel();
    deadline = null;
    firesMs = Number.POSITIVE_INFINITY;
  };
  const wait = (): void => {
    const nextMs = waits ? kernel.nextDeadlineMs() : undefined;
    if (nextMs === undefined) forget();
    else if (nextMs < firesMs) {
      deadline?.cancel();
      deadline = timers.schedule(kernel.msUntilDeadline() ?? 0, fire);
      firesMs = nextMs;
    }
  };
  const fire = (): void => {
    deadline = null;
    firesMs = Number.POSITIVE_INFINITY;
    slice();
  };
  const slice = (): void => {
    scheduled = false;
    const end = kernel.runSlice(SLICE_SWITCHES);
    if (end === "more") {
      scheduled = true;
      timers.schedule(0, slice);
      return;
    }
    wait();
  };
  kernel.onWork(() => {
    if (scheduled) return;
    scheduled = true;
    void Promise.resolve().then(slice);
  });
  return () => {
    waits = false;
    forget();
  };
}

/** A kernel of one's own must have room for a million agents: two handles each, of which the shell holds one. */
export const OWN_KERNEL: {
  readonly handleLimit: number;
  readonly taskLimit: number;
  readonly timers: "wheel";
} = { handleLimit: 4_194_304, taskLimit: 2_097_151, timers: "wheel" };
