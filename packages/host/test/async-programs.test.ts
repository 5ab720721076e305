import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { runKernel } from "@glia-os/host";
import { createKernel, type Handle } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { expect, test } from "vitest";

function start() {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  return runKernel(kernel, { timers: createSystemTimers() });
}

test("async programs run under the pump, beside generators, and wait for the outside by sys.external", async () => {
  const running = start();
  const { kernel } = running;
  const box = kernel.mailbox<string>();
  const reader = kernel.spawn(
    asyncProgram(async (sys, inbox: Handle<string>) => {
      const first = await sys.receive(inbox);
      await sys.sleep(1);
      const second = await sys.external<string>((settle) => {
        const immediate = setImmediate(() => settle.ok("outside"));
        return () => clearImmediate(immediate);
      });
      return [first, second];
    }),
    { give: [box] },
  );
  kernel.spawn(
    function* (sys, out: Handle<string>) {
      yield* sys.send(out, "from a generator");
    },
    { give: [box] },
  );
  expect(await running.exitOf(reader)).toEqual({ kind: "ok", value: ["from a generator", "outside"] });
  await running.ended();
});

test.each([
  ["an immediate", () => new Promise((resolve) => setImmediate(resolve))],
  ["a timer that is due", () => new Promise((resolve) => setTimeout(resolve, 0))],
  ["nothing that ever comes", () => new Promise(() => undefined)],
])("R4: a foreign await of %s is found, however soon it settles", async (_, foreign) => {
  const running = start();
  for (let i = 0; i < 20; i++) {
    const task = running.kernel.spawn(
      asyncProgram(async (sys) => {
        await sys.yield();
        await foreign();
      }),
    );
    expect(await running.exitOf(task)).toMatchObject({
      kind: "failed",
      error: { code: "kernel.foreign-await" },
    });
  }
  await running.ended();
});

test("a timer of the process is served while async tasks go on and on", async () => {
  const running = start();
  let stopped = false;
  const busy = running.kernel.spawn(
    asyncProgram(async (sys) => {
      let turns = 0;
      while (!stopped) {
        await sys.yield();
        turns++;
      }
      return turns > 0;
    }),
  );
  setTimeout(() => {
    stopped = true;
  }, 5);
  expect(await running.exitOf(busy)).toEqual({ kind: "ok", value: true });
});
