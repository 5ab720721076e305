/** Moves by post-copy and hybrid between nodes: agents that run at their destination before their memory is there. */
import type { LocalNode } from "@glia-os/daemon";
import { beforeAll, expect, test } from "vitest";
import { guest, testNodes, text, words } from "../movement/nodes.ts";
import { Field, fieldModule } from "./field.ts";

const { found, joined } = testNodes();
let module: Uint8Array;
beforeAll(async () => {
  module = await fieldModule();
});

/** Ask with some in flight until told to stop; answers are checked in order. */
async function stream(node: LocalNode, field: Field, done: () => boolean): Promise<void> {
  const flying: Promise<Uint8Array>[] = [];
  while (!done() || flying.length > 0) {
    while (!done() && flying.length < 8) {
      const asked = node.ask("field", field.next(), 30_000);
      asked.catch(() => undefined);
      flying.push(asked);
    }
    const first = flying.shift();
    if (first !== undefined) field.reply(await first);
  }
}

test("GA1, PN3: an agent that is asked all the time moves to and fro by every strategy, and each answer comes from its own memory", async () => {
  const core = await found();
  const edge = await joined(core, "edge");
  await core.spawn({ name: "field", module });
  const field = new Field();
  let over = false;
  const streaming = stream(edge, field, () => over);
  const moves = ["post-copy", "hybrid", "pre-copy", "post-copy", "stop-and-copy"] as const;
  for (const [n, strategy] of moves.entries()) {
    const before = field.answered;
    const report = await edge.migrate("field", n % 2 === 0 ? "edge" : "core", { strategy });
    expect(report).toMatchObject({ strategy, epoch: n + 2 });
    const phases = report.phases.map(({ phase }) => phase);
    expect(phases.includes("pages")).toBe(strategy === "post-copy" || strategy === "hybrid");
    while (field.answered < before + 20) await new Promise((resolve) => setImmediate(resolve));
  }
  over = true;
  await streaming;
  expect(field.wrong).toEqual([]);
  console.log(`${field.answered} answers over ${moves.length} moves`);
});

test("PN2, PN7: a source that stops serves first, and what stands still is copied as it is", async () => {
  const core = await found();
  let stops = false;
  let stopping: Promise<void> | undefined;
  const source: LocalNode = await joined(core, "source", {
    onEvent: (event) => {
      if (event.kind === "migration-phase" && event.phase.phase === "live" && stops)
        stopping ??= source.stop();
    },
  });
  await core.spawn({ name: "speaker", module: guest("echo"), on: "source" });
  await source.pause("speaker");
  expect(await source.migrate("speaker", "core", { strategy: "post-copy" })).toMatchObject({
    strategy: "stop-and-copy",
  });

  // Small, so that a slow machine serves it in the seconds that a node takes for it.
  await core.spawn({ name: "small", module: guest("echo"), on: "source" });
  expect(words(await core.ask("small", text("before"), 30_000))).toBe("before");
  stops = true;
  await source.migrate("small", "core", { strategy: "post-copy" }).catch(() => undefined);
  expect(stopping).toBeDefined();
  await stopping;
  expect(words(await core.ask("small", text("after"), 30_000))).toBe("after");
  const agents = (await core.listAgents()).map(({ name, ownerName, status }) => [name, ownerName, status]);
  expect(agents).toContainEqual(["small", "core", "running"]);
});
