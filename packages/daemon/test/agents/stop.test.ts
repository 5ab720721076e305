/** Agents that do not stop when they are told to. */
import { connectSystem } from "@glia-os/daemon";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { scriptedNode } from "./scripted-node.ts";

const agent = { id: "1".repeat(32), name: "deaf" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function silent(): Promise<never> {
  return new Promise((_, reject) =>
    setTimeout(() => reject(Object.assign(new TypeError("late"), { code: "mesh.link-timeout" })), 1000),
  );
}

test.each([
  ["answers", async () => new TextEncoder().encode("{}")],
  ["is suspended and answers nothing", silent],
])(
  "CO4: an agent that %s and does not end is terminated in the end, and is not asked without pause",
  async (_, ask) => {
    const { node, calls } = scriptedNode({ ask });
    let stopped = false;
    const stop = connectSystem(node)
      .stop(agent)
      .then(() => {
        stopped = true;
      });
    await vi.advanceTimersByTimeAsync(1000);
    expect(calls.filter((name) => name === "ask").length).toBeLessThanOrEqual(101);
    expect([stopped, calls.includes("terminate")]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(31_000);
    await stop;
    expect(calls.filter((name) => name === "terminate")).toHaveLength(1);
  },
);
