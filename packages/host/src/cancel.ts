/** Cancellation both ways: `AbortSignal` of the platform and `CancelSignal` of the ports; and promises as outside effects of tasks. */
import type { CancelSignal } from "@glia-os/abi/ports";
import type { Kernel, Start, TaskId } from "@glia-os/kernel";
import { AbortedError } from "./errors.ts";

/** An `AbortSignal` as the ports want it. */
export function toCancelSignal(signal: AbortSignal): CancelSignal {
  return {
    get cancelled() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    onCancel(listener) {
      if (signal.aborted) {
        listener(signal.reason);
        return () => undefined;
      }
      const heard = (): void => listener(signal.reason);
      signal.addEventListener("abort", heard, { once: true });
      return () => signal.removeEventListener("abort", heard);
    },
  };
}

/** A `CancelSignal` as the platform wants it. A reason that is no error arrives inside an {@link AbortedError}. */
export function toAbortSignal(cancel: CancelSignal): AbortSignal {
  const controller = new AbortController();
  cancel.onCancel((reason) => controller.abort(asError(reason)));
  return controller.signal;
}

/** Cancel a task when a signal aborts. Returns a function that undoes the tie; it is undone by itself when the task ends. */
export function cancelOnAbort(kernel: Kernel, task: TaskId, signal: AbortSignal): () => void {
  let live = true;
  const forget = toCancelSignal(signal).onCancel((reason) => {
    if (live) kernel.cancel(task, reason);
  });
  const undo = (): void => {
    live = false;
    forget();
  };
  kernel.onExit(task, undo);
  return undo;
}

/**
 * A promise as an outside effect: `yield* sys.external(awaiting((signal) => fetch(url, { signal })))`. The signal aborts when the task
 * is cancelled or killed; what the promise does afterwards is ignored.
 */
export function awaiting<Value>(begin: (signal: AbortSignal) => Promise<Value>): Start<Value> {
  return (settle) => {
    const controller = new AbortController();
    begin(controller.signal).then(
      (value) => settle.ok(value),
      (error: unknown) => settle.fail(error),
    );
    return () => controller.abort(new AbortedError("the task stopped waiting"));
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new AbortedError(reason);
}
