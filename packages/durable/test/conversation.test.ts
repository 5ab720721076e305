import type { DurableProgram } from "@glia-os/durable";
import { modelService, toolService } from "@glia-os/kernel/services";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const CALLS = 100;
/** 200,000 tokens of four characters. */
const CONVERSATION = "c".repeat(800_000);
const MOST_BYTES = 1_000_000;

const agent: DurableProgram<string> = {
  name: "agent",
  uses: ["model", "search"],
  run: (first) =>
    function* (sys, _inbox, model, search) {
      const conversation = [first];
      for (let i = 0; i < CALLS; i++) {
        const answer = yield* sys.model(model!, { messages: [...conversation] });
        const said = String((answer as { readonly content: string }).content);
        conversation.push(said, String(yield* sys.exec(search!, { query: said })));
      }
      return conversation.length;
    },
};

it("100 tool calls over a conversation of 200,000 tokens add less than 1 MB of journal, and what was asked is not in it", async () => {
  const asked: number[] = [];
  const model = modelService({
    complete: async (request) => {
      asked.push(JSON.stringify(request).length);
      return { content: "thought ".repeat(80) };
    },
  });
  const search = toolService({ run: async () => "found ".repeat(400) });
  const world = new TestWorld([agent], { model: { service: model }, search: { service: search } });
  const domain = await world.domains.start("agent", agent, CONVERSATION);
  const before = (await world.journal.head("agent"))?.bytes ?? 0;
  expect(await domain.result).toBe(1 + 2 * CALLS);
  expect(Math.min(...asked)).toBeGreaterThan(CONVERSATION.length);
  const after = (await world.journal.head("agent"))?.bytes ?? 0;
  expect(after - before).toBeGreaterThan(CALLS * 2_000);
  expect(after - before).toBeLessThan(MOST_BYTES);
});
