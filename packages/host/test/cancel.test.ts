import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  AbortedError,
  awaiting,
  cancelOnAbort,
  runKernel,
  toAbortSignal,
  toCancelSignal,
} from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";
import { expect, test } from "vitest";

function start() {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  return runKernel(kernel, { timers: createSystemTimers() });
}

test("an AbortSignal arrives as a CancelSignal once, with its reason; a listener that left hears nothing", () => {
  const controller = new AbortController();
  const cancel = toCancelSignal(controller.signal);
  const heard: unknown[] = [];
  cancel.onCancel((reason) => heard.push(["first", reason]));
  cancel.onCancel((reason) => heard.push(["gone", reason]))();
  expect(cancel.cancelled).toBe(false);
  controller.abort("why");
  controller.abort("again");
  cancel.onCancel((reason) => heard.push(["late", reason]));
  expect([cancel.cancelled, cancel.reason, heard]).toEqual([
    true,
    "why",
    [
      ["first", "why"],
      ["late", "why"],
    ],
  ]);
});

test("a CancelSignal arrives as an AbortSignal whose reason is an error", () => {
  const source = new AbortController();
  const signal = toAbortSignal(toCancelSignal(source.signal));
  expect(signal.aborted).toBe(false);
  source.abort("why");
  expect(signal.reason).toBeInstanceOf(AbortedError);
  expect(signal.reason).toMatchObject({ code: "host.aborted", reason: "why" });
  const error = new RangeError("kept");
  expect(toAbortSignal(toCancelSignal(AbortSignal.abort(error))).reason).toBe(error);
});

test("aborting cancels the task tied to the signal, and no task afterwards", async () => {
  const running = start();
  const controller = new AbortController();
  const nap = () =>
    running.kernel.spawn(function* (sys) {
      yield* sys.sleep(1_000_000);
    });
  const [tied, untied] = [nap(), nap()];
  cancelOnAbort(running.kernel, tied, controller.signal);
  cancelOnAbort(running.kernel, untied, controller.signal)();
  controller.abort("enough");
  expect(await running.exitOf(tied)).toEqual({ kind: "cancelled", reason: "enough" });
  expect(running.kernel.exitOf(untied)).toBeUndefined();
  expect(await running.stop(1000)).toBe("clean");
});

test("a task waits for a promise and gets its value or its error", async () => {
  const running = start();
  const id = running.kernel.spawn(function* (sys) {
    const value = yield* sys.external(awaiting(async () => 42));
    try {
      yield* sys.external(awaiting(() => Promise.reject(new RangeError("refused"))));
    } catch (error) {
      return [value, (error as Error).message];
    }
    return [];
  });
  expect(await running.exitOf(id)).toEqual({ kind: "ok", value: [42, "refused"] });
});

test("a promise whose task is cancelled is aborted, and what it does later is ignored", async () => {
  const running = start();
  let signal: AbortSignal | undefined;
  const late = Promise.withResolvers<string>();
  const id = running.kernel.spawn(function* (sys) {
    return yield* sys.external(
      awaiting((handed) => {
        signal = handed;
        return late.promise;
      }),
    );
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(signal?.aborted).toBe(false);
  running.kernel.cancel(id, "no longer");
  expect(await running.exitOf(id)).toEqual({ kind: "cancelled", reason: "no longer" });
  expect(signal?.aborted).toBe(true);
  late.resolve("too late");
  await late.promise;
  expect(running.kernel.exitOf(id)?.kind).toBe("cancelled");
});
