/** What a durable agent that talks keeps over checkpoints and lives, and where its talk is bounded. */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type AgentContext,
  type AgentRef,
  agent,
  decodeEnvelope,
  encodeEnvelope,
} from "@glia-os/cells/agent";
import { ACTS_MAX, durableAgent, MESSAGE_BYTES_MAX, OUTBOX_MESSAGES } from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import { expect, test } from "vitest";
import { DeskWorld } from "./desk-world.ts";
import { AGENT, Disk, DomainNode } from "./domain-world.ts";

const FRIEND = "1".repeat(32);
const BEGIN = new TextEncoder().encode(
  JSON.stringify({ host: "begin", self: { id: AGENT, name: "agent" }, parent: { id: "f".repeat(32) } }),
);

interface Many {
  heard: number[];
  ticks: number;
}

const child = agent({ name: "child", on: { work: { handle: () => 1 } } });
const member = agent({
  name: "member",
  state: (): Many => ({ heard: [], ticks: 0 }),
  *start(ctx: AgentContext<Many>) {
    ctx.subscribe("news", "hear");
    ctx.every(20, "tick");
    yield* ctx.spawn(child, { name: "child" });
  },
  on: {
    hear: {
      handle(ctx: AgentContext<Many>, n: number) {
        ctx.state.heard.push(n);
      },
    },
    tick: {
      handle(ctx: AgentContext<Many>) {
        ctx.state.ticks += 1;
        if (ctx.state.ticks % 2 === 0) ctx.tell("friend", "ticks", ctx.state.ticks);
      },
    },
    tell: {
      handle(ctx: AgentContext, count: number) {
        let told = 0;
        try {
          for (; told < count; told++) ctx.tell({ id: FRIEND }, "item", told);
          return [told];
        } catch (error) {
          return [told, (error as { readonly code: string }).code];
        }
      },
    },
    large: {
      handle(ctx: AgentContext, bytes: number) {
        ctx.tell({ id: FRIEND }, "item", "x".repeat(bytes));
      },
    },
    reach: {
      *handle(ctx: AgentContext, to: string | AgentRef) {
        return yield* ctx.ask(to, "hello", undefined, { timeoutMs: 60_000 });
      },
    },
    who: { handle: (ctx: AgentContext) => [ctx.children().map(({ name }) => name), ctx.self.name] },
  },
});
const PROGRAMS = [durableAgent(member, [child])] as never;

interface Stage {
  readonly node: DomainNode;
  readonly disk: Disk;
  readonly world: DeskWorld;
}

async function stage(world = new DeskWorld(), disk = new Disk(), isNew = true): Promise<Stage> {
  world.names.set("friend", FRIEND);
  const desks = world.desks(
    () => node.runner,
    () => true,
  );
  const node: DomainNode = new DomainNode(PROGRAMS, disk, { desks, historyBytes: 4000 });
  if (isNew) await node.start("member", ["service/agents"], BEGIN);
  else await node.recover();
  return { node, disk, world };
}

let seq = 0;
async function ask(node: DomainNode, message: string, input?: unknown): Promise<readonly unknown[]> {
  const known = node.heard.replies.length;
  const correlation = ++seq;
  const envelope = encodeEnvelope({ kind: "ask", from: undefined, correlation, message, input });
  await node.send(seq, envelope, { ask: true, floor: seq });
  while (node.heard.replies.length === known) await turn();
  const { kind, input: answer } = decodeEnvelope(node.heard.replies.at(-1)?.[1] ?? "");
  return [kind, answer];
}

async function publish(node: DomainNode, n: number): Promise<void> {
  const from = { id: "9".repeat(32) };
  await turn();
  await node.send(
    ++seq,
    encodeEnvelope({ kind: "publish", from, correlation: 0, message: "news", input: n }),
  );
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("timers, topics, children and the parent of a durable agent outlive its checkpoints and its process", async () => {
  seq = 0;
  let { node, disk, world } = await stage();
  for (let n = 0; n < 250; n++) await publish(node, n);
  while ((await disk.journal.head(AGENT))?.firstSeq === 1) await publish(node, 250);
  await node.runner.close();
  ({ node } = await stage(world, disk, false));
  for (let ticks = world.got(FRIEND).length; world.got(FRIEND).length < ticks + 2; ) await turn();
  await publish(node, 251);
  expect(await ask(node, "who")).toEqual(["reply", [["child"], "agent"]]);
  expect(world.got(FRIEND)).toEqual(world.got(FRIEND).map((_, at) => 2 * (at + 1)));
  expect(world.children.size).toBe(1);
  await node.runner.close();
});

test("more messages than may be on their way are refused to the handler, what was sent arrives, and then there is room again", async () => {
  seq = 0;
  const { node, world } = await stage();
  const [kind, told] = await ask(node, "tell", OUTBOX_MESSAGES + 50);
  expect([kind, told]).toEqual(["reply", [expect.any(Number), "agent.mailbox-full"]]);
  const [sent] = told as readonly [number, string];
  expect(sent).toBeGreaterThan(OUTBOX_MESSAGES - 10);
  expect(sent).toBeLessThanOrEqual(OUTBOX_MESSAGES);
  while (world.got(FRIEND).filter((n) => n === sent - 1).length === 0) await turn();
  expect(await ask(node, "tell", 20)).toEqual(["reply", [20]]);
  await node.runner.close();
});

test("a message of more than a record takes is refused before anything is sent, and the agent goes on", async () => {
  seq = 0;
  const { node, world } = await stage();
  expect(await ask(node, "large", MESSAGE_BYTES_MAX)).toMatchObject([
    "error",
    { code: "agent.value-not-plain" },
  ]);
  expect(await ask(node, "large", 10)).toEqual(["reply", undefined]);
  while (world.got(FRIEND).every((one) => one !== "xxxxxxxxxx")) await turn();
  await node.runner.close();
});

test("an ask of a name that nobody has, and of an agent that is gone, fails with the code while the agent waits for it", async () => {
  seq = 0;
  const { node, world } = await stage();
  expect(await ask(node, "reach", "nobody")).toMatchObject(["error", { code: "agent.unknown-agent" }]);
  const gone = "7".repeat(32);
  world.gone.add(gone);
  expect(await ask(node, "reach", { id: gone })).toMatchObject(["error", { code: "agent.unknown-agent" }]);
  expect(await ask(node, "who")).toMatchObject(["reply", [["child"], "agent"]]);
  await node.runner.close();
});

test("acts out of shape, too many of them, and acts of a cell without the grant are refused with their code", async () => {
  const codes: unknown[] = [];
  const tries: readonly unknown[] = [
    { acts: [{ act: "send", to: "Not A Name", payload: new Uint8Array() }] },
    { acts: [{ act: "dance" }] },
    { acts: Array.from({ length: ACTS_MAX + 1 }, () => ({ act: "subscribe", topic: "news" })) },
    { acts: [{ act: "spawn", request: 0, child: {} }] },
    { acts: [null] },
    { acts: [{ act: "subscribe", topic: "news" }] },
  ];
  const rude: DurableProgram<never> = {
    name: "rude",
    uses: ["cell"],
    run: () =>
      function* (sys, _inbox, cell) {
        for (const request of tries)
          try {
            yield* sys.exec(cell as never, request);
            codes.push("taken");
          } catch (error) {
            codes.push(errorCodeOf(error));
          }
        return null;
      },
  };
  const node = new DomainNode([rude]);
  await node.start("rude");
  while (node.heard.ended.length === 0) await turn();
  const bad = Array.from({ length: tries.length - 1 }, () => "cells.bad-reply");
  expect(codes).toEqual([...bad, "cells.not-in-domain"]);
});
