/** How the replicas of agents are shown, and asked for on the command line. */
import type { AgentView, MeshSurvey } from "@glia-os/daemon";
import { describe, expect, it } from "vitest";
import { agentLines, replicasOf } from "../src/commands/agent-list.ts";
import { agentSpawn } from "../src/commands/agent-spawn.ts";
import type { Context } from "../src/context.ts";
import { meshLines } from "../src/top/mesh-view.ts";

const [A, B] = ["a".repeat(64), "b".repeat(64)] as const;

function agent(wanted: number, nodes: readonly (readonly [string, "fed" | "seeding"])[]): AgentView {
  const shown = nodes.map(([node, state]) => ({ node, state, behindBytes: 0 }));
  const live = { received: 0, waiting: 0, memoryBytes: 0, replica: { state: "short", wanted, nodes: shown } };
  return {
    name: "one",
    agent: "1".repeat(32),
    owner: A,
    status: "running",
    epoch: 1,
    live,
  } as unknown as AgentView;
}

describe("replicas", () => {
  it("are shown with how they stand, and how many of how many there are where some are missing", () => {
    const [a, b] = [A.slice(0, 12), B.slice(0, 12)];
    expect(replicasOf(agent(1, [[A, "fed"]]))).toBe(a);
    expect(replicasOf(agent(1, [[A, "seeding"]]))).toBe(`${a} seeding`);
    expect(replicasOf(agent(1, []))).toBe("missing");
    expect(
      replicasOf(
        agent(2, [
          [A, "fed"],
          [B, "fed"],
        ]),
      ),
    ).toBe(`${a} ${b}`);
    expect(
      replicasOf(
        agent(3, [
          [A, "fed"],
          [B, "seeding"],
        ]),
      ),
    ).toBe(`1 of 3 ${a} ${b} seeding`);
    expect(replicasOf(agent(2, []))).toBe("0 of 2 missing");
    const silent = { ...agent(2, []), live: undefined, replicas: [A, B] } as unknown as AgentView;
    expect(replicasOf(silent), "as the row says, when the owner does not").toBe(`${a} ${b}`);
  });

  it("have a column in the list and in top, where some agent has any", () => {
    const one = agent(2, [[A, "fed"]]);
    const plain = { ...one, live: { received: 0, waiting: 0, memoryBytes: 0 } } as unknown as AgentView;
    const top = (agents: AgentView[]): string =>
      meshLines({ now: { atMs: 0, nodes: [], agents } as MeshSurvey, before: undefined }, "name").join("\n");
    expect(agentLines([one])[0]).toContain("replicas");
    expect(agentLines([plain])[0]).not.toContain("replicas");
    expect(top([one])).toMatch(/REPLICAS\n.* 1 of 2 aaaaaaaaaaaa/);
    expect(top([plain])).not.toContain("REPLICAS");
  });

  it("are 1 to 4, and something else is refused before anything is built", async () => {
    for (const replicas of ["0", "5", "1.5", "-1", "many", "", "22"])
      await expect(agentSpawn("none.ts", { replicas } as never, {} as Context)).rejects.toMatchObject({
        code: "cli.usage",
      });
    const both = { replicas: "2", replica: "never" } as never;
    await expect(agentSpawn("none.ts", both, {} as Context)).rejects.toThrow(/--replica never is none/);
  });
});
