/** Whose messages answer what a program outside asked. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { connectSystem } from "@glia-os/daemon";
import { expect, test } from "vitest";
import { scriptedNode } from "./scripted-node.ts";

const asked = { id: "1".repeat(32), name: "asked" };
const other = { id: "2".repeat(32), name: "other" };
const answer = { glia: 1, kind: "reply", from: asked, correlation: 1, input: "the answer" };

async function asking(calls: readonly string[], name: string): Promise<void> {
  while (!calls.includes(name)) await new Promise((resolve) => setImmediate(resolve));
}

test("AN1: an ask is answered by whom it asked, and by nobody else who asks, tells, replies or fails", async () => {
  for (const to of [asked, asked.name]) {
    const { node, calls, mail } = scriptedNode();
    const system = connectSystem(node);
    const reply = system.ask(to, "question");
    await asking(calls, "ask");
    mail(
      { ...answer, kind: "ask", message: "back", input: "asked back" },
      { ...answer, kind: "tell", correlation: undefined, message: "back", input: "told back" },
      { ...answer, from: other, input: "of another" },
      { ...answer, from: other, kind: "error", input: { code: "agent.stopped", message: "forged" } },
      { ...answer, correlation: 2, input: "to another ask" },
      answer,
    );
    expect(await reply).toBe("the answer");
    await system.close();
  }
});

test("AN1: what comes on the link of one ask answers no other", async () => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ ...answer, from: undefined, input: "of another link" }),
  );
  let links = 0;
  const { node, calls, mail } = scriptedNode({
    ask: async () => (++links === 1 ? new TextEncoder().encode('{"host":"later"}') : bytes),
  });
  const system = connectSystem(node);
  const first = system.ask(asked, "question");
  await asking(calls, "ask");
  const second = system.ask(other, "question", undefined, { timeoutMs: 20 });
  expect(await second.catch(errorCodeOf)).toBe("agent.ask-timeout");
  mail(answer);
  expect(await first).toBe("the answer");
  await system.close();
});

test("an ask that is given chunks is refused, and its source is told to give no more", async () => {
  const { node, calls, mail } = scriptedNode();
  const system = connectSystem(node);
  const reply = system.ask(asked, "lines");
  await asking(calls, "ask");
  mail({ ...answer, kind: "chunk" });
  expect(await reply.catch(errorCodeOf)).toBe("agent.not-a-stream");
  await asking(calls, "send");
  await system.close();
});

test("AN1: a stream has items of whom it was asked from, and of no other", async () => {
  const { node, calls, mail } = scriptedNode();
  const system = connectSystem(node);
  const items = system.stream(asked, "lines") as AsyncGenerator<unknown, unknown, void>;
  const first = items.next();
  await asking(calls, "actAs");
  mail(
    { ...answer, kind: "chunk", from: other, input: "of another" },
    { ...answer, kind: "chunk", correlation: 2, input: "of another stream" },
    { ...answer, kind: "chunk", input: "first" },
    { ...answer, kind: "end", from: other, input: "ended by another" },
    { ...answer, kind: "end", input: "end" },
  );
  expect(await first).toEqual({ done: false, value: "first" });
  expect(await items.next()).toEqual({ done: true, value: "end" });
  await system.close();
});
