/** Envelopes that no honest host would deliver: each is dropped and counted, and the agent goes on (docs/spec/agent-message.md). */
import {
  type AgentContext,
  type AgentEnvelope,
  type AgentOutside,
  AgentProcess,
  type AgentRef,
  type AgentRoutine,
  agent,
} from "@glia-os/cells/agent";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";

const self: AgentRef = { id: "a".repeat(32), name: "self" };
const parent: AgentRef = { id: "b".repeat(32) };
const peer: AgentRef = { id: "c".repeat(32) };
const stranger: AgentRef = { id: "d".repeat(32) };

const asker = agent({
  name: "asker",
  on: {
    go: {
      *handle(ctx: AgentContext): AgentRoutine<unknown> {
        return yield* ctx.ask(peer, "work", 1);
      },
    },
    ping: { handle: () => "pong" },
  },
});

let sent: (AgentEnvelope & { readonly to: string })[] = [];
let now = 0;

const outside: AgentOutside = {
  send(_, to, envelope) {
    sent.push({ ...envelope, to: typeof to === "string" ? to : to.id });
    return "taken";
  },
  wake: () => {},
  setAlarm: () => {},
  spawn: () => undefined,
  find: () => null,
  subscribe: () => {},
  unsubscribe: () => {},
  publish: () => {},
  ended: () => {},
  log: () => {},
  monotonicMs: () => now,
  wallMs: () => now,
  uint32: () => 4,
};

function ask(message: string, correlation = 1, from: AgentRef = peer): AgentEnvelope {
  return { kind: "ask", from, correlation, message, input: undefined };
}

let process: AgentProcess;

beforeEach(() => {
  sent = [];
  now = 0;
  process = new AgentProcess({ ref: self, definition: asker, outside, parent });
});

test("a reply counts only when it comes from whom the ask went to, or from the host", () => {
  process.deliver(ask("go", 9));
  process.run(10);
  const { correlation } = sent[0]!;
  process.deliver({ kind: "reply", from: stranger, correlation, message: "", input: "forged" });
  process.deliver({ kind: "reply", from: peer, correlation: correlation + 1, message: "", input: "other" });
  process.run(10);
  expect([sent.length, process.dropped]).toEqual([1, 2]);
  process.deliver({ kind: "reply", from: peer, correlation, message: "", input: "real" });
  process.run(10);
  expect(sent.at(-1)).toMatchObject({ kind: "reply", correlation: 9, input: "real", to: peer.id });
  process.deliver({ kind: "reply", from: peer, correlation, message: "", input: "again" });
  expect(process.dropped).toBe(3);
});

test("only the parent stops and restarts its child", () => {
  for (const message of ["stop", "restart", "ended", "failed"])
    process.deliver({ kind: "control", from: stranger, correlation: 0, message, input: undefined });
  process.deliver({ kind: "control", from: undefined, correlation: 0, message: "stop", input: undefined });
  process.run(10);
  expect([process.lifecycle, process.dropped]).toEqual(["running", 5]);
  process.deliver({ kind: "control", from: parent, correlation: 0, message: "stop", input: undefined });
  process.run(10);
  expect(process.lifecycle).toBe("terminated");
  expect(sent.at(-1)).toMatchObject({ kind: "control", message: "ended", to: parent.id });
});

test("an alarm that comes early or late does no harm", () => {
  process.deliver(ask("go", 9));
  process.run(10);
  process.alarm();
  now = 4999;
  process.alarm();
  expect(process.busy).toBe(true);
  now = 5000;
  process.alarm();
  process.alarm();
  process.run(10);
  expect(sent.at(-1)).toMatchObject({ kind: "error", correlation: 9, input: { code: "agent.ask-timeout" } });
});

test("whatever is delivered in whatever order, the agent answers an honest ask once, after it", () => {
  const kind = fc.constantFrom(
    "reply",
    "error",
    "chunk",
    "end",
    "credit",
    "control",
    "publish",
    "tell",
    "ask",
  );
  const from = fc.constantFrom(undefined, peer, stranger, self);
  const input = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: -1, max: 20 }),
    fc.string(),
    fc.constant({ code: 1 }),
  );
  const envelope = fc.record({
    kind,
    from,
    correlation: fc.integer({ min: 0, max: 4 }),
    message: fc.constantFrom("", "ping", "nothing", "stop", "restart"),
    input,
  });
  fc.assert(
    fc.property(fc.array(envelope, { maxLength: 30 }), fc.array(fc.nat(3)), (envelopes, steps) => {
      sent = [];
      const target = new AgentProcess({ ref: self, definition: asker, outside });
      envelopes.forEach((one, i) => {
        target.deliver(one as AgentEnvelope);
        target.run(steps[i] ?? 1);
      });
      while (target.run(50));
      sent = [];
      expect(target.lifecycle).toBe("running");
      target.deliver(ask("ping", 77));
      while (target.run(50));
      expect(sent.filter(({ correlation }) => correlation === 77)).toEqual([
        { kind: "reply", from: self, correlation: 77, message: "", input: "pong", to: peer.id },
      ]);
    }),
    { numRuns: 300 },
  );
});
