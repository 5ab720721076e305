import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createWatchdog, type Hog, runKernel } from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";
import { expect, test } from "vitest";

/** Compute until told to stop by the clock: a loop without a syscall. */
function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("V2: a task that holds the loop is named by path and name, once, to the listener and on the channel", async () => {
  const hogs: Hog[] = [];
  const published: unknown[] = [];
  const heard = (message: unknown): void => void published.push(message);
  subscribe("glia.host.hog", heard);
  const noticed = Promise.withResolvers<void>();
  const watchdog = createWatchdog({
    limitMs: 20,
    onHog: (hog) => {
      hogs.push(hog);
      noticed.resolve();
    },
  });
  const kernel = createKernel({
    clock: createSystemClock(),
    random: createSystemRandom(),
    observer: watchdog.observer,
  });
  const running = runKernel(kernel, { timers: createSystemTimers() });
  watchdog.watch(kernel);
  expect(() => watchdog.watch(kernel)).toThrowError(
    expect.objectContaining({ code: "host.already-running" }),
  );
  const polite = kernel.spawn(
    function* (sys) {
      for (let i = 0; i < 1000; i++) yield* sys.yield();
    },
    { name: "polite" },
  );
  await running.exitOf(polite);
  const hog = kernel.spawn(
    function* (sys) {
      // Until the thread is up and has noticed; each turn far over the limit.
      while (hogs.length === 0) {
        hold(100);
        yield* sys.sleep(0);
      }
    },
    { name: "greedy" },
  );
  await noticed.promise;
  await running.exitOf(hog);
  expect(hogs[0]).toMatchObject({ task: hog, name: "/1 greedy" });
  expect(hogs.every(({ ranMs }) => ranMs >= 20)).toBe(true);
  expect(published).toEqual(hogs);
  unsubscribe("glia.host.hog", heard);
  await watchdog.stop();
  await watchdog.stop();
  await running.stop(1000);
});

test("V2: a task that never ends is named on standard error while it runs", async () => {
  const file = fileURLToPath(new URL("./fixtures/endless.ts", import.meta.url));
  const run = promisify(execFile)(process.execPath, ["--conditions=@glia-os/source", file], {
    timeout: 50_000,
    killSignal: "SIGKILL",
  });
  let told = "";
  run.child.stderr?.on("data", (text: string) => {
    told += text;
    if (/has held the loop/.test(told)) run.child.kill("SIGKILL");
  });
  await run.catch(() => undefined);
  expect(told).toMatch(/glia: task \d+ \(\/0 endless\) has held the loop for \d+ ms/);
});

test("limits out of range are refused", () => {
  for (const limitMs of [0, Number.NaN, 3_600_001])
    expect(() => createWatchdog({ limitMs })).toThrowError(
      expect.objectContaining({ code: "host.bad-option" }),
    );
});
