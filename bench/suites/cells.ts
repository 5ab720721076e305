/**
 * Agents: asking, telling, making and holding them, in one thread and in two, beside actors of other runtimes.
 *
 * Ours are tasks of a kernel with schemas, mailboxes with limits, time-outs and error replies on. XState and Effect run in one thread
 * without mailbox limits on asks; Durable Objects run in a process of their own with a storage, and cross an isolate's border per call.
 */
import { inOwnProcess, ours } from "../peers/own-process.ts";
import { crowd } from "../peers/process.ts";
import type { RowDefinition, Suite } from "../src/suite.ts";

const OURS = "glia/agents.ts";
const GUARANTEES =
  "what only some do: ours and effect schedule fairly and time out or interrupt, xstate runs to completion in the sender's call, durable objects are isolated and can store";
const MILLION = 1_000_000;

function us(row: Omit<RowDefinition, "unit" | "better">): RowDefinition {
  return { unit: "us", better: "lower", ...row };
}

export const suite: Suite = {
  title: "agents: asks, tells, creation and memory",
  rows: [
    us({
      id: "ask-same-thread",
      what: "one ask of an agent by another in the same thread: a number there, the sum back. Ours is answered in the asker's turn, as its handler cannot wait; one in 65 has two switches of tasks, and a time-out set and forgotten",
      excludes: GUARANTEES,
      target: { max: 0.3 },
      glia: ours("ask", OURS),
      peers: {
        effect: inOwnProcess("effect-agents.ts", "ask"),
        xstate: inOwnProcess("xstate.ts", "ask"),
        "durable-objects": inOwnProcess("workerd/objects.ts", "ask"),
        rivet: () => undefined,
      },
    }),
    us({
      id: "ask-promise",
      what: "one ask from a program outside, awaited before the next",
      excludes: "nothing",
      glia: ours("ask-promise", OURS),
      peers: {},
    }),
    us({
      id: "ask-other-worker",
      what: "one ask of an agent in a worker thread by an agent in the main thread, and its reply",
      excludes: "starting the worker",
      target: { max: 8 },
      glia: ours("ask-worker", OURS),
      peers: {},
    }),
    us({
      id: "tell-same-thread",
      what: "one tell to an agent in the same thread, handled; the sender asks once whenever it is told to hold back",
      excludes: GUARANTEES,
      glia: ours("tell", OURS),
      peers: { effect: inOwnProcess("effect-agents.ts", "tell"), xstate: inOwnProcess("xstate.ts", "tell") },
    }),
    us({
      id: "create-ask-stop",
      what: "make an addressable agent, ask it once, end it",
      excludes: "xstate's is sent one event, without a reply; durable objects are not ended",
      target: { max: 5 },
      glia: ours("create", OURS),
      peers: {
        effect: inOwnProcess("effect-agents.ts", "create"),
        xstate: inOwnProcess("xstate.ts", "create"),
        "durable-objects": inOwnProcess("workerd/objects.ts", "create"),
        rivet: () => undefined,
      },
    }),
    {
      id: "million-agents",
      what: "resident memory of 1,000,000 agents in one process, each addressable, with a state, a mailbox and a task; one more is made and asked at the end",
      unit: "MiB",
      better: "lower",
      excludes: "what the process held before the first agent; garbage is collected before each reading",
      target: { max: 1024 },
      glia: () => crowd(MILLION),
      peers: {},
    },
  ],
};
