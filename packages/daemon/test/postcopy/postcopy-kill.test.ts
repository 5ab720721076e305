/** Agents on their way by post-copy whose source is killed after the commit, before they are whole. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { AgentView, LocalNode } from "@glia-os/daemon";
import { afterEach, beforeAll, expect, test } from "vitest";
import { codeOf, testNodes } from "../movement/nodes.ts";
import { Field, fieldModule } from "./field.ts";
import { startSource } from "./start-source.ts";

const PATIENCE_MS = 60_000;
const FAST = { mesh: { profile: "fast" } } as const;
const nodes = testNodes();
let module: Uint8Array;
let source: ChildProcess | undefined;
const keep = (child: ChildProcess): void => {
  source = child;
};
beforeAll(async () => {
  module = await fieldModule();
});
afterEach(() => {
  source?.kill("SIGKILL");
});

async function until(
  node: LocalNode,
  name: string,
  holds: (view: AgentView | undefined) => boolean,
): Promise<AgentView> {
  for (;;) {
    const view = (await node.listAgents()).find((agent) => agent.name === name);
    if (holds(view)) return view as AgentView;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("RH6: an agent with a replica goes on there, nothing acknowledged lost or applied twice", async () => {
  const core = await nodes.found(FAST);
  const edge = await nodes.joined(core, "edge", FAST);
  await startSource(core, nodes.base(), keep);
  await core.spawn({ name: "field", module, on: "source", durability: "replica" });
  const field = new Field();
  const ask = async (): Promise<void> => field.reply(await edge.ask("field", field.next(), PATIENCE_MS));
  for (let n = 0; n < 10; n++) await ask();
  const fed = (view: AgentView | undefined): boolean => view?.live?.replica?.state === "fed";
  const { replicas: [replica] = [], epoch } = await until(core, "field", fed);
  const heir = replica === (await core.status()).node ? "core" : "edge";

  expect(await codeOf(core.migrate("field", heir, { strategy: "post-copy" }))).toBe("mesh.migration-refused");
  const killed = once(source as ChildProcess, "exit");
  // Whoever asked for the move hears of its end when its node is stopped: the node that moved the agent is gone.
  void codeOf(core.migrate("field", heir === "core" ? "edge" : "core", { strategy: "post-copy" }));
  const asking = ask();
  await killed;
  await asking;
  for (let n = 0; n < 10; n++) await ask();
  expect(field.wrong).toEqual([]);
  const after = await until(core, "field", (view) => view?.owner === replica);
  expect(after.epoch).toBeGreaterThan(epoch + 1);
});

// Both take some seconds of silence; one of them is enough for the quick tier.
test.runIf(process.env["GLIA_SOAK"] === "1")(
  "needs GLIA_SOAK=1: an agent without a replica ends where it was lost, and says why",
  async () => {
    const core = await nodes.found(FAST);
    await startSource(core, nodes.base(), keep);
    await core.spawn({ name: "field", module, on: "source" });
    const field = new Field();
    field.reply(await core.ask("field", field.next(), PATIENCE_MS));
    void codeOf(core.migrate("field", "core", { strategy: "post-copy" }));
    const lost = await until(core, "field", (view) => view?.status === "failed");
    expect(lost.failure).toContain("cells.lost-on-the-way");
    expect(lost.ownerName).toBe("core");
    await core.terminate("field");
  },
);
