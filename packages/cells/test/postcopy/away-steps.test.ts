/** Calls of a guest that another thread runs while its pages come, as the task does them that it has here (AW1, AW2). */
import type { CallResult, EngineInstance, GuestNote, PendingCall } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { AwayOutcome } from "@glia-os/cells";
import type { Handle } from "@glia-os/kernel";
import { HeldCapabilities } from "@glia-os/kernel/guests";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, it } from "vitest";
import { type GuestTaskCell, type GuestTaskEnd, guestTask } from "../../src/guest-task.ts";
import type { MailItem } from "../../src/runner-port.ts";

const WEB = { name: "web", target: "web", kind: "rebind-by-name", rights: RIGHTS.exec } as const;
const BOUND = 65_536;
const INPUT = new TextEncoder().encode('"hello"');
const exec = (handle: number, requestId = 1): PendingCall => ({
  requestId,
  op: "glia.sys.v1/exec",
  args: [handle, 64, INPUT.length],
});
const standing = (handle: number): AwayOutcome => ({
  kind: "pending",
  call: exec(handle),
  ranges: [{ pointer: 64, bytes: INPUT }],
});

interface Given {
  /** Ends of steps that are made elsewhere, each with what was noted before it; undefined: asked where it stands. */
  readonly ends: readonly { readonly end: AwayOutcome; readonly notes?: readonly GuestNote[] }[];
  readonly pending: PendingCall;
  /** After so many ends the guest comes over, and its steps end so. */
  readonly here?: readonly AwayOutcome[];
  /** Noted before its task begins. */
  readonly noted?: readonly GuestNote[];
}

/** Runs the task of such a guest: what its steps were given, what the service was asked, and how it ended. */
function run({ ends, pending, here = [], noted = [] }: Given) {
  const { kernel, clock } = createTestKernel(1);
  const asked: unknown[] = [];
  const order: unknown[] = [];
  const given: (CallResult | undefined | "stand")[] = [];
  const service = kernel.service({
    kind: "tool",
    name: "web",
    perform: (request, settle) => {
      asked.push(request);
      settle.ok("done");
      return undefined;
    },
  });
  const steps = kernel.mailbox<AwayOutcome>({ capacity: 1 });
  const inbox = kernel.mailbox<MailItem>({ capacity: 1 });
  const control = kernel.notification();
  const left = [...ends];
  const later = [...here];
  const notes: GuestNote[] = [...noted];
  let answered = false;
  let away: object | undefined = ends.length > 0 ? {} : undefined;
  const next = (what: CallResult | undefined | "stand"): void => {
    given.push(what);
    order.push("step");
    const one = left.shift() as Given["ends"][number];
    notes.push(...(one.notes ?? []));
    if (left.length === 0) away = undefined;
    told.push(one.end);
  };
  const told: AwayOutcome[] = [];
  const instance = {
    step: (result: CallResult | undefined) => {
      given.push(result);
      const end = later.shift() as AwayOutcome & { readonly replies?: string };
      if (end.replies !== undefined) cell.reply(new TextEncoder().encode(end.replies));
      return end;
    },
    read: () => INPUT.slice(),
    pending,
    preemptible: false,
  } as unknown as EngineInstance;
  const cell = {
    instance,
    guest: { pending, preemptible: false },
    get away() {
      return away;
    },
    notes,
    stepAway: (result: CallResult | undefined) => next(result),
    standAway: () => next("stand"),
    // As of a cell: its message is answered once.
    reply: (payload: Uint8Array) => {
      const text = new TextDecoder().decode(payload);
      order.push(`${answered ? "refused" : "reply"} ${text}`);
      if (answered) return GUEST_ERRORS.E_STATE;
      answered = true;
      asked.push(order.at(-1));
      return 0;
    },
    held: new HeldCapabilities([WEB]),
    messageBytes: 1000,
    freezeWanted: false,
    backlog: [],
    takeSleepRest: (rest: number) => rest,
    monotonicMs: () => 0,
    received: () => undefined,
    recorded: () => false,
    waiting: () => undefined,
  } as unknown as GuestTaskCell;
  const give = [
    { handle: inbox as Handle, rights: RIGHTS.receive },
    { handle: control as Handle, rights: RIGHTS.receive },
    ...(ends.length > 0 ? [{ handle: steps as Handle, rights: RIGHTS.receive }] : []),
    { handle: service, rights: RIGHTS.exec },
  ];
  let end: GuestTaskEnd | undefined;
  const task = kernel.spawn(guestTask(cell) as never, { give });
  kernel.onExit(task, (exit) => {
    end = (exit as unknown as { readonly value: GuestTaskEnd }).value;
  });
  do runToCompletion(kernel, clock);
  while (told.splice(0).some((one) => kernel.trySend(steps, one) !== "full"));
  return { asked, order, given, end, notes };
}

const bind = (handle: number, parent = 0): GuestNote => ({ kind: "bind", handle, row: WEB, parent });
const FINISHED = { kind: "finished", status: 0 } as const;
const RECEIVES: PendingCall = { requestId: 1, op: "yield", args: [] };

it("AW1, AW2: a call is made with the bytes that came with it, on what was noted before the end of its step", () => {
  const { asked, given, end } = run({
    pending: RECEIVES,
    ends: [{ end: standing(BOUND), notes: [bind(BOUND)] }, { end: FINISHED }],
  });
  expect(asked).toEqual(["hello"]);
  const answer = new TextEncoder().encode('"done"');
  expect(given).toEqual([{ value: 0 }, { value: answer.length, payload: answer }]);
  expect(end).toEqual(FINISHED);
});

it("AW1: notes are done in their order, so what was given up before a call is not there for it", () => {
  const { asked, given } = run({
    pending: RECEIVES,
    ends: [
      { end: standing(BOUND), notes: [bind(BOUND), { kind: "drop", handle: BOUND }] },
      { end: standing(BOUND + 1), notes: [bind(BOUND + 1)] },
      { end: FINISHED },
    ],
  });
  expect(asked).toEqual(["hello"]);
  expect(given[1]).toEqual({ value: GUEST_ERRORS.E_GONE });
});

it("AW1: a reply leaves when its step ends, before the call that the guest makes after it and not apart from that", () => {
  const payload = new TextEncoder().encode("first");
  const { asked } = run({
    pending: RECEIVES,
    ends: [{ end: standing(BOUND), notes: [bind(BOUND), { kind: "reply", payload }] }, { end: FINISHED }],
  });
  expect(asked).toEqual(["reply first", "hello"]);
});

it("AW1: a reply leaves at the end of its slice, so the first of two counts, also when the guest gives the second one here", () => {
  const slice = { kind: "yielded" } as const;
  const reply = (text: string): GuestNote => ({ kind: "reply", payload: new TextEncoder().encode(text) });
  const two = { end: slice, notes: [reply("first"), reply("second")] };
  const away = run({ pending: RECEIVES, ends: [two, { end: slice }, { end: FINISHED }] });
  expect(away.order).toEqual(["step", "reply first", "refused second", "step", "step"]);
  const over = run({
    pending: RECEIVES,
    ends: [{ end: slice, notes: [reply("first")] }],
    here: [slice, { ...slice, replies: "second" } as AwayOutcome, FINISHED],
  });
  expect(over.order).toEqual(["step", "reply first", "refused second"]);
});

it("AW2: for a call that the guest brought along its bytes are asked for, and nothing else before they are there", () => {
  const { asked, given } = run({
    pending: exec(BOUND),
    ends: [{ end: standing(BOUND), notes: [bind(BOUND)] }, { end: FINISHED }],
  });
  expect(given[0]).toBe("stand");
  expect(asked).toEqual(["hello"]);
});

it("a guest that is lost while it is asked where it stands ends, and its call is not made", () => {
  const error = new TypeError("lost");
  const { asked, end } = run({ pending: exec(BOUND), ends: [{ end: { kind: "failed", error } }] });
  expect(asked).toEqual([]);
  expect(end).toEqual({ kind: "failed", message: "lost" });
});

it("AW1: a guest that has come over holds what it was noted to hold before its next step, also in its next task", () => {
  const derived = bind(BOUND + 1, BOUND);
  const over = run({
    pending: RECEIVES,
    ends: [{ end: { kind: "pending", call: RECEIVES }, notes: [bind(BOUND), derived] }],
    here: [{ kind: "pending", call: exec(BOUND + 1) }, FINISHED],
  });
  expect([over.asked, over.notes, over.end]).toEqual([["hello"], [], FINISHED]);
  const next = run({
    pending: exec(BOUND + 1),
    ends: [],
    here: [FINISHED],
    noted: [bind(BOUND), derived],
  });
  expect([next.asked, next.notes, next.end]).toEqual([["hello"], [], FINISHED]);
});
