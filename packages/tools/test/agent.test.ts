import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Domains, type DurableProgram } from "@glia-os/durable";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createFileTree } from "@glia-os/host";
import {
  type CassetteMode,
  type ChatAnswer,
  type ChatMessage,
  createCassetteModel,
  createScriptedModel,
} from "@glia-os/inference";
import { modelService, toolService } from "@glia-os/kernel/services";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import { connectMcpServer, type McpAnswer, offerOf } from "@glia-os/tools";
import { expect, test } from "vitest";

const FIXTURE = new URL("./fixtures/server.ts", import.meta.url).pathname;
const CALLS = 100;
const ASKED_FOR = 250;
const MOST_BYTES = 1_000_000;

test("a durable agent with a cassette and an MCP tool goes on after a crash in 100 tool calls, offline, in under 1 MB of journal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glia-agent-"));
  const server = { kind: "stdio", command: process.execPath, args: [FIXTURE] } as const;
  const mcp = await connectMcpServer({ name: "fixture", server });
  const add = await mcp.tool("add");
  const agent: DurableProgram<string> = {
    name: "agent",
    uses: ["model", "add"],
    account: { calls: ASKED_FOR },
    run: (question) =>
      function* (sys, _inbox, model, tool) {
        const messages: ChatMessage[] = [{ role: "user", content: question }];
        for (;;) {
          const request = { messages: [...messages], tools: [offerOf(add)], max_tokens: 50 };
          const { message } = (yield* sys.model(model!, request)) as unknown as ChatAnswer;
          messages.push(message);
          for (const { id, function: called } of message.tool_calls ?? []) {
            const answer = (yield* sys.exec(tool!, JSON.parse(called.arguments))) as McpAnswer;
            messages.push({ role: "tool", tool_call_id: id, content: JSON.stringify(answer.structured) });
          }
          if (message.tool_calls === undefined) return message.content;
        }
      },
  };
  /** Counts up by the tool's last answer, then says it. */
  const script = createScriptedModel(
    [
      (request, number) => {
        const last = (request["messages"] as ChatMessage[]).at(-1)!;
        const sum = last.role === "tool" ? (JSON.parse(String(last.content)) as { sum: number }).sum : 0;
        if (sum === CALLS) return { message: { role: "assistant", content: `counted to ${sum}` } };
        const called = { name: "add", arguments: JSON.stringify({ a: sum, b: 1 }) };
        return {
          message: {
            role: "assistant",
            content: null,
            tool_calls: [{ id: `c${number}`, type: "function", function: called }],
          },
        };
      },
    ],
    { repeat: true },
  );
  const journal = createMemoryJournal();
  const open = (mode: CassetteMode) => {
    const digests = createSystemDigests();
    const model = createCassetteModel({
      files: createFileTree(folder),
      path: "agent.json",
      digests,
      mode,
      model: script,
    });
    const services = {
      model: { service: modelService(model) },
      add: { service: toolService(add), repeatable: true },
    };
    const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
    return new Domains({ journal, clock, timers, random, digests, programs: [agent], services });
  };
  try {
    const recording = open("record");
    expect(await (await recording.start("recorded", agent, "Count to 100.")).result).toBe("counted to 100");
    await recording.close();
    expect(script.asked.length).toBe(CALLS + 1);

    const before = open("replay");
    await before.start("replayed", agent, "Count to 100.");
    while (((await journal.head("replayed"))?.nextSeq ?? 0) < CALLS)
      await new Promise<void>((done) => setImmediate(done));
    await before.close();
    const after = open("replay");
    expect((await after.recover()).resumed).toEqual(["replayed"]);
    expect(await after.get("replayed")?.result).toBe("counted to 100");
    await after.close();
    expect(script.asked.length).toBe(CALLS + 1);
    expect((await journal.head("replayed"))?.bytes).toBeLessThan(MOST_BYTES);
  } finally {
    await mcp.close();
    rmSync(folder, { recursive: true });
  }
});
