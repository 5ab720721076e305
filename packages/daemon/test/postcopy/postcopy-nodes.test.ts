/** Moves by post-copy and hybrid between nodes: agents that run at their destination before their memory is there. */
import type { LocalNode } from "@glia-os/daemon";
import { beforeAll, expect, test } from "vitest";
import { testNodes } from "../movement/nodes.ts";
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

describe("an agent that is asked all the time", () => {
  test("GA1: moves by post-copy and hybrid, to and fro, and every answer comes from its own memory", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    await core.spawn({ name: "field", module });
    const field = new Field();
    let over = false;
    const streaming = stream(edge, field, () => over);
    const moves = ["post-copy", "hybrid", "pre-copy", "post-copy", "stop-and-copy", "hybrid"] as const;
    for (const [n, strategy] of moves.entries()) {
      const before = field.answered;
      const report = await edge.migrate("field", n % 2 === 0 ? "edge" : "core", { strategy });
      expect(report.strategy).toBe(strategy);
      expect(report.epoch).toBe(n + 2);
      if (strategy === "post-copy") expect(report.phases.map(({ phase }) => phase)).toContain("pages");
      while (field.answered < before + 20) await new Promise((resolve) => setImmediate(resolve));
    }
    over = true;
    await streaming;
    expect(field.wrong).toEqual([]);
    console.log(`${field.answered} answers over ${moves.length} moves`);
  });
});
