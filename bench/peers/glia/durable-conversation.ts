/** What an agent with a long conversation adds to its journal: a call of a model with all of it, a call of a tool, again and again. */
import type { DurableProgram } from "@glia-os/durable";
import { modelService, toolService } from "@glia-os/kernel/services";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import type { Contestant, ContestantFactory } from "../../src/suite.ts";
import { domainsOn } from "./durable-world.ts";

const TOKENS = 200_000;
const CHARACTERS_PER_TOKEN = 4;
const CALLS = 100;
/** What the model says and the tool answers each time, in characters. */
const THOUGHT = 600;
const FOUND = 2_400;

const agent: DurableProgram<string> = {
  name: "agent",
  uses: ["model", "search"],
  run: (first) =>
    function* (sys, _inbox, model, search) {
      const conversation = [first];
      for (let i = 0; i < CALLS; i++) {
        const asked = (yield* sys.model(model!, { messages: [...conversation] })) as {
          readonly text: string;
        };
        conversation.push(asked.text, String(yield* sys.exec(search!, asked)));
      }
      return conversation.join("").length;
    },
};

/** Bytes of journal that the calls add, the beginning with its conversation not counted. */
async function added(): Promise<number> {
  const journal = createMemoryJournal();
  const model = modelService({ complete: async () => ({ text: "t".repeat(THOUGHT) }) });
  const search = toolService({ run: async () => "f".repeat(FOUND) });
  const domains = domainsOn(journal, [agent as DurableProgram], {
    model: { service: model },
    search: { service: search },
  });
  const domain = await domains.start("agent", agent, "c".repeat(TOKENS * CHARACTERS_PER_TOKEN));
  const before = (await journal.head("agent"))?.bytes ?? 0;
  await domain.result;
  const after = (await journal.head("agent"))?.bytes ?? 0;
  await domains.close();
  await journal.close();
  return after - before;
}

/** Kilobytes. */
function kilobytes(): Contestant {
  return { value: async () => (await added()) / 1_000 };
}

/** By name, for a process of their own. */
export const contestants: Readonly<Record<string, ContestantFactory>> = { kilobytes };
