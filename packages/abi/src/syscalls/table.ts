/**
 * The syscall table: everything a task can ask for. `docs/spec/syscalls.md` is printed from it.
 *
 * S1. Numbers are stable and never reused; they are written into journals and snapshots.
 * S2. An argument marked `secret` is never journaled, traced or logged; its handle is.
 * S3. `effect` decides journaling (DESIGN: effect classes).
 */
import type { RightName } from "./rights.ts";

/**
 * How a syscall's outcome is journaled. `local`: not at all. `read`: the outcome rides the next group commit.
 * `idempotent`: as `read`, and it may be performed again after a crash. `once`: the intent is durable before the effect starts.
 */
export type EffectClass = "local" | "read" | "idempotent" | "once";

/** One argument. */
export interface SyscallArgument {
  readonly name: string;
  /** The type as the TypeScript face shows it. */
  readonly type: string;
  /** Never recorded (S2). */
  readonly secret?: true;
}

/** One row. */
export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly args: readonly SyscallArgument[];
  readonly result: string;
  /** The right the named capability must hold; `none` needs no capability. */
  readonly right: RightName | "none";
  /** Whether the caller may be parked. */
  readonly blocking: boolean;
  readonly effect: EffectClass;
  /** Codes this call can fail with, besides those every call can. */
  readonly errors: readonly string[];
  /** One sentence. */
  readonly summary: string;
}

function arg(name: string, type: string): SyscallArgument {
  return { name, type };
}

const DEAD = "kernel.dead-handle";
const DENIED = "kernel.missing-right";
const UNKNOWN_TASK = "kernel.unknown-task";
const BAD_DURATION = "kernel.bad-duration";
const FULL = "kernel.mailbox-full";
const SPACE_FULL = "kernel.capability-space-full";
const CLOSED = "kernel.channel-closed";
const OUTSIDE = "kernel.outside-region";
const LEASE_ENDED = "kernel.lease-ended";

type Flow = readonly [
  number,
  string,
  readonly SyscallArgument[],
  string,
  RightName | "none",
  boolean,
  EffectClass,
  readonly string[],
  string,
];

const cap = arg("target", "Handle");

const FLOWS: readonly Flow[] = [
  [1, "getTid", [], "TaskId", "none", false, "local", [], "The id of the calling task."],
  [2, "yield", [], "void", "none", true, "local", [], "Let other tasks run."],
  [
    3,
    "sleep",
    [arg("durationMs", "number")],
    "void",
    "none",
    true,
    "local",
    [BAD_DURATION],
    "Wait for a time.",
  ],
  [4, "now", [], "number", "none", false, "read", [], "Milliseconds since the Unix epoch."],
  [5, "random", [arg("bytes", "number")], "Uint8Array", "none", false, "read", [], "Random bytes."],
  [
    6,
    "spawn",
    [arg("program", "Program"), arg("options", "SpawnOptions")],
    "TaskId",
    "none",
    false,
    "local",
    ["kernel.too-many-tasks"],
    "Make a child task.",
  ],
  [
    7,
    "wait",
    [arg("task", "TaskId")],
    "Exit",
    "none",
    true,
    "local",
    [UNKNOWN_TASK],
    "Wait until a task ends.",
  ],
  [
    8,
    "waitAny",
    [arg("tasks", "TaskId[]")],
    "[TaskId, Exit]",
    "none",
    true,
    "local",
    [UNKNOWN_TASK],
    "Wait until one of several tasks ends.",
  ],
  [
    9,
    "kill",
    [arg("task", "TaskId"), arg("reason", "unknown")],
    "void",
    "none",
    false,
    "local",
    [UNKNOWN_TASK],
    "End a task now, unwinding its whole stack.",
  ],
  [
    10,
    "cancel",
    [arg("task", "TaskId"), arg("reason", "unknown")],
    "void",
    "none",
    false,
    "local",
    [UNKNOWN_TASK],
    "Ask a task to end at its next syscall.",
  ],
  [11, "exit", [arg("value", "unknown")], "never", "none", true, "local", [], "End the calling task."],
  [
    12,
    "send",
    [cap, arg("message", "unknown")],
    "void",
    "send",
    true,
    "local",
    [DEAD, DENIED, FULL],
    "Put a message into a mailbox; parks under the waiting overflow policy.",
  ],
  [
    13,
    "trySend",
    [cap, arg("message", "unknown")],
    "boolean",
    "send",
    false,
    "local",
    [DEAD, DENIED],
    "Put a message into a mailbox if there is room.",
  ],
  [
    14,
    "receive",
    [arg("source", "Handle")],
    "unknown",
    "receive",
    true,
    "read",
    [DEAD, DENIED],
    "Take the next message of a mailbox.",
  ],
  [
    15,
    "tryReceive",
    [arg("source", "Handle")],
    "unknown",
    "receive",
    false,
    "read",
    [DEAD, DENIED],
    "Take the next message of a mailbox if there is one.",
  ],
  [
    16,
    "call",
    [cap, arg("message", "unknown"), arg("timeoutMs", "number")],
    "unknown",
    "call",
    true,
    "read",
    [DEAD, DENIED, "kernel.call-timeout"],
    "Send a message and wait for its reply.",
  ],
  [
    17,
    "reply",
    [arg("call", "CallToken"), arg("message", "unknown")],
    "void",
    "none",
    false,
    "local",
    ["kernel.double-reply", "kernel.late-reply"],
    "Answer a call.",
  ],
  [
    18,
    "select",
    [arg("waits", "Wait[]")],
    "[index, unknown]",
    "none",
    true,
    "read",
    [DEAD, DENIED, BAD_DURATION],
    "Wait for the first of several events.",
  ],
  [
    19,
    "signal",
    [cap, arg("bits", "number")],
    "void",
    "signal",
    false,
    "local",
    [DEAD, DENIED],
    "Set bits of a notification.",
  ],
  [
    20,
    "waitSignal",
    [cap],
    "number",
    "receive",
    true,
    "read",
    [DEAD, DENIED],
    "Wait until a notification has bits and clear them.",
  ],
  [21, "waitOn", [arg("key", "unknown")], "unknown", "none", true, "read", [], "Wait for a key to be woken."],
  [
    22,
    "wake",
    [arg("key", "unknown"), arg("value", "unknown"), arg("count", "number")],
    "number",
    "none",
    false,
    "local",
    [],
    "Wake tasks that wait for a key.",
  ],
  [
    23,
    "readWait",
    [arg("source", "Handle")],
    "void",
    "read",
    true,
    "local",
    [DEAD, DENIED],
    "Wait until a resource can be read.",
  ],
  [
    24,
    "writeWait",
    [cap],
    "void",
    "write",
    true,
    "local",
    [DEAD, DENIED],
    "Wait until a resource can be written.",
  ],
  [
    25,
    "mailbox",
    [arg("options", "MailboxOptions")],
    "Handle",
    "none",
    false,
    "local",
    ["kernel.capability-space-full"],
    "Make a mailbox.",
  ],
  [
    26,
    "notification",
    [],
    "Handle",
    "none",
    false,
    "local",
    ["kernel.capability-space-full"],
    "Make a notification.",
  ],
  [
    27,
    "channel",
    [arg("capacity", "number")],
    "Handle",
    "none",
    false,
    "local",
    ["kernel.capability-space-full"],
    "Make a bounded channel for many senders and receivers.",
  ],
  [
    28,
    "grant",
    [arg("task", "TaskId"), cap, arg("rights", "Rights")],
    "Handle",
    "grant",
    false,
    "local",
    [DEAD, DENIED, UNKNOWN_TASK],
    "Give a task a capability with at most the rights named.",
  ],
  [
    29,
    "attenuate",
    [cap, arg("rights", "Rights")],
    "Handle",
    "none",
    false,
    "local",
    [DEAD],
    "Derive a capability with fewer rights.",
  ],
  [
    30,
    "revoke",
    [cap],
    "number",
    "revoke",
    false,
    "local",
    [DEAD, DENIED],
    "End every capability derived from this one.",
  ],
  [
    31,
    "register",
    [arg("name", "string"), cap],
    "void",
    "name",
    false,
    "local",
    ["kernel.name-taken"],
    "Give a capability a name.",
  ],
  [
    32,
    "lookup",
    [arg("name", "string")],
    "Handle",
    "none",
    false,
    "read",
    ["kernel.unknown-name"],
    "The capability with a name.",
  ],
  [
    33,
    "link",
    [arg("task", "TaskId")],
    "void",
    "none",
    false,
    "local",
    [UNKNOWN_TASK],
    "Share fate with a task.",
  ],
  [
    34,
    "monitor",
    [arg("task", "TaskId")],
    "MonitorId",
    "none",
    false,
    "local",
    [UNKNOWN_TASK],
    "Be told when a task ends.",
  ],
  [
    35,
    "log",
    [arg("level", "LogLevel"), arg("message", "string")],
    "void",
    "none",
    false,
    "local",
    [],
    "Write a log line with the task's context.",
  ],
  [
    36,
    "exec",
    [arg("tool", "Handle"), { name: "input", type: "unknown", secret: true }],
    "unknown",
    "exec",
    true,
    "once",
    [DEAD, DENIED],
    "Run a tool.",
  ],
  [
    37,
    "fetch",
    [arg("grant", "Handle"), { name: "request", type: "HttpRequest", secret: true }],
    "HttpResponse",
    "exec",
    true,
    "once",
    [DEAD, DENIED],
    "One HTTP exchange.",
  ],
  [
    38,
    "file",
    [arg("root", "Handle"), arg("operation", "FileOperation")],
    "unknown",
    "read",
    true,
    "idempotent",
    [DEAD, DENIED],
    "Read, write or list below a granted root.",
  ],
  [
    39,
    "model",
    [arg("model", "Handle"), { name: "request", type: "unknown", secret: true }],
    "unknown",
    "exec",
    true,
    "once",
    [DEAD, DENIED],
    "Ask a model.",
  ],
  [
    40,
    "approve",
    [arg("question", "string")],
    "Approval",
    "approve",
    true,
    "once",
    [DENIED],
    "Wait for a person to approve or refuse.",
  ],
  [41, "checkpoint", [], "void", "none", true, "local", [], "Make the state so far durable."],
  [
    42,
    "external",
    [arg("start", "Start")],
    "unknown",
    "none",
    true,
    "once",
    [],
    "Wait for an effect that trusted code of the same process starts and settles.",
  ],
  [43, "drop", [cap], "void", "none", false, "local", [DEAD], "Give up a capability."],
  [
    44,
    "endpoint",
    [],
    "Handle",
    "none",
    false,
    "local",
    [SPACE_FULL],
    "Make an endpoint for synchronous calls.",
  ],
  [
    45,
    "badge",
    [arg("source", "Handle"), arg("badge", "number"), arg("rights", "Rights")],
    "Handle",
    "none",
    false,
    "local",
    [DEAD, "kernel.already-badged"],
    "Derive a capability to an endpoint that marks what is sent through it.",
  ],
  [
    46,
    "close",
    [cap],
    "void",
    "revoke",
    false,
    "local",
    [DEAD, DENIED, CLOSED],
    "End a channel: what it holds can still be received, nothing more is taken.",
  ],
  [
    47,
    "region",
    [arg("bytes", "number"), arg("options", "RegionOptions")],
    "Handle",
    "none",
    false,
    "local",
    [SPACE_FULL],
    "Make a region of memory that tasks share.",
  ],
  [
    48,
    "readRegion",
    [arg("source", "Handle"), arg("offset", "number"), arg("length", "number")],
    "Uint8Array",
    "read",
    false,
    "read",
    [DEAD, DENIED, OUTSIDE],
    "Copy bytes out of a region.",
  ],
  [
    49,
    "writeRegion",
    [cap, arg("offset", "number"), arg("bytes", "Uint8Array")],
    "void",
    "write",
    false,
    "local",
    [DEAD, DENIED, OUTSIDE],
    "Copy bytes into a region.",
  ],
  [
    50,
    "mapRegion",
    [arg("source", "Handle")],
    "RegionView",
    "read",
    false,
    "local",
    [DEAD, DENIED],
    "A view of a region that checks every access.",
  ],
  [
    51,
    "ack",
    [arg("lease", "Lease")],
    "void",
    "none",
    false,
    "local",
    [LEASE_ENDED],
    "End a lease: its message is done.",
  ],
  [
    52,
    "nack",
    [arg("lease", "Lease")],
    "void",
    "none",
    false,
    "local",
    [LEASE_ENDED],
    "Give a leased message back, to be delivered again.",
  ],
  [
    53,
    "renew",
    [arg("lease", "Lease"), arg("durationMs", "number")],
    "void",
    "none",
    false,
    "local",
    [LEASE_ENDED, BAD_DURATION],
    "Keep a lease for longer.",
  ],
];

/** All rows by name. */
export const SYSCALLS: ReadonlyMap<string, SyscallRow> = new Map(
  FLOWS.map(([number, name, args, result, right, blocking, effect, errors, summary]) => [
    name,
    { number, name, args, result, right, blocking, effect, errors, summary },
  ]),
);

/** The row with a number, for readers of journals and snapshots. Undefined for a number this build does not know. */
export function syscallByNumber(number: number): SyscallRow | undefined {
  for (const row of SYSCALLS.values()) if (row.number === number) return row;
  return undefined;
}
