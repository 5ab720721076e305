/**
 * The kernel's own costs, with authorization, counting, journal and trace on, beside other runtimes (one scheduler thread each, warm,
 * each in a process of its own) and beside what ours stands on: bare generators, arrays and promises.
 *
 * Ours shares one heap and passes references; nothing is pre-empted. Erlang copies messages, isolates heaps and pre-empts; Go
 * pre-empts. The ratios compare mechanisms, not guarantees.
 */
import { inOwnProcess, ours } from "../peers/own-process.ts";
import { beam, coldStart, go, parked, pyos } from "../peers/process.ts";
import type { RowDefinition, Suite } from "../src/suite.ts";

const GUARANTEES =
  "the peers' extra work: beam copies messages, isolates heaps and pre-empts, go pre-empts, ours, effect and pyos do neither";

type Row = Omit<RowDefinition, "unit" | "better" | "excludes"> & { readonly excludes?: string };

/** A row in nanoseconds per operation. */
function ns(row: Row): RowDefinition {
  const excludes = row.excludes === undefined ? GUARANTEES : `${row.excludes}; ${GUARANTEES}`;
  return { unit: "ns", better: "lower", ...row, excludes };
}

/** A row without peers, for a target of the seed. */
function seed(
  id: string,
  what: string,
  max: number,
  contestant: RowDefinition["glia"],
  excludes: string,
): RowDefinition {
  return { id, what, unit: "ns", better: "lower", excludes, target: { max }, glia: contestant, peers: {} };
}

function oneToOne(id: string, size: number): RowDefinition {
  return ns({
    id,
    what: `one number from one task to another, ${size.toLocaleString("en")} of them, then both end and new ones are made`,
    excludes:
      "making the tasks is included; our mailbox and go's channel hold 1000 messages, beam's and pyos's any number",
    target: { max: 40, ratio: { beam: 2 } },
    glia: ours(id),
    peers: { beam: beam(id), go: go(id), pyos: pyos(id) },
  });
}

function latency(id: string, name: string): RowDefinition {
  return {
    id,
    what: `1000 messages to random ones of 100,000 parked tasks and the turns they cause: ${name} of 200 such batches`,
    unit: "us",
    better: "lower",
    excludes: "making the tasks; the batches include whatever garbage collection falls into them",
    glia: ours(id),
    peers: {},
  };
}

const MILLION = 1_000_000;

export const suite: Suite = {
  title: "tasks, messages, timers and memory of the kernel",
  rows: [
    ns({
      id: "spawn-reply-wait",
      what: "make a child with one handle, which sends one message and ends; the parent receives all messages and waits for all ends, 1000 at a time",
      excludes: "the bare generator is made and run to its end without message or parent",
      target: { max: 120, ratio: { beam: 5, go: 3 } },
      glia: ours("spawn-reply-wait"),
      peers: {
        beam: beam("spawn-reply-wait"),
        go: go("spawn-reply-wait"),
        effect: inOwnProcess("effect.ts", "spawn-reply-wait"),
        pyos: pyos("spawn-reply-wait"),
        "raw-generator": inOwnProcess("bare.ts", "generator-spawn"),
        promise: inOwnProcess("bare.ts", "promise-spawn"),
      },
    }),
    ns({
      id: "ping-pong",
      what: "one round trip of a number between two tasks over two mailboxes",
      excludes: "the bare generators are stepped in turn without mailboxes",
      target: { max: 80, ratio: { beam: 6, go: 3 } },
      glia: ours("ping-pong"),
      peers: {
        beam: beam("ping-pong"),
        go: go("ping-pong"),
        effect: inOwnProcess("effect.ts", "ping-pong"),
        pyos: pyos("ping-pong"),
        "raw-generator": inOwnProcess("bare.ts", "generator-ping-pong"),
        promise: inOwnProcess("bare.ts", "promise-ping-pong"),
      },
    }),
    ns({
      id: "ping-pong-reactor",
      what: "as ping-pong, between two reactors: tasks that are one handler per message, without a generator",
      excludes: "waiting inside a handler, which a reactor cannot do",
      glia: ours("ping-pong-reactor"),
      peers: { beam: beam("ping-pong"), go: go("ping-pong") },
    }),
    ns({
      id: "yield-switch",
      what: "one yield of one of 1000 ready tasks, to the next one's turn",
      excludes: "making the tasks is included and spread over their yields",
      glia: ours("yield-switch"),
      peers: {
        beam: beam("yield-switch"),
        go: go("yield-switch"),
        effect: inOwnProcess("effect.ts", "yield-switch"),
        pyos: pyos("yield-switch"),
        "raw-generator": inOwnProcess("bare.ts", "generator-yields"),
        promise: inOwnProcess("bare.ts", "promise-yields"),
      },
    }),
    ns({
      id: "send-drain",
      what: "send a fresh object to a mailbox that nobody drains, up to 100,000 of them, and then receive it",
      excludes:
        "switches between tasks: one task does both; go's channel is made with room for all; the bare side is an array",
      target: { max: 60, ratio: { beam: 1.8 } },
      glia: ours("send-drain"),
      peers: {
        beam: beam("send-drain"),
        go: go("send-drain"),
        effect: inOwnProcess("effect.ts", "send-drain"),
        pyos: pyos("send-drain"),
        "raw-array": inOwnProcess("bare.ts", "array-pile"),
        promise: inOwnProcess("bare.ts", "promise-pile"),
      },
    }),
    ns({
      id: "try-send-receive",
      what: "trySend of a number to an empty mailbox and tryReceive of it, by one task",
      excludes: "switches: neither call can wait; the bare side is a push and a pop of an array",
      glia: ours("try-send-receive"),
      peers: {
        beam: beam("try-send-receive"),
        go: go("try-send-receive"),
        "raw-array": inOwnProcess("bare.ts", "array-push-pop"),
      },
    }),
    ns({
      id: "channel-try-send-receive",
      what: "trySend of a number to an empty channel of capacity 1000 and tryReceive of it, by one task",
      excludes: "switches: neither call can wait; the bare side is a push and a pop of an array",
      target: { max: 10, ratio: { go: 3 } },
      glia: ours("channel-try-send-receive"),
      peers: { go: go("try-send-receive"), "raw-array": inOwnProcess("bare.ts", "array-push-pop") },
    }),
    ns({
      id: "ring-1000",
      what: "one hop of a number around a ring of 1000 tasks, each with a mailbox",
      excludes: "making the ring is included and spread over the hops; go's channels hold one number",
      target: { max: 40, ratio: { beam: 6 } },
      glia: ours("ring-1000"),
      peers: { beam: beam("ring-1000"), go: go("ring-1000"), pyos: pyos("ring-1000") },
    }),
    ns({
      id: "ring-1000-reactor",
      what: "as ring-1000, around a ring of reactors",
      excludes:
        "making the ring is included and spread over the hops; waiting inside a handler, which a reactor cannot do",
      glia: ours("ring-1000-reactor"),
      peers: { beam: beam("ring-1000"), go: go("ring-1000") },
    }),
    oneToOne("one-to-one-100", 100),
    oneToOne("one-to-one-1k", 1000),
    oneToOne("one-to-one-10k", 10_000),
    oneToOne("one-to-one-100k", 100_000),
    {
      id: "rss-parked-task",
      what: "resident bytes per task of 1,000,000, each holding one handle and parked in a receive, in a process of its own",
      unit: "B",
      better: "lower",
      excludes:
        "what the process held before the first task; garbage is collected before each reading of ours, not of the peers'",
      target: { max: 450, ratio: { beam: 5, go: 5 } },
      glia: () => parked.glia(MILLION),
      peers: { beam: parked.beam(MILLION), go: parked.go(MILLION), pyos: parked.pyos(MILLION) },
    },
    {
      id: "timer-insert",
      what: "set one of 1,000,000 timers, deadlines spread over 100 s",
      unit: "ns",
      better: "lower",
      excludes: "making the task that waits: the wheel alone",
      target: { max: 60, ratio: { "set-timeout": 5 } },
      glia: ours("timer-insert", "glia/timers.ts"),
      peers: { "set-timeout": inOwnProcess("glia/timers.ts", "set-timeout-insert") },
    },
    {
      id: "timer-cancel",
      what: "cancel one of 1,000,000 timers, in the order they were set",
      unit: "ns",
      better: "lower",
      excludes: "ending the task that waits: the wheel alone",
      target: { max: 15, ratio: { "set-timeout": 5 } },
      glia: ours("timer-cancel", "glia/timers.ts"),
      peers: { "set-timeout": inOwnProcess("glia/timers.ts", "set-timeout-cancel") },
    },
    ns({
      id: "timer-insert-cancel",
      what: "set one timer and cancel it, as many at once as fill a sample",
      excludes:
        "ours is the wheel alone, without the task that waits; the peers' timers reach their processes",
      glia: ours("timer-insert-cancel", "glia/timers.ts"),
      peers: { beam: beam("timer-insert-cancel"), go: go("timer-insert-cancel") },
    }),
    seed(
      "seed-spawn",
      "make a task that ends at its first turn, that turn included",
      500,
      ours("seed-spawn"),
      "handles and waiting",
    ),
    seed("seed-send", "send of a number into a mailbox with room", 200, ours("seed-send"), "receiving it"),
    seed(
      "seed-signal",
      "signal of a notification nobody waits for",
      100,
      ours("seed-signal"),
      "a waiting task",
    ),
    seed(
      "seed-await-set-up",
      "the first turn of a task, which parks in a receive",
      100,
      ours("seed-await-set-up"),
      "making the task; 1000 of them at a time",
    ),
    {
      id: "seed-message-rate",
      what: "messages per second from one task to another, 100,000 at a time",
      unit: "msg/s",
      better: "higher",
      excludes: "other tasks",
      target: { min: 100_000 },
      glia: ours("seed-message-rate"),
      peers: {},
    },
    latency("random-messages-p50", "the median"),
    latency("random-messages-p99", "the 99th percentile"),
    latency("random-messages-max", "the maximum"),
    {
      id: "cold-start",
      what: "start a process, run one task to its end, end the process",
      unit: "ms",
      better: "lower",
      excludes:
        "nothing; ours is loaded from TypeScript source, whose types are stripped at each start; node is an empty program",
      glia: coldStart.glia,
      peers: { node: coldStart.node, beam: coldStart.beam, go: coldStart.go, pyos: coldStart.pyos },
    },
    {
      id: "cold-start-built",
      what: "as cold-start, from the package as it is published",
      unit: "ms",
      better: "lower",
      excludes: "nothing; needs the built package (pnpm build); node is an empty program",
      glia: coldStart.built,
      peers: { node: coldStart.node, beam: coldStart.beam, go: coldStart.go, pyos: coldStart.pyos },
    },
  ],
};
