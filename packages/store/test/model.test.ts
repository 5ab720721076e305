/** Random programs of requests, restarts and time against the reference model. fast-check prints the seed of a failure. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentStatus, Coordination } from "@glia-os/abi/ports";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { CoordinationRequest, NewAgent } from "../src/request.ts";
import { agentNamed, nodeNamed } from "../src/testing.ts";
import { memoryHarness, type StoreHarness, sqliteHarness } from "./fixtures/harness.ts";
import { type ModelAnswer, ReferenceModel } from "./fixtures/model.ts";

/** A step of a program. Sessions are named by how far back they were opened, so that most of them exist. */
type Step =
  | {
      readonly kind: "ask";
      readonly request: (sessions: readonly string[]) => CoordinationRequest;
      readonly label: string;
    }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "restart" };

const nodes = ["a", "b", "c"].map(nodeNamed);
const agents = ["1", "2", "3"].map(agentNamed);
const node = fc.constantFrom(...nodes);
const agent = fc.constantFrom(...agents);
const name = fc.constantFrom("one", "two", "\u{1f600}", "\uff5e");
const status = fc.constantFrom<AgentStatus>("running", "running", "suspended", "terminated");
const requestId = fc.integer({ min: 0, max: 40 }).map((i) => `r${i}`);
const back = fc.nat({ max: 3 });

function sessionAt(sessions: readonly string[], steps: number): string {
  return sessions.at(-1 - steps) ?? `${nodes[0]}:99`;
}

function ask(label: string, request: (sessions: readonly string[]) => CoordinationRequest): Step {
  return { kind: "ask", label, request };
}

const ownerOf = (sessionId: string): NodeId => sessionId.slice(0, 64) as NodeId;

const opens = fc
  .tuple(node, fc.constantFrom(1_000, 2_000), requestId)
  .map(([n, ttlMs, id]) =>
    ask(`open ${n[0]} ${ttlMs} ${id}`, () => ({ op: "open-session", node: n, ttlMs, requestId: id })),
  );

const creates = fc.tuple(agent, name, back, requestId).map(([a, called, steps, id]) =>
  ask(`create ${a[0]} ${called} ${steps} ${id}`, (sessions) => {
    const sessionId = sessionAt(sessions, steps);
    const row: NewAgent = {
      agent: a,
      owner: ownerOf(sessionId),
      sessionId,
      status: "running",
      name: called,
      programHash: "0".repeat(64),
    };
    return { op: "create-agent", row, requestId: id };
  }),
);

const swaps = fc
  .tuple(agent, fc.integer({ min: 1, max: 4 }), back, status, requestId)
  .map(([a, expected, steps, to, id]) =>
    ask(`swap ${a[0]} ${expected} ${steps} ${to} ${id}`, (sessions) => {
      const sessionId = sessionAt(sessions, steps);
      const change = { owner: ownerOf(sessionId), sessionId, status: to };
      return { op: "compare-and-swap", agent: a, expected: expected as Epoch, change, requestId: id };
    }),
  );

const sessions = fc
  .tuple(fc.constantFrom("renew-session", "renew-session", "close-session"), back)
  .map(([op, steps]) =>
    ask(`${op} ${steps}`, (opened) => ({ op: op as "renew-session", sessionId: sessionAt(opened, steps) })),
  );

const reads = fc.oneof(
  agent.map((a) => ask(`get ${a[0]}`, () => ({ op: "get-agent", agent: a }))),
  name.map((called) => ask(`find ${called}`, () => ({ op: "find-agent", name: called }))),
  fc.constant(ask("list", () => ({ op: "list-agents" }))),
  fc
    .tuple(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 5 }))
    .map(([revision, limit]) =>
      ask(`changes ${revision} ${limit}`, () => ({ op: "changes-since", revision, limit })),
    ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: opens },
  { weight: 4, arbitrary: creates },
  { weight: 6, arbitrary: swaps },
  { weight: 2, arbitrary: sessions },
  { weight: 3, arbitrary: reads },
  { weight: 2, arbitrary: fc.constantFrom(1, 500, 999, 1_000).map((ms): Step => ({ kind: "wait", ms })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "restart" }) },
);

async function send(store: Coordination, request: CoordinationRequest): Promise<unknown> {
  switch (request.op) {
    case "open-session":
      return store.openSession(request.node, request.ttlMs, request.requestId);
    case "create-agent":
      return store.createAgent(request.row, request.requestId);
    case "compare-and-swap":
      return store.compareAndSwap(
        request.agent as AgentId,
        request.expected,
        request.change,
        request.requestId,
      );
    case "renew-session":
      return store.renewSession(request.sessionId);
    case "close-session":
      return (await store.closeSession(request.sessionId)) ?? null;
    case "get-agent":
      return (await store.getAgent(request.agent)) ?? null;
    case "find-agent":
      return (await store.findAgent(request.name)) ?? null;
    case "list-agents":
      return store.listAgents();
    case "changes-since":
      return store.changesSince(request.revision, request.limit);
  }
}

async function answerOf(store: Coordination, request: CoordinationRequest): Promise<ModelAnswer> {
  try {
    return { reply: await send(store, request) };
  } catch (error) {
    return { code: errorCodeOf(error) ?? String(error) };
  }
}

async function runProgram(harness: StoreHarness, program: readonly Step[]): Promise<void> {
  const model = new ReferenceModel();
  let store = await harness.open();
  const opened: string[] = [];
  const trace: string[] = [];
  for (const each of program) {
    if (each.kind === "wait") {
      harness.advanceMs(each.ms);
      model.now += each.ms;
      trace.push(`wait ${each.ms}`);
    } else if (each.kind === "restart") {
      if (harness.reopen === undefined) continue;
      store = await harness.reopen();
      model.restart();
      trace.push("restart");
    } else {
      const request = each.request(opened);
      trace.push(each.label);
      const expected = model.answer(request);
      expect(await answerOf(store, request), trace.join("\n")).toEqual(expected);
      if (request.op === "open-session" && "reply" in expected) {
        opened.push((expected.reply as { readonly sessionId: string }).sessionId);
      }
    }
  }
}

const soak = process.env["GLIA_SOAK"] === "1";

it.each([
  ["memory", memoryHarness, soak ? 20_000 : 1_000],
  ["sqlite", sqliteHarness, soak ? 1_000 : 25],
] as const)(
  "%s answers every program of requests as the reference model does",
  async (_name, harnessOf, numRuns) => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (program) => {
      const harness = harnessOf();
      try {
        await runProgram(harness, program);
      } finally {
        await harness.dispose();
      }
    });
    await fc.assert(property, { numRuns });
  },
);
