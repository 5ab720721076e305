/**
 * Durable steps, replay, recovery and leases, each beside the least that a disk or a database asks for, and beside other durable engines.
 *
 * A step is a call of a service by a task of a durable domain and its answer; the next call of the task starts when the answer is flushed. The
 * bare figures are loops that write bytes nobody could read back.
 *
 * `bare` writes about 160 bytes and flushes them in the thread of the caller. `restate` (1.7, one node, as it comes) flushes its log before it
 * answers. `resonate` is its SDK with its default, a store in memory that flushes nothing; its server is not on npm.
 */
import { inOwnProcess, ours } from "../peers/own-process.ts";
import type { RowDefinition, Suite } from "../src/suite.ts";

const STEPS = "glia/durable-steps.ts";
const RECOVERY = "glia/durable-recovery.ts";
const DISK = "disk.ts";

const bare = (name: string): RowDefinition["peers"] => ({ bare: inOwnProcess(DISK, name) });

const together: RowDefinition["peers"] = {
  ...bare("thousands"),
  restate: inOwnProcess("durable/restate.ts", "steps"),
  resonate: inOwnProcess("durable/resonate.ts", "steps"),
};

const TOGETHER_EXCLUDES =
  "starting the domains; restate and resonate start and end 1,000 executions of 5 steps, ours live on; resonate flushes nothing";

const steps: readonly RowDefinition[] = [
  {
    id: "step-idempotent",
    what: "one durable step of one domain: a read of 16 bytes by a service of files; peer: write and fdatasync of 160 bytes",
    unit: "us",
    better: "lower",
    excludes: "starting the domain; what the service does; the peer blocks its thread, ours does not",
    target: { ratio: { bare: 0.667 } },
    glia: ours("repeatable", STEPS),
    peers: bare("one"),
  },
  {
    id: "step-once",
    what: "one durable step of one domain: a call of a tool, whose intent is flushed before it starts; peer: write and fdatasync of 160 bytes",
    unit: "us",
    better: "lower",
    excludes:
      "starting the domain; what the tool does. The answer of a call and the intent of the next one share a flush",
    target: { ratio: { bare: 0.4 } },
    glia: ours("once", STEPS),
    peers: bare("one"),
  },
  {
    id: "step-loop-delay",
    what: "99th percentile of the distance of two timers of 1 ms in the thread of one domain that steps without pause; peer: the same beside writes and flushes in that thread",
    unit: "ms",
    better: "lower",
    excludes: "nothing: the timer itself is in it, so 1 ms or a little more is no delay",
    glia: ours("delay", STEPS),
    peers: bare("delay"),
  },
  {
    id: "steps-1000-idempotent",
    what: "durable steps per second of 1,000 domains together, reads by a service of files, each flushed before the next call of its domain; bare: records written and flushed a thousand at a time",
    unit: "steps/s",
    better: "higher",
    excludes: TOGETHER_EXCLUDES,
    glia: ours("thousand-repeatable", STEPS),
    peers: bare("thousands"),
  },
  {
    id: "steps-1000",
    what: "durable steps per second of 1,000 domains together, calls of a tool, each flushed before the next call of its domain; bare: records written and flushed a thousand at a time",
    unit: "steps/s",
    better: "higher",
    excludes: TOGETHER_EXCLUDES,
    target: { ratio: { bare: 0.5, restate: 20, resonate: 5 } },
    glia: ours("thousand-once", STEPS),
    peers: together,
  },
  {
    id: "journal-1000",
    what: "batches per second that the journal alone takes of 1,000 writers, each with one record of 120 bytes at a time; bare: records written and flushed a thousand at a time",
    unit: "batches/s",
    better: "higher",
    excludes: "everything above the journal's port",
    glia: ours("journal", STEPS),
    peers: bare("thousands"),
  },
];

const goingOn: readonly RowDefinition[] = [
  {
    id: "replay-step",
    what: "replaying one step of a journal in memory: two records (an intent, an answer) are decoded, the call is compared with what the program asks for, and the task runs on",
    unit: "ns",
    better: "lower",
    excludes: "reading from the disk, and joining its batches",
    target: { max: 150 },
    glia: ours("once", RECOVERY),
    peers: {},
  },
  {
    id: "replay-step-hashed",
    what: "the same of a call whose arguments are not secret: they are encoded and hashed with SHA-256 and the hashes compared",
    unit: "ns",
    better: "lower",
    excludes: "reading from the disk, and joining its batches",
    glia: ours("repeatable", RECOVERY),
    peers: {},
  },
  {
    id: "replay-million",
    what: "reading 1,000,000 steps of one domain (2,000,000 records, a batch per step) from a journal of files, and replaying them; ten times what 100,000 steps take",
    unit: "ms",
    better: "lower",
    excludes: "opening the journal",
    target: { max: 500 },
    glia: ours("million", RECOVERY),
    peers: {},
  },
  {
    id: "recover-10000",
    what: "opening a journal of files and resuming all of its 10,000 domains, each of which waits for a message, under a new epoch that is flushed",
    unit: "ms",
    better: "lower",
    excludes: "starting the process",
    target: { max: 1_000 },
    glia: ours("parked", RECOVERY),
    peers: {},
  },
  {
    id: "conversation",
    what: "journal that an agent adds with 100 calls of a model over a conversation of 200,000 tokens (800,000 characters, all of it in every request) and 100 calls of a tool that find 2,400 characters each",
    unit: "kB",
    better: "lower",
    excludes: "the beginning, which holds the conversation once",
    target: { max: 1_000 },
    glia: ours("kilobytes", "glia/durable-conversation.ts"),
    peers: {},
  },
  {
    id: "lease-sqlite",
    what: "taking a session, claiming an agent under its fence and ending the session on the SQLite store, each flushed and awaited; peer: three flushed statements of node:sqlite",
    unit: "us",
    better: "lower",
    excludes: "opening; the peer keeps no request ids and no changes, and blocks its thread",
    glia: ours("ours", "glia/durable-lease.ts"),
    peers: { "node-sqlite": inOwnProcess("glia/durable-lease.ts", "bare") },
  },
];

export const suite: Suite = {
  title: "durable steps, replay, recovery and leases",
  // Below this the disk does not flush, and every figure beside it would be of something else.
  leastFdatasyncUs: 30,
  rows: [...steps, ...goingOn],
};
