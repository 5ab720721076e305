/** What a program outside does with mail that cannot be read, and with a mailbox that is gone. */
import { connectSystem } from "@glia-os/daemon";
import { expect, test } from "vitest";
import { readMailbox } from "../../src/agents/mailbox-reader.ts";
import { scriptedNode } from "./scripted-node.ts";

const asked = { id: "1".repeat(32), name: "asked" };
const chunk = { glia: 1, kind: "chunk", from: asked, correlation: 1, input: "first" };
const rubbish = ["rubbish", "{}", '{"host":', '{"glia":2}', "\u0000"];

async function called(calls: readonly string[], name: string): Promise<void> {
  while (!calls.includes(name)) await new Promise((resolve) => setImmediate(resolve));
}

test("MR2: rubbish in the mail ends no ask, no stream and no routine: it is logged, and what is behind it is taken", async () => {
  const lines: string[] = [];
  const log = (_level: unknown, message: string): void => void lines.push(message);
  const script = scriptedNode();
  const system = connectSystem(script.node, { log });
  const reply = system.ask<string>(asked, "question");
  await called(script.calls, "ask");
  script.mail(...rubbish, { ...chunk, kind: "reply" });
  expect(await reply).toBe("first");
  await system.close();

  const streaming = scriptedNode();
  const items = connectSystem(streaming.node, { log }).stream(asked, "lines");
  const first = items.next();
  await called(streaming.calls, "actAs");
  streaming.mail(...rubbish, chunk);
  expect(await first).toEqual({ done: false, value: "first" });
  await items.return?.(undefined);

  const running = scriptedNode();
  const found = connectSystem(running.node, { log }).find("asked");
  await called(running.calls, "actAs");
  running.mail(...rubbish, { host: "answer", request: 1, value: asked });
  expect(await found).toEqual(asked);
  expect(lines.length).toBeGreaterThanOrEqual(3 * (rubbish.length - 1));
});

test("MR1: a mailbox that cannot be read is closed all the same, once", async () => {
  const { node, calls, fail } = scriptedNode();
  const gone = Promise.withResolvers<unknown>();
  const events = { take: () => undefined, refused: () => undefined, gone: gone.resolve };
  const reader = await readMailbox(node, events);
  fail(new TypeError("the node is away"));
  expect(((await gone.promise) as Error).message).toBe("the node is away");
  await reader.done;
  await reader.close();
  await reader.close();
  expect(calls.filter((name) => name === "closeMailbox")).toHaveLength(1);
});

test("MR1: a system whose mailbox is gone closes it", async () => {
  const { node, calls, fail } = scriptedNode();
  const system = connectSystem(node);
  const reply = system.ask(asked, "question").catch((error: Error) => error.message);
  await called(calls, "ask");
  fail(new TypeError("the node is away"));
  expect(await reply).toBe("the node is away");
  await called(calls, "closeMailbox");
  await system.close();
});
