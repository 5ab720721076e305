/** Traces of messages between agents of one process: which spans there are, under which, and that nothing is there without a tracer. */
import { MessageChannel } from "node:worker_threads";
import type { Clock, SpanContext, Tracer } from "@glia-os/abi/ports";
import {
  type AgentContext,
  type AgentEnvelope,
  agent,
  createLocalSystem,
  decodeEnvelope,
  encodeEnvelope,
  MessageSpans,
  OPEN_SPAN_MS,
  OPEN_SPANS_MAX,
  packedText,
  serveAgents,
  traceOf,
  unpackedProcess,
} from "@glia-os/cells/agent";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createSpanRecorder, type SpanRecorder } from "@glia-os/kernel/observe";
import { SeededRandom, VirtualClock } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { fromRow, toRow } from "../../src/agent/places/envelope-row.ts";
import { world } from "./world.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

interface Traced extends ReturnType<typeof world> {
  readonly spans: SpanRecorder;
}

function traced(): Traced {
  let spans!: SpanRecorder;
  const made = world("traces", (clock: Clock) => {
    spans = createSpanRecorder({ clock, random: new SeededRandom("spans"), capacity: 100_000 });
    return spans;
  });
  return { ...made, spans };
}

/** Each span as `kind name < name of its parent`, in the order in which they ended. */
function shape(spans: SpanRecorder): readonly string[] {
  const all = spans.ended();
  return all.map(({ kind, name, parentSpanId }) => {
    const parent = all.find(({ context }) => context.spanId === parentSpanId);
    return `${kind} ${name} < ${parent === undefined ? "-" : `${parent.kind} ${parent.name}`}`;
  });
}

const leaf = agent({
  name: "leaf",
  on: {
    double: { handle: (_, n: number) => 2 * n },
    slow: {
      *handle(ctx) {
        yield* ctx.sleep(10_000);
      },
    },
    fail: {
      handle() {
        throw new RangeError("no");
      },
    },
    heard: { handle(): void {} },
  },
  start: (ctx) => ctx.subscribe("news", "heard"),
});
const middle = agent({
  name: "middle",
  state: (): { seen: string | undefined } => ({ seen: undefined }),
  on: {
    work: {
      *handle(ctx: AgentContext<{ seen: string | undefined }>, n: number) {
        ctx.state.seen = ctx.traceparent;
        ctx.log("info", "works", { n });
        ctx.tell("leaf", "heard");
        ctx.publish("news", n);
        yield* ctx.sleep(5);
        return (yield* ctx.ask("leaf", "double", n)) as number;
      },
    },
    hurry: {
      *handle(ctx: AgentContext, message: string) {
        return yield* ctx.ask("leaf", message as "double", 1, { timeoutMs: 50 });
      },
    },
  },
});

test("MS1, MS2, TC1: asks, tells and publications are spans of one trace, each under what it follows from, also after a wait", async () => {
  const { system, through, spans, lines } = traced();
  await through(system.spawn(leaf, { name: "leaf" }));
  const ref = await through(system.spawn(middle, { name: "middle" }));
  expect(await through(system.ask(ref, "work", 21))).toBe(42);
  expect(shape(spans)).toEqual([
    "producer tell heard < server work",
    "consumer heard < producer tell heard",
    "producer publish news < server work",
    "consumer news < producer publish news",
    "server double < client ask double",
    "client ask double < server work",
    "server work < client ask work",
    "client ask work < -",
  ]);
  const [work] = spans.ended().filter(({ kind, name }) => kind === "server" && name === "work");
  expect(new Set(spans.ended().map(({ context }) => context.traceId)).size).toBe(1);
  expect(work?.durationMs).toBe(5);
  const { fields } = lines.find(({ message }) => message === "works")!;
  expect(fields).toMatchObject({ n: 21, trace_id: work?.context.traceId, span_id: work?.context.spanId });
});

test("MS1: an ask that fails, is refused, or is given up is a span with the error's code", async () => {
  const { system, through, codeOf, spans } = traced();
  await through(system.spawn(leaf, { name: "leaf" }));
  await through(system.spawn(middle, { name: "middle" }));
  const failures = async (): Promise<unknown> =>
    spans
      .ended()
      .filter(({ status }) => status === "error")
      .map(({ kind, name, attributes }) => [kind, name, attributes["error.type"]]);
  expect(await codeOf(system.ask("leaf", "fail"))).toBe("agent.handler-failed");
  expect(await failures()).toEqual([
    ["server", "fail", "agent.handler-failed"],
    ["client", "ask fail", "agent.handler-failed"],
  ]);
  expect(await codeOf(system.ask("middle", "hurry", "slow"))).toBe("agent.ask-timeout");
  expect(await failures()).toContainEqual(["client", "ask slow", "agent.ask-timeout"]);
  expect(await codeOf(system.ask("nobody", "fail"))).toBe("agent.unknown-agent");
  expect(spans.ended().some(({ attributes }) => attributes["glia.agent"] === "nobody")).toBe(false);
});

test("TC2: without a tracer messages are what they were: no field more, and not a byte", async () => {
  const { system, through, lines } = world();
  await through(system.spawn(leaf, { name: "leaf" }));
  const ref = await through(system.spawn(middle, { name: "middle" }));
  await through(system.observe.log(ref));
  expect(await through(system.ask(ref, "work", 21))).toBe(42);
  expect(lines.find(({ message }) => message === "works")?.fields).not.toHaveProperty("trace_id");
  const envelope: AgentEnvelope = { kind: "tell", from: undefined, correlation: 0, message: "go", input: 1 };
  expect(encodeEnvelope(envelope)).toBe('{"glia":1,"kind":"tell","message":"go","input":1}');
  expect(toRow({ is: "envelope", to: "a", envelope })).toHaveLength(8);
  expect(Object.keys(decodeEnvelope(encodeEnvelope(envelope)))).not.toContain("trace");
});

test("a trace goes over threads and into what an agent that is exchanged hands over, with its state", () => {
  const trace = traceOf(PARENT, "vendor=1")!;
  const envelope: AgentEnvelope = {
    kind: "ask",
    from: undefined,
    correlation: 4,
    message: "go",
    input: 1,
    trace,
  };
  expect(fromRow(toRow({ is: "envelope", to: "a", envelope })).envelope).toEqual(envelope);
  expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
  const packed = {
    name: "leaf",
    version: 1,
    ref: { id: "0".repeat(32) },
    parent: undefined,
    state: null,
    input: undefined,
    paused: false,
    handled: 0,
    dropped: 0,
    lastAsk: 0,
    lastRequest: 0,
    lastTimer: 0,
    timers: [],
    children: [],
    topics: [],
    mail: [envelope],
  };
  expect(unpackedProcess(packedText(packed)).mail).toEqual([envelope]);
});

test.each([
  ["another length", `${PARENT}-`],
  ["ids of zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
  ["no text", 7],
  ["capital letters", PARENT.toUpperCase()],
])("TC3: a traceparent of %s counts as none, and the message is handled", (_, traceparent) => {
  const text = JSON.stringify({ glia: 1, kind: "tell", message: "go", traceparent });
  expect(decodeEnvelope(text)).toEqual({
    kind: "tell",
    from: undefined,
    correlation: 0,
    message: "go",
    input: undefined,
  });
});

test("TC3: a tracestate that is too long or not printable is left out, the trace stays", () => {
  for (const tracestate of ["x".repeat(513), "a\n", "", 7])
    expect(traceOf(PARENT, tracestate)).toEqual({ parent: PARENT });
});

test("MS3: a trace that is not sampled makes no spans and goes on as it came", () => {
  const clock = new VirtualClock();
  const spans = createSpanRecorder({ clock, random: new SeededRandom("unsampled") });
  const messages = new MessageSpans(spans, () => clock.monotonicMs());
  const ask = { kind: "ask", from: "a", to: "b", correlation: 1, message: "go" } as const;
  expect(messages.leaves({ ...ask, parent: UNSAMPLED })).toBeUndefined();
  expect(messages.comes({ ...ask, parent: UNSAMPLED })).toBeUndefined();
  expect(messages.open).toBe(0);
  // A root that the tracer does not keep says so to everybody after it.
  const context: SpanContext = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 0 };
  const none: Tracer = {
    start: () => ({ context, set: () => {}, event: () => {}, status: () => {}, end: () => {} }),
  };
  const unsampled = new MessageSpans(none, () => 0);
  expect(unsampled.leaves({ ...ask, parent: undefined })?.parent).toBe(
    `00-${"1".repeat(32)}-${"2".repeat(16)}-00`,
  );
  expect(unsampled.open).toBe(0);
});

test("MS4: spans that are open are bounded in number and age; the oldest end with an error", () => {
  const clock = new VirtualClock();
  const spans = createSpanRecorder({ clock, random: new SeededRandom("bounds") });
  const messages = new MessageSpans(spans, () => clock.monotonicMs());
  const ask = (correlation: number): void =>
    void messages.leaves({ kind: "ask", from: "a", to: "b", correlation, message: "go", parent: undefined });
  for (let n = 1; n <= OPEN_SPANS_MAX + 3; n++) ask(n);
  expect(messages.open).toBe(OPEN_SPANS_MAX);
  expect(spans.ended().map(({ description }) => description)).toEqual(Array(3).fill("no answer was seen"));
  clock.advanceTo(clock.monotonicMs() + OPEN_SPAN_MS);
  ask(OPEN_SPANS_MAX + 4);
  expect(messages.open).toBe(1);
  messages.close();
  expect(messages.open).toBe(0);
});

test("MS2: a trace goes on into another thread's agents and back; each side makes the spans of what it sends and takes", async () => {
  const parts = { clock: createSystemClock(), random: createSystemRandom(), timers: createSystemTimers() };
  const recorder = (): SpanRecorder =>
    createSpanRecorder({ clock: parts.clock, random: new SeededRandom("place") });
  const [here, there] = [recorder(), recorder()];
  const { port1, port2 } = new MessageChannel();
  const system = createLocalSystem({ ...parts, tracer: here });
  serveAgents(port2, [leaf], { ...parts, tracer: there });
  await system.join("there", port1);
  await system.spawn(leaf, { name: "leaf", on: "there" });
  await system.spawn(middle, { name: "middle" });
  expect(await system.ask("middle", "work", 21)).toBe(42);
  await system.close();
  port1.close();
  const [asked] = here.ended().filter(({ name }) => name === "ask double");
  const [served] = there.ended().filter(({ name }) => name === "double");
  expect([served?.kind, served?.parentSpanId, served?.context.traceId]).toEqual([
    "server",
    asked?.context.spanId,
    asked?.context.traceId,
  ]);
  expect(there.ended().map(({ name }) => name)).toContain("news");
});
