/** A kernel on this machine, for the steps that follow. */
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { type RunningKernel, runKernel } from "@glia-os/host";
import { createKernel, type Exit, type Program } from "@glia-os/kernel";

/** A kernel that runs. */
export function boot(): RunningKernel {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  return runKernel(kernel, { timers: createSystemTimers() });
}

/** Run one program on a kernel of its own until all its tasks have ended. */
export async function runAlone<Result>(program: Program<Result>): Promise<Exit<Result>> {
  const machine = boot();
  const exit = await machine.exitOf<Result>(machine.kernel.spawn(program));
  await machine.ended();
  return exit;
}
