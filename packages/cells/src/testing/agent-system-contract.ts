/**
 * What every system of agents promises, wherever its agents run. A system is given the agents of `contract-agents.ts`; the cases hold for
 * each alike.
 *
 * SC1. Cases use time sparingly and never assert how long something took.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentContext, AgentRef, AgentRoutine, AgentSystem, MessagePriority } from "../agent/index.ts";
import { family, type Ledger, ledger, ledgerBroken, ledgerTwo } from "./contract-agents.ts";

/** One promise. `run` gives what is wrong, or undefined. */
export interface AgentSystemCase {
  readonly title: string;
  /** What a system must be able to do for it; those that cannot say so where they run the contract. */
  readonly needs?: "upgrade" | "pause" | "supervision" | "topics";
  run(system: AgentSystem): Promise<string | undefined>;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `no error but ${JSON.stringify(await promise)}`;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}

function differs(what: string, found: unknown, expected: unknown): string | undefined {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  return a === b ? undefined : `${what}: ${a} instead of ${b}`;
}

/** Ask until the answer is as expected; gives the last one. */
function until(
  system: AgentSystem,
  ref: AgentRef<Ledger>,
  message: "seen" | "closed",
  enough: (value: unknown) => boolean,
): Promise<unknown> {
  return system.run(function* (ctx: AgentContext): AgentRoutine<unknown> {
    let value: unknown;
    for (let i = 0; i < 200; i++) {
      value = yield* ctx.ask(ref, message);
      if (enough(value)) return value;
      yield* ctx.sleep(10);
    }
    return value;
  });
}

/** Send while it handles nothing, and give in which order it handled them. */
async function seenAfter(
  system: AgentSystem,
  sent: readonly (readonly [number, MessagePriority | undefined])[],
): Promise<unknown> {
  const ref = await system.spawn(ledger);
  await system.ask(ref, "add", 0);
  await system.pause(ref);
  for (const [number, priority] of sent)
    await system.tell(ref, "see", number, priority === undefined ? {} : { priority });
  await system.resume(ref);
  return until(system, ref, "seen", (value) => (value as number[]).length === sent.length);
}

const messages: readonly AgentSystemCase[] = [
  {
    title: "an ask is answered with what the handler returns, and the state stays",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.ask(ref, "add", 2);
      return differs("the total", await system.ask(ref, "add", 3), 5);
    },
  },
  {
    title: "a message that its schema refuses never reaches the handler",
    async run(system) {
      const ref = await system.spawn(ledger);
      const code = await codeOf(system.ask(ref, "add", "2" as unknown as number));
      return (
        differs("the code", code, "agent.bad-message") ??
        differs("the total", await system.ask(ref, "add", 0), 0)
      );
    },
  },
  {
    title: "a message that the agent does not have is refused",
    async run(system) {
      const ref: AgentRef = await system.spawn(ledger);
      return differs("the code", await codeOf(system.ask(ref, "subtract", 1)), "agent.unknown-message");
    },
  },
  {
    title: "an ask of nobody fails, by id and by name",
    async run(system) {
      const byId = await codeOf(system.ask({ id: "0".repeat(32) }, "add", 1));
      const byName = await codeOf(system.ask("nobody-here", "add", 1));
      return differs("the codes", [byId, byName], ["agent.unknown-agent", "agent.unknown-agent"]);
    },
  },
  {
    title: "messages of one sender come in the order they were sent, also past a handler that waits",
    async run(system) {
      const ref = await system.spawn(ledger);
      const seen = await system.run(function* (ctx: AgentContext) {
        const slow = ctx.begin(ref, "slow", 5);
        for (let i = 0; i < 100; i++) ctx.tell(ref, "see", i);
        const seen = yield* ctx.ask(ref, "seen");
        yield* ctx.settled([slow]);
        return seen;
      });
      return differs(
        "what came",
        seen,
        Array.from({ length: 100 }, (_, i) => i),
      );
    },
  },
  {
    title: "urgent messages go before those that wait, and each priority keeps its order",
    needs: "pause",
    async run(system) {
      const seen = await seenAfter(system, [
        [1, "low"],
        [2, "normal"],
        [3, "high"],
        [4, undefined],
        [5, "low"],
        [6, "high"],
      ]);
      return differs("what came", seen, [3, 6, 2, 4, 1, 5]);
    },
  },
  {
    title: "at most 16 urgent messages go before one that waits, so nothing starves",
    needs: "pause",
    async run(system) {
      const urgent = Array.from({ length: 40 }, (_, i) => [i + 1, "high"] as const);
      const seen = await seenAfter(system, [[100, "low"], [200, "normal"], ...urgent]);
      const first = urgent.slice(0, 16).map(([number]) => number);
      return differs("what came first", (seen as number[]).slice(0, 18), [...first, 200, 100]);
    },
  },
  {
    title: "what is no priority is refused, and nothing is sent",
    async run(system) {
      const ref = await system.spawn(ledger);
      const priority = "urgent" as MessagePriority;
      const told = await codeOf(system.tell(ref, "see", 1, { priority }));
      const asked = await codeOf(system.ask(ref, "add", 1, { priority }));
      return (
        differs("the codes", [told, asked], ["agent.bad-argument", "agent.bad-argument"]) ??
        differs("what came", await system.ask(ref, "seen"), [])
      );
    },
  },
  {
    title: "an ask that takes too long fails, and the agent goes on",
    async run(system) {
      const ref = await system.spawn(ledger);
      const code = await codeOf(system.ask(ref, "slow", 300, { timeoutMs: 20 }));
      return (
        differs("the code", code, "agent.ask-timeout") ?? differs("then", await system.ask(ref, "add", 1), 1)
      );
    },
  },
  {
    title: "a handler that throws fails its ask with the message, and the agent goes on",
    async run(system) {
      const ref = await system.spawn(ledger);
      const failure = await system.ask(ref, "throws").catch((error: unknown) => error);
      const said = failure instanceof Error && failure.message.includes("out of ink");
      if (!said || errorCodeOf(failure) !== "agent.handler-failed")
        return `it failed with ${String(failure)}`;
      return differs("then", await system.ask(ref, "add", 1), 1);
    },
  },
  {
    title: "a reply that its schema refuses is not sent",
    async run(system) {
      const ref = await system.spawn(ledger);
      return differs("the code", await codeOf(system.ask(ref, "liar")), "agent.bad-reply");
    },
  },
  {
    title: "a state that breaks the invariant fails the ask and the agent",
    async run(system) {
      const ref = await system.spawn(ledger);
      const code = await codeOf(system.ask(ref, "overdraw"));
      const then = await codeOf(system.ask(ref, "add", 1));
      const gone = then === "agent.unknown-agent" || then === "agent.ended";
      return differs("the code", code, "agent.invariant") ?? (gone ? undefined : `then: ${then}`);
    },
  },
  {
    title:
      "plain values arrive as they were sent, bytes included, and others are refused before they are sent",
    async run(system) {
      const ref = await system.spawn(ledger);
      const value = {
        list: [1, "two", null, true, { deep: [] }],
        text: "ä€\u{1f600}",
        $bytes: "no bytes",
        f: 1.5,
      };
      const echoed = await system.ask(ref, "echo", value);
      const bytes = await system.ask(ref, "echo", Uint8Array.of(0, 1, 254, 255));
      if (!(bytes instanceof Uint8Array)) return "bytes came as something else";
      const refused = await codeOf(system.ask(ref, "echo", () => 1));
      return (
        differs("the value", echoed, value) ??
        differs("the bytes", [...bytes], [0, 1, 254, 255]) ??
        differs("the code", refused, "agent.value-not-plain")
      );
    },
  },
  {
    title: "a value that was sent is the receiver's own",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.ask(ref, "see", 1);
      const seen = (await system.ask(ref, "seen")) as number[];
      seen.push(2);
      return differs("what the agent has", await system.ask(ref, "seen"), [1]);
    },
  },
];

const streams: readonly AgentSystemCase[] = [
  {
    title: "a stream gives its chunks in order, more than its credit",
    async run(system) {
      const ref = await system.spawn(ledger);
      const chunks: number[] = [];
      for await (const chunk of system.stream(ref, "count", 50)) chunks.push(chunk);
      return differs(
        "the chunks",
        chunks,
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
    },
  },
  {
    title: "the source of a stream is at most 16 chunks ahead of its reader",
    async run(system) {
      const ref = await system.spawn(ledger);
      const stream = system.stream(ref, "count", 1000);
      await stream.next();
      await system.run(function* (ctx: AgentContext) {
        yield* ctx.sleep(30);
      });
      await stream.return?.();
      const closed = await until(system, ref, "closed", (value) => value !== "no");
      const ahead = await system.ask(ref, "add", 0);
      if (ahead > 17) return `it was ${ahead} ahead`;
      return differs("what emit threw", closed, "agent.stream-closed");
    },
  },
];

const conversations: readonly AgentSystemCase[] = [
  {
    title: "several asks under way are settled in whatever order they end",
    async run(system) {
      const [a, b] = [await system.spawn(ledger), await system.spawn(ledger)];
      let stopping: Promise<void> | undefined;
      const found = await system.run(function* (ctx: AgentContext) {
        // Not before it is ended, however slow the other one is.
        const slow = ctx.begin(a, "slow", 60_000);
        const quick = ctx.begin(b, "add", 4);
        const first = yield* ctx.settled([slow, quick] as readonly { readonly id: number }[]);
        stopping = system.stop(a);
        const second = yield* ctx.settled([slow]);
        return [...first, ...second].map((one) => (one.ok ? one.value : "ended"));
      });
      await stopping;
      return differs("the order", found, [4, "ended"]);
    },
  },
  {
    title: "a routine that throws rejects with what it threw, and its children end with it",
    async run(system) {
      let child: AgentRef<Ledger> | undefined;
      const code = await codeOf(
        system.run(function* (ctx: AgentContext): AgentRoutine<void> {
          child = yield* ctx.spawn(ledger);
          yield* ctx.ask(child, "throws");
        }),
      );
      const gone = await settledCode(system, child!);
      return differs("the code", code, "agent.handler-failed") ?? (gone ? undefined : "the child lives");
    },
  },
  {
    title: "an agent is found by its name until it ends, and nobody else may have it meanwhile",
    async run(system) {
      const ref = await system.spawn(ledger, { name: "contract-named" });
      const found = await system.find("contract-named");
      const taken = await codeOf(system.spawn(ledger, { name: "contract-named" }));
      const self = await system.ask(system.ref(ledger, "contract-named"), "whoami");
      await system.stop(ref);
      const after = await system.find("contract-named");
      return (
        differs("found", found?.id, ref.id) ??
        differs("the code", taken, "agent.name-taken") ??
        differs("itself", self, "contract-named") ??
        (after === undefined ? undefined : "it is found after its end")
      );
    },
  },
  {
    title: "an agent that ends answers the asks that wait",
    async run(system) {
      const ref = await system.spawn(ledger);
      const slow = codeOf(system.ask(ref, "slow", 60_000));
      const behind = codeOf(system.ask(ref, "add", 1));
      await system.run(function* (ctx: AgentContext) {
        yield* ctx.sleep(20);
      });
      await system.stop(ref);
      return differs("the codes", [await slow, await behind], ["agent.ended", "agent.ended"]);
    },
  },
  {
    title: "timers give messages, once and again and again",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.ask(ref, "tick", 10);
      await system.ask(ref, "pulse", 5);
      const seen = (await until(system, ref, "seen", (value) => (value as number[]).length >= 5)) as number[];
      const once = seen.filter((one) => one === 7).length;
      return seen.length >= 5 && once <= 1 ? undefined : `what came: ${seen.join()}`;
    },
  },
];

const families: readonly AgentSystemCase[] = [
  {
    title: "children end with their parent",
    needs: "supervision",
    async run(system) {
      const parent = await system.spawn(family);
      const child = (await system.ask(parent, "bear", "contract-child")) as AgentRef<Ledger>;
      await system.stop(parent);
      return (await settledCode(system, child)) ? undefined : "the child lives";
    },
  },
  {
    title: "a child that fails is restarted with its address and a new state, and its messages wait for it",
    needs: "supervision",
    async run(system) {
      const parent = await system.spawn(family);
      const child = (await system.ask(parent, "bear", "contract-phoenix")) as AgentRef<Ledger>;
      await system.ask(parent, "relay", 5);
      const broke = codeOf(system.ask(child, "overdraw"));
      const behind = system.ask(child, "add", 1);
      const codes = [await broke, await behind, await system.ask(parent, "children")];
      return differs("what came of it", codes, ["agent.invariant", 1, 1]);
    },
  },
  {
    title: "what is published reaches who subscribes, and nobody after",
    needs: "topics",
    async run(system) {
      const [a, b] = [await system.spawn(ledger), await system.spawn(ledger)];
      await system.ask(a, "listen", "contract.topic");
      await system.ask(b, "listen", "contract.topic");
      const publish = (number: number): Promise<void> =>
        system.run(function* (ctx: AgentContext) {
          ctx.publish("contract.topic", number);
        });
      await publish(1);
      await until(system, a, "seen", (value) => (value as number[]).length === 1);
      await until(system, b, "seen", (value) => (value as number[]).length === 1);
      await system.ask(b, "deafen", "contract.topic");
      await publish(2);
      const seen = await until(system, a, "seen", (value) => (value as number[]).length === 2);
      return differs("a", seen, [1, 2]) ?? differs("b", await system.ask(b, "seen"), [1]);
    },
  },
];

const lives: readonly AgentSystemCase[] = [
  {
    title: "an agent that is paused handles nothing and loses nothing",
    needs: "pause",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.pause(ref);
      for (let i = 0; i < 10; i++) await system.tell(ref, "see", i);
      const waiting = (await system.observe.agent(ref))?.waiting;
      await system.resume(ref);
      return (
        differs("waiting", waiting, 10) ??
        differs("what came", await system.ask(ref, "seen"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      );
    },
  },
  {
    title: "an agent that ends is told to who listens, once, and to nobody who does not any more",
    async run(system) {
      const ends: string[] = [];
      const silence = system.observe.ends(({ ref, reason }) => ends.push(`${ref.name} ${reason}`));
      const heard = (name: string): number => ends.filter((end) => end === `${name} stopped`).length;
      await system.stop(await system.spawn(ledger, { name: "contract.first" }));
      await waited(system, () => heard("contract.first") > 0);
      silence();
      const again: string[] = [];
      system.observe.ends(({ ref }) => again.push(String(ref.name)));
      await system.stop(await system.spawn(ledger, { name: "contract.second" }));
      await waited(system, () => again.includes("contract.second"));
      return (
        differs("the first", heard("contract.first"), 1) ?? differs("the second", heard("contract.second"), 0)
      );
    },
  },
  {
    title: "an upgrade takes the state over between two messages",
    needs: "upgrade",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.ask(ref, "add", 3);
      await system.upgrade(ref, ledgerTwo);
      return differs("the total", await system.ask(ref as AgentRef, "add", 5), 306);
    },
  },
  {
    title: "an upgrade that fails changes nothing",
    needs: "upgrade",
    async run(system) {
      const ref = await system.spawn(ledger);
      await system.ask(ref, "add", 3);
      const code = await codeOf(system.upgrade(ref, ledgerBroken));
      const other = await codeOf(system.upgrade(ref, family));
      return (
        differs("the codes", [code, other], ["agent.upgrade-failed", "agent.wrong-kind"]) ??
        differs("the total", await system.ask(ref, "add", 1), 4)
      );
    },
  },
];

/** Wait until something is so, or has had its time. */
async function waited(system: AgentSystem, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i++)
    await system.run(function* (ctx: AgentContext) {
      yield* ctx.sleep(10);
    });
}

/** Whether an agent is gone, once what ends it has had its time. */
async function settledCode(system: AgentSystem, ref: AgentRef<Ledger>): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    const code = await codeOf(system.ask(ref, "add", 0));
    if (code === "agent.unknown-agent" || code === "agent.ended") return true;
    await system.run(function* (ctx: AgentContext) {
      yield* ctx.sleep(10);
    });
  }
  return false;
}

/** Every case. Each may be run on a system of its own or on one for all. */
export const agentSystemContract: readonly AgentSystemCase[] = [
  ...messages,
  ...streams,
  ...conversations,
  ...families,
  ...lives,
];
