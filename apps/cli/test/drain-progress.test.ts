/** What `glia node drain` shows of a drain (ND1). */
import type { DrainView } from "@glia-os/daemon";
import { describe, expect, it } from "vitest";
import { untilDone } from "../src/movement/node-drain.ts";

const NODE = "0a".repeat(32) as DrainView["node"];
const at = (moved: number, left: number, state: DrainView["state"] = "draining"): DrainView => ({
  node: NODE,
  state,
  moved,
  left,
  stuck: [],
  newest: Array.from({ length: Math.min(moved, 32) }, (_, n) => ({
    agent: "ab".repeat(16) as DrainView["newest"][number]["agent"],
    name: `agent-${moved - Math.min(moved, 32) + n + 1}`,
    to: NODE,
  })),
});

async function shown(views: readonly DrainView[], interrupt = new AbortController()): Promise<string[]> {
  const lines: string[] = [];
  const terminal = { record: () => undefined, line: (line: string) => lines.push(line) } as never;
  const left = [...views];
  const drainStatus = async (): Promise<DrainView> => {
    if (left.length === 1) interrupt.abort();
    return left.shift() as DrainView;
  };
  await untilDone({ drainStatus }, undefined, { terminal, interrupt: interrupt.signal });
  return lines.map((line) => line.split(" ")[0] ?? "");
}

describe("the progress of a drain", () => {
  it("has one line for each agent that moved, however many moved between two looks", async () => {
    expect(await shown([at(0, 3), at(2, 1), at(2, 1), at(3, 0, "drained")])).toEqual([
      "agent-1",
      "agent-2",
      "agent-3",
    ]);
  });

  it("shows the newest of more than a look carries, and each once", async () => {
    const lines = await shown([at(40, 5), at(41, 4, "partly")]);
    expect(lines).toEqual([...Array.from({ length: 32 }, (_, n) => `agent-${n + 9}`), "agent-41"]);
  });

  it("ends with the interrupt while the drain goes on", async () => {
    expect(await shown([at(1, 1)])).toEqual(["agent-1"]);
  });
});
