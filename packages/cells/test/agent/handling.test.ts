/** What handlers may do, and what becomes of those that do what they may not (agent-process.ts AP1 to AP4, waiting.ts WT1). */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "@glia-os/cells/agent";
import { ledger } from "@glia-os/cells/testing";
import { describe, expect, test } from "vitest";
import { world } from "./world.ts";

/** An agent with one message that is this handler. */
function one(handle: (ctx: AgentContext<never, never>, input: never) => unknown) {
  return agent({
    name: "one",
    on: { go: { handle: handle as (ctx: AgentContext, input: unknown) => unknown } },
  });
}

async function codeOfHandler(
  handle: (ctx: AgentContext<never, never>, input: never) => unknown,
): Promise<string | undefined> {
  const { system, codeOf } = world();
  return codeOf(system.spawn(one(handle)).then((ref) => system.ask(ref as AgentRef, "go")));
}

describe("a handler fails, with nothing waited for, that", () => {
  test("makes an operation in a plain function", async () => {
    expect(await codeOfHandler((ctx) => void ctx.sleep(1))).toBe("agent.waits-in-plain-handler");
  });

  test("makes an operation and does not perform it", async () => {
    const code = await codeOfHandler(function* (ctx: AgentContext) {
      ctx.sleep(1);
    } as never);
    expect(code).toBe("agent.waits-in-plain-handler");
  });

  test("makes a second operation before it performs the first", async () => {
    const code = await codeOfHandler(function* (ctx: AgentContext): AgentRoutine<void> {
      const sleep = ctx.sleep(1);
      ctx.sleep(1);
      yield* sleep;
    } as never);
    expect(code).toBe("agent.waits-in-plain-handler");
  });

  test("yields what is no operation", async () => {
    const code = await codeOfHandler(function* () {
      yield 1;
    } as never);
    expect(code).toBe("agent.bad-argument");
  });

  test("asks its own agent", async () => {
    const code = await codeOfHandler(function* (ctx: AgentContext): AgentRoutine<void> {
      yield* ctx.ask(ctx.self, "go");
    } as never);
    expect(code).toBe("agent.ask-self");
  });

  test("emits where nobody reads", async () => {
    const code = await codeOfHandler(function* (ctx: AgentContext<unknown, number>): AgentRoutine<void> {
      yield* ctx.emit(1);
    } as never);
    expect(code).toBe("agent.not-a-stream");
  });
});

describe("an argument is refused:", () => {
  const calls: readonly (readonly [string, (ctx: AgentContext) => unknown])[] = [
    ["a target that is no address", (ctx) => ctx.tell({ id: "x" } as never, "go")],
    ["a target that is no name", (ctx) => ctx.tell("No Name", "go")],
    ["a message without a name", (ctx) => ctx.tell("somebody", "")],
    ["a time-out of 0", (ctx) => ctx.begin("somebody", "go", 1, { timeoutMs: 0 })],
    ["a time-out beyond 2^31 - 1", (ctx) => ctx.begin("somebody", "go", 1, { timeoutMs: 2 ** 31 })],
    ["a sleep of no number", (ctx) => ctx.sleep(Number.NaN)],
    ["a period of 0", (ctx) => ctx.every(0, "go")],
    ["a ticket that is not under way", (ctx) => ctx.settled([{ id: 99 }])],
    ["a topic that is no name", (ctx) => ctx.subscribe("No Topic", "go")],
    ["what is no definition", (ctx) => ctx.spawn({} as never)],
    ["a policy that is none", (ctx) => ctx.spawn(ledger, { supervise: { onFailure: "pray" as never } })],
  ];
  test.each(calls)("%s", async (_, call) => {
    expect(await codeOfHandler((ctx) => void call(ctx as AgentContext))).toBe("agent.bad-argument");
  });

  test("a timer for a message that the agent does not have", async () => {
    expect(await codeOfHandler((ctx) => void ctx.after(1, "nothing"))).toBe("agent.unknown-message");
  });

  test("the end of an agent that is no child", async () => {
    const stranger = { id: "1".repeat(32) };
    expect(await codeOfHandler((ctx) => void ctx.stop(stranger))).toBe("agent.not-parent");
  });
});

describe("limits:", () => {
  test("a mailbox takes 1000 messages and refuses one more; senders hear of pressure from 800 until 200", async () => {
    const { system, through, turn } = world();
    const ref = await system.spawn(ledger);
    await system.pause(ref);
    const accepted = await through(
      system.run(function* (ctx: AgentContext) {
        const answers: string[] = [];
        for (let i = 0; i < 1000; i++) answers.push(ctx.tell(ref, "see", i));
        expect(() => ctx.tell(ref, "see", 1000)).toThrow(
          expect.objectContaining({ code: "agent.mailbox-full" }),
        );
        return answers;
      }),
    );
    expect(accepted.indexOf("pressured")).toBe(799);
    await system.resume(ref);
    turn();
    expect(await through(system.ask(ref, "seen"))).toHaveLength(1000);
  });

  test("an ask of a full mailbox fails at once", async () => {
    const { system, codeOf } = world();
    const ref = await system.spawn(ledger);
    await system.pause(ref);
    for (let i = 0; i < 1000; i++) await system.tell(ref, "see", i);
    expect(await codeOf(system.ask(ref, "add", 1))).toBe("agent.mailbox-full");
    expect(await codeOf(system.tell(ref, "add", 1))).toBe("agent.mailbox-full");
  });

  test("4096 asks are under way at a time, and one more is refused", async () => {
    const code = await codeOfHandler(function* (ctx: AgentContext): AgentRoutine<void> {
      const receivers: AgentRef[] = [];
      for (let i = 0; i < 5; i++) receivers.push((yield* ctx.spawn(ledger)) as AgentRef);
      for (let i = 0; i < 4200; i++) ctx.begin(receivers[i % 5]!, "slow", 10_000);
    } as never);
    expect(code).toBe("agent.too-many");
  });

  test("1024 timers and 256 topics, and one more is refused", async () => {
    const timers = await codeOfHandler((ctx) => {
      for (let i = 0; i < 1024; i++) ctx.after(1000, "go");
      expect(ctx.cancelTimer(1)).toBe(true);
      ctx.after(1000, "go");
      ctx.after(1000, "go");
    });
    const topics = await codeOfHandler((ctx) => {
      for (let i = 0; i < 257; i++) ctx.subscribe(`topic.${i}`, "go");
    });
    expect([timers, topics]).toEqual(["agent.too-many", "agent.too-many"]);
  });

  test("a message log keeps its last entries, and none when it is over", async () => {
    const { system, through } = world();
    const ref = await system.spawn(ledger);
    await system.observe.log(ref, 3);
    for (let i = 0; i < 5; i++) await through(system.ask(ref, "add", i));
    const log = await system.observe.messages(ref);
    expect(log.map(({ direction, kind, message, text }) => [direction, kind, message, text])).toEqual([
      ["out", "reply", "", "6"],
      ["in", "ask", "add", "4"],
      ["out", "reply", "", "10"],
    ]);
    await system.observe.log(ref, 0);
    expect(await system.observe.messages(ref)).toEqual([]);
    await expect(system.observe.log(ref, 65_537)).rejects.toMatchObject({ code: "agent.bad-argument" });
  });
});

test("a late reply is dropped and counted, and the next ask gets its own", async () => {
  const { system, through } = world();
  const ref = await system.spawn(ledger);
  const found = await through(
    system.run(function* (ctx: AgentContext) {
      const code = yield* codeOfAsk(ctx, ref);
      yield* ctx.sleep(1000);
      return [code, yield* ctx.ask(ref, "add", 3)];
    }),
  );
  expect(found).toEqual(["agent.ask-timeout", 3]);
});

function* codeOfAsk(ctx: AgentContext, ref: AgentRef): AgentRoutine<string | undefined> {
  try {
    yield* ctx.ask(ref, "slow", 500, { timeoutMs: 100 });
    return "no error";
  } catch (error) {
    return errorCodeOf(error);
  }
}

test("a stream that is asked for a reply is cancelled at its source", async () => {
  const { system, codeOf, through } = world();
  const ref = await system.spawn(ledger);
  expect(await codeOf(system.ask(ref, "count", 100))).toBe("agent.not-a-stream");
  expect(await through(system.ask(ref, "closed"))).toBe("agent.stream-closed");
});

test("a stream whose next chunk does not come in time fails, and is cancelled", async () => {
  const { system, codeOf } = world();
  const still = agent({
    name: "still",
    on: {
      go: {
        chunk: { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } },
        *handle(ctx: AgentContext): AgentRoutine<void> {
          yield* ctx.sleep(60_000);
        },
      },
    },
  });
  const ref = await system.spawn(still);
  expect(await codeOf(system.stream(ref as AgentRef, "go", 1, { timeoutMs: 50 }).next())).toBe(
    "agent.ask-timeout",
  );
});

test("what a handler leaves under way ends with it", async () => {
  const { system, through } = world();
  const ref = await system.spawn(ledger);
  const careless = await system.spawn(
    one(function* (ctx: AgentContext): AgentRoutine<number> {
      const ticket = ctx.begin(ref, "slow", 50);
      ctx.open(ref, "count", 50);
      yield* ctx.sleep(1);
      return ticket.id;
    } as never),
  );
  const first = await through(system.ask(careless as AgentRef, "go"));
  expect(await through(system.ask(careless as AgentRef, "go"))).toBe((first as number) + 2);
});

test("a tell that fails ends the agent, unless its definition says otherwise", async () => {
  const { system, turn, lines } = world();
  const brittle = await system.spawn(one(() => (undefined as never as { go: number }).go));
  const tough = await system.spawn(
    agent({
      name: "tough",
      onError: "reply",
      on: { go: { handle: () => (undefined as never as { go: number }).go } },
    }),
  );
  await system.tell(brittle as AgentRef, "go");
  await system.tell(tough as AgentRef, "go");
  turn();
  expect(await system.observe.agent(brittle)).toBeUndefined();
  expect((await system.observe.agent(tough))?.state).toBe("running");
  expect(lines.filter(({ message }) => message === "a handler failed")).toHaveLength(2);
});
