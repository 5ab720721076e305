/** Pause and resume of agents by request, on nodes (LS1, LS2, NV4). */
import { describe, expect, test } from "vitest";
import { codeOf, guest, testNodes, text, words } from "./nodes.ts";

const nodes = testNodes();

describe("an agent that is paused", () => {
  test("is suspended in its row, takes messages, answers them when it is resumed from any node, and stays so across a move", async () => {
    const core = await nodes.found();
    const edge = await nodes.joined(core, "edge");
    await core.spawn({ name: "echo", module: guest("echo") });
    expect(await edge.pause("echo")).toMatchObject({
      status: "suspended",
      epoch: 2,
      live: { state: "suspended" },
    });

    const answers = ["a", "b"].map((word) => edge.ask("echo", text(word), 60_000).then(words));
    await core.send("echo", text("c"));
    expect(await core.flush("echo", 5000)).toMatchObject({ acknowledged: 1 });
    await core.migrate("echo", "edge");
    expect(await core.listAgents()).toMatchObject([
      { name: "echo", status: "suspended", ownerName: "edge", epoch: 3, live: { received: 0, waiting: 3 } },
    ]);
    expect(await core.resume("echo")).toMatchObject({ status: "running", epoch: 4 });
    expect(await Promise.all(answers)).toEqual(["a", "b"]);
    await core.migrate("echo", "core");
    expect(words(await core.ask("echo", text("back"), 5000))).toBe("back");
  });

  test("CS1: only one that runs is paused, and only one that stands still is resumed; a name that is none is refused", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "echo", module: guest("echo") });
    expect(await codeOf(core.resume("echo"))).toBe("cells.illegal-transition");
    await core.pause("echo");
    expect(await codeOf(core.pause("echo"))).toBe("cells.illegal-transition");
    expect(await codeOf(core.pause("nobody"))).toBe("daemon.unknown-agent");
    await core.terminate("echo");
    expect(await codeOf(core.resume("echo"))).toBe("daemon.unknown-agent");
    expect(await core.listAgents()).toEqual([]);
  });

  test("NV4: one whose node was started again without it has failed, and its name is free once it is terminated", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "echo", module: guest("echo") });
    await core.pause("echo");
    await core.stop();
    const again = await nodes.start("core", { kind: "resume" }, "core");
    expect(await again.listAgents()).toMatchObject([{ name: "echo", status: "failed" }]);
    expect(await codeOf(again.ask("echo", text("x"), 1000))).toBe("daemon.agent-failed");
    await again.terminate("echo");
    expect(await again.listAgents()).toEqual([]);
  });

  test("an agent that failed says so in its row, and is neither paused nor resumed", async () => {
    const core = await nodes.found();
    await core.spawn({ name: "deep", module: guest("hostile-recursion") });
    await expect.poll(async () => (await core.listAgents())[0]?.status, { timeout: 10_000 }).toBe("failed");
    expect(await codeOf(core.pause("deep"))).toBe("daemon.agent-failed");
    expect(await codeOf(core.resume("deep"))).toBe("daemon.agent-failed");
  });
});
