/** An agent between two messages as a text, and another interpreter that goes on with it. */
import {
  type AgentEnvelope,
  type AgentOutside,
  AgentProcess,
  agent,
  packedText,
  unpackedProcess,
} from "@glia-os/cells/agent";
import fc from "fast-check";
import { expect, test } from "vitest";

const ref = { id: "a".repeat(32), name: "one" };
const tell = (message: string, input: unknown): AgentEnvelope => ({
  kind: "tell",
  from: undefined,
  correlation: 0,
  message,
  input,
});

/** A host without time of its own. */
class Outside implements AgentOutside {
  nowMs = 0;
  readonly sent: unknown[] = [];
  readonly send = (_: unknown, __: unknown, envelope: AgentEnvelope): "taken" => {
    this.sent.push(envelope.input);
    return "taken";
  };
  wake(): void {}
  setAlarm(): void {}
  spawn(): undefined {}
  find(): undefined {}
  subscribe(): void {}
  unsubscribe(): void {}
  publish(): void {}
  ended(): void {}
  log(): void {}
  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => 0;
  uint32 = (): number => 0;
}

const counter = (version: number, more: object = {}) =>
  agent({
    name: "counter",
    version,
    state: () => ({ values: [] as unknown[] }),
    on: {
      add: { handle: (ctx, value) => void ctx.state.values.push(value) },
      later: { handle: (ctx, afterMs) => void ctx.after(afterMs as number, "add", "late") },
    },
    ...more,
  });

const made = (outside: Outside, version: number): AgentProcess =>
  new AgentProcess({ ref, definition: counter(version), outside });
const ran = (process: AgentProcess): AgentProcess => {
  while (process.run(100));
  return process;
};

test("PK1: whatever plain data it has and however many messages wait, the other goes on as if it were the first", () => {
  // Keys named __proto__ are no plain data.
  const value = fc.jsonValue({ maxDepth: 3 }).filter((any) => !JSON.stringify(any).includes("__proto__"));
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (handled, waiting) => {
      const [here, there] = [new Outside(), new Outside()];
      const old = made(here, 1);
      for (const each of handled) old.deliver(tell("add", each));
      ran(old);
      for (const each of waiting) old.deliver(tell("add", each));
      const text = packedText(old.packed()!);
      expect(packedText(old.packed()!)).toBe(text); // Packing changes nothing.
      const packed = unpackedProcess(text);
      const next = new AgentProcess({ ref, definition: counter(1), outside: there, resumed: packed });
      ran(old);
      ran(next);
      expect(JSON.stringify(next.state)).toBe(JSON.stringify(old.state));
      expect([next.handled, next.waiting]).toEqual([handled.length + waiting.length, 0]);
    }),
    { numRuns: 50 },
  );
});

test("PK2: a timer goes on with what was left of it, by another clock", () => {
  const [here, there] = [new Outside(), new Outside()];
  here.nowMs = 1_000_000;
  const old = made(here, 1);
  old.deliver(tell("later", 100));
  ran(old);
  here.nowMs += 30;
  const resumed = unpackedProcess(packedText(old.packed()!));
  const next = new AgentProcess({ ref, definition: counter(1), outside: there, resumed });
  there.nowMs = 69;
  next.alarm();
  expect(ran(next).state).toEqual({ values: [] });
  there.nowMs = 70;
  next.alarm();
  expect(ran(next).state).toEqual({ values: ["late"] });
});

test("a held one begins no message, whatever pause and resume say, and is packed; one that is about to end is not", () => {
  const outside = new Outside();
  const old = made(outside, 1);
  old.hold(true);
  old.deliver(tell("add", 1));
  old.resume();
  expect(ran(old).state).toEqual({ values: [] });
  expect(old.packed()?.mail).toHaveLength(1);
  old.hold(false);
  expect(ran(old).state).toEqual({ values: [1] });
  old.stop("stopped");
  expect(old.packed()).toBeUndefined();
});

test("a later version without codeChange, another kind, and a state that is no plain data are refused", () => {
  const outside = new Outside();
  const packed = made(outside, 1).packed()!;
  const resume = (definition: ReturnType<typeof counter>): AgentProcess =>
    new AgentProcess({ ref, definition, outside, resumed: packed });
  expect(() => resume(counter(2))).toThrow(expect.objectContaining({ code: "agent.upgrade-failed" }));
  expect(resume(counter(2, { codeChange: () => ({ values: [0] }) })).state).toEqual({ values: [0] });
  const older = { ...packed, version: 3 };
  expect(new AgentProcess({ ref, definition: counter(2), outside, resumed: older }).state).toEqual({
    values: [],
  });
  const other = { ...packed, name: "other" };
  expect(() => new AgentProcess({ ref, definition: counter(1), outside, resumed: other })).toThrow(
    expect.objectContaining({ code: "agent.wrong-kind" }),
  );
  expect(() => packedText({ ...packed, state: () => 1 })).toThrow(
    expect.objectContaining({ code: "agent.value-not-plain" }),
  );
});

test("bad input: a text that is no packed agent is refused, whatever is wrong with it", () => {
  const good = JSON.parse(packedText(made(new Outside(), 1).packed()!)) as Record<string, unknown>;
  const wrong: readonly Record<string, unknown>[] = [
    { format: 2 },
    { name: 1 },
    { version: -1 },
    { ref: {} },
    { parent: 1 },
    { handled: 0.5 },
    { lastAsk: "1" },
    { timers: {} },
    { timers: [{ id: 1 }] },
    { children: [{ ref, policy: {}, restartsMs: [] }] },
    { topics: [["a"]] },
    { mail: [{ kind: "shout", correlation: 0, message: "" }] },
    { mail: [{ kind: "tell", correlation: 0, message: "m", from: 1 }] },
  ];
  for (const change of wrong)
    expect(() => unpackedProcess(JSON.stringify({ ...good, ...change })), JSON.stringify(change)).toThrow(
      expect.objectContaining({ code: "agent.bad-argument" }),
    );
  for (const text of ["", "1", "[]", "{"])
    expect(() => unpackedProcess(text)).toThrow(expect.objectContaining({ code: "agent.bad-argument" }));
});
