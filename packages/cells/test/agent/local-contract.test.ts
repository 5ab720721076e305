/** The contract of agent systems, over the kernel of this thread: with a kernel of its own, and with one that somebody else runs. */

import { type AgentSystem, createLocalSystem } from "@glia-os/cells/agent";
import { agentSystemContract } from "@glia-os/cells/testing";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { runKernel } from "@glia-os/host";
import { createKernel } from "@glia-os/kernel";
import { describe, expect, test } from "vitest";

const clock = createSystemClock();
const random = createSystemRandom();
const timers = createSystemTimers();

const systems: Readonly<Record<string, () => AgentSystem>> = {
  "a kernel of its own": () => createLocalSystem({ clock, random, timers }),
  "a kernel that the host runs": () => {
    const kernel = createKernel({ clock, random });
    runKernel(kernel, { timers });
    return createLocalSystem({ kernel, clock });
  },
};

describe.each(Object.entries(systems))("agents over %s", (_, make) => {
  test.each(agentSystemContract.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
    const system = make();
    expect(await one.run(system)).toBeUndefined();
    await system.close();
  });
});
