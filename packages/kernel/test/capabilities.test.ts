import { ALL_RIGHTS, RIGHTS, rightsOf } from "@glia-os/abi/syscalls";
import { after, type Exit, type Handle, type Routine, receiveFrom, type Sys } from "@glia-os/kernel";
import { sendTo } from "@glia-os/kernel/ipc";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import {
  CapabilityTable,
  generationOf,
  type KernelObject,
  Task,
  type TaskId,
  TaskList,
} from "../src/internal.ts";
import { codeOf, resultOf, run } from "./run.ts";

const SEND = RIGHTS.send;
const RECEIVE = RIGHTS.receive;

test("C1: a handle is worth nothing in the hands of a task it was not made for", () => {
  const { exit, kernel } = run(function* (sys) {
    const box = sys.mailbox<number>();
    const thief = sys.spawn(function* (sys) {
      const own = sys.mailbox<number>();
      return [codeOf(() => sys.trySend(box, 1)), sys.trySend(own, 1), own !== box];
    });
    return yield* sys.wait(thief);
  });
  expect(exit).toMatchObject({ value: { kind: "ok", value: ["kernel.dead-handle", true, true] } });
  expect(kernel.counters().refused).toBe(1);
});

test("every call checks the right it needs, and a refusal changes nothing", () => {
  const codes = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    const bell = sys.notification();
    const nothing = sys.attenuate(box, 0);
    const mute = sys.attenuate(bell, 0);
    const found: string[] = [
      codeOf(() => sys.trySend(nothing, 1)),
      codeOf(() => sys.tryReceive(nothing)),
      codeOf(() => sys.signal(mute)),
      codeOf(() => sys.revoke(nothing)),
      codeOf(() => sys.grant(sys.getTid(), nothing, ALL_RIGHTS)),
      codeOf(() => sys.spawn(function* () {}, { give: [nothing] })),
    ];
    for (const operation of [
      () => sys.send(nothing, 1),
      () => sys.receive(nothing),
      () => sys.call(nothing, 1),
      () => sys.waitSignal(mute),
    ]) {
      try {
        yield* operation();
      } catch (error) {
        found.push((error as { code: string }).code);
      }
    }
    return [found, sys.tryReceive(box)];
  });
  expect(codes).toEqual([Array(10).fill("kernel.missing-right"), undefined]);
});

test("a handle of the wrong kind, a made-up one and a dropped one are refused", () => {
  const codes = resultOf(function* (sys) {
    const bell = sys.notification();
    const dropped = sys.mailbox<number>();
    sys.drop(dropped);
    const strays = [0, -1, Number.NaN, 1e300, "1", undefined, dropped, dropped + 1];
    return [
      codeOf(() => sys.tryReceive(bell)),
      strays.map((stray) => codeOf(() => sys.tryReceive(stray as Handle))),
    ];
  });
  expect(codes).toEqual(["kernel.wrong-object", Array(8).fill("kernel.dead-handle")]);
});

test("C2: spawn and grant give at most what the giver has", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    const narrow = sys.attenuate(box, rightsOf("send", "grant"));
    const child = sys.spawn(
      function* (sys, given: Handle<number>) {
        sys.trySend(given, 7);
        return [codeOf(() => sys.tryReceive(given)), codeOf(() => sys.revoke(given))];
      },
      { give: [{ handle: narrow, rights: ALL_RIGHTS }] },
    );
    const target = sys.spawn(function* (sys) {
      return yield* sys.waitOn<Handle<number>>("handle");
    });
    yield* sys.yield();
    const granted = sys.grant(target, narrow, ALL_RIGHTS);
    const own = codeOf(() => sys.trySend(granted, 1));
    sys.wake("handle", granted);
    return [yield* sys.wait(child), own, yield* sys.receive(box)];
  });
  expect(result).toEqual([
    { kind: "ok", value: ["kernel.missing-right", "kernel.missing-right"] },
    "kernel.dead-handle",
    7,
  ]);
});

test("C3: revoking ends the whole derivation subtree in every task, and not the capability itself", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<number>();
    const middle = sys.attenuate(box, ALL_RIGHTS);
    const child = sys.spawn(
      function* (sys, given: Handle<number>) {
        const own = sys.attenuate(given, SEND);
        const before = sys.trySend(own, 1);
        yield* sys.sleep(10);
        return [before, codeOf(() => sys.trySend(own, 2)), codeOf(() => sys.trySend(given, 3))];
      },
      { give: [middle] },
    );
    yield* sys.sleep(1);
    const ended = sys.revoke(middle);
    return [ended, sys.trySend(middle, 4), yield* sys.wait(child)];
  });
  expect(result).toEqual([
    2,
    true,
    { kind: "ok", value: [true, "kernel.dead-handle", "kernel.dead-handle"] },
  ]);
});

test("C5: a parked receiver or select whose right is revoked is told, and gets no message; one with another handle waits on", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const lent = sys.attenuate(box, ALL_RIGHTS);
    const receiver = function* (sys: Sys, inbox: Handle<string>) {
      return yield* sys.receive(inbox);
    };
    const selector = function* (sys: Sys, inbox: Handle<string>) {
      return yield* sys.select([receiveFrom(inbox), after(1000)]);
    };
    const losers = [receiver, selector].map((program) => sys.spawn<unknown>(program, { give: [lent] }));
    const keeper = sys.spawn(receiver, { give: [box, lent] });
    yield* sys.sleep(1);
    sys.revoke(lent);
    yield* sys.send(box, "for the keeper");
    const ends: unknown[] = [];
    for (const id of [...losers, keeper]) ends.push(yield* sys.wait(id));
    return [ends, sys.now()];
  });
  const lost = { kind: "failed", error: { code: "kernel.dead-handle" } };
  expect(result).toMatchObject([[lost, lost, { kind: "ok", value: "for the keeper" }], 1]);
});

test("a task's end drops its handles, and what it gave away lives on under the giver's giver", () => {
  const { kernel, clock } = createTestKernel();
  const box = kernel.mailbox<number>();
  let inner: Handle<number> | undefined;
  kernel.spawn(
    function* (sys, given: Handle<number>) {
      const grandchild = sys.spawn(
        function* (sys, given: Handle<number>) {
          inner = given;
          yield* sys.sleep(10);
          const first = sys.trySend(given, 1);
          yield* sys.sleep(10);
          return [first, codeOf(() => sys.trySend(given, 2))];
        },
        { give: [given] },
      );
      return grandchild;
    },
    { give: [box] },
  );
  kernel.runSlice();
  expect(inner).toBeDefined();
  clock.advance(10);
  kernel.runSlice();
  expect(kernel.tryReceive(box)).toBe(1);
  expect(kernel.revoke(box)).toBe(1);
  runToCompletion(kernel, clock);
  expect(kernel.liveTasks).toBe(0);
  expect(kernel.tryReceive(box)).toBeUndefined();
});

test("a task may hold only so many handles; the next is refused and the spawner of a child with too many keeps its state", () => {
  const { exit, kernel } = run(
    function* (sys) {
      const handles = Array.from({ length: 3 }, () => sys.mailbox());
      const codes = [codeOf(() => sys.mailbox()), codeOf(() => sys.attenuate(handles[0]!, SEND))];
      codes.push(codeOf(() => sys.spawn(function* () {}, { give: Array(4).fill(handles[0]) })));
      sys.drop(handles[2]!);
      return [codes, sys.mailbox() > 0];
    },
    { handleLimit: 3 },
  );
  expect(exit).toMatchObject({ value: [Array(3).fill("kernel.capability-space-full"), true] });
  expect([kernel.liveTasks, kernel.counters().spawned]).toEqual([0, 1]);
});

test("C4: brute force on one slot: no handle of any generation is ever valid again", () => {
  const owner = new Task((function* () {})(), 0, 0, "", 0);
  const generations = 2000;
  const events = { lost: () => {}, orphaned: () => {}, taskAt: () => owner };
  const table = new CapabilityTable(1, events, generations, 1);
  const seen = new Set<number>();
  for (let i = 0; i <= generations; i++) {
    const handle = table.mint(owner, { kind: "mailbox", receivers: 0, takers: new TaskList() }, ALL_RIGHTS);
    for (const old of i % 400 === 0 ? seen : [])
      if (table.find(old, owner, 0) !== null) throw new RangeError(`${old} came back`);
    expect(seen.has(handle)).toBe(false);
    seen.add(handle);
    table.drop(handle);
  }
  for (const old of seen) expect(table.find(old, owner, 0)).toBeNull();
});

test("C7: handles are small integers until a table has its full spread of indices, and then worn indices are used again", () => {
  const owner = new Task((function* () {})(), 0, 0, "", 0);
  const events = { lost: () => {}, orphaned: () => {}, taskAt: () => owner };
  const table = new CapabilityTable(1, events, 2 ** 31 - 1, 3);
  const object: KernelObject = { kind: "mailbox", receivers: 0, takers: new TaskList() };
  const handles: Handle[] = [];
  for (let i = 0; i < 3 * 511 + 2; i++) {
    handles.push(table.mint(owner, object, ALL_RIGHTS));
    table.drop(handles.at(-1)!);
  }
  const small = handles.filter((handle) => handle < 2 ** 31);
  expect(small).toEqual(handles.slice(0, 3 * 511));
  expect(handles.slice(-2).map((handle) => [generationOf(handle), handle % 2 ** 22 < 3])).toEqual([
    [512, true],
    [513, true],
  ]);
  expect(new Set(handles).size).toBe(handles.length);
  const last = table.mint(owner, object, SEND);
  expect(table.find(last, owner, SEND)).toBe(object);
  for (const wrong of [...handles, last + 0.5, last - 2 ** 32, -last, last + 2 ** 22, 0, -0, Number.NaN])
    expect(table.find(wrong, owner, 0)).toBeNull();
});

/** A capability of the model. */
interface Node {
  readonly handle: Handle;
  readonly owner: number;
  readonly rights: number;
  /** What it names: the object itself, or something that stands for it with a badge. */
  readonly object: KernelObject;
  parent: Node | null;
  alive: boolean;
}

type Step =
  | { readonly kind: "derive"; readonly from: number; readonly owner: number; readonly rights: number }
  | { readonly kind: "badge" | "revoke" | "drop"; readonly from: number };

const RIGHT_SETS = [0, SEND, RECEIVE, SEND | RECEIVE];

/** A table and its model side by side. */
class Twin {
  readonly owners = [1, 2].map((id) => {
    const owner = new Task((function* () {})(), 0, 0, "", 0);
    owner.id = id as TaskId;
    return owner;
  });
  readonly orphans: KernelObject[] = [];
  readonly table = new CapabilityTable(100, {
    lost: () => {},
    orphaned: (object) => this.orphans.push(object),
    taskAt: (index) => this.owners[index - 1]!,
  });
  readonly object: KernelObject = { kind: "endpoint", receivers: 0, takers: new TaskList() };
  readonly nodes: Node[] = [];

  constructor() {
    const rights = SEND | RECEIVE;
    const handle = this.table.mint(this.owners[0]!, this.object, rights);
    this.nodes.push({ handle, owner: 0, rights, object: this.object, parent: null, alive: true });
  }

  take(step: Step): void {
    const from = this.nodes[step.from]!;
    if (step.kind === "derive") {
      const handle = this.table.derive(from.handle, this.owners[step.owner]!, step.rights);
      const rights = from.rights & step.rights;
      const { object } = from;
      this.nodes.push({ handle, owner: step.owner, rights, object, parent: from, alive: true });
    } else if (step.kind === "badge") {
      const { owner } = from;
      const object: KernelObject = { kind: "endpoint", receivers: 0, takers: this.object.takers };
      const handle = this.table.deriveAs(from.handle, this.owners[owner]!, ~RECEIVE, object);
      this.nodes.push({ handle, owner, rights: from.rights & ~RECEIVE, object, parent: from, alive: true });
    } else if (step.kind === "revoke") {
      const doomed = this.nodes.filter((node) => node.alive && node !== from && descends(node, from));
      const ended = this.table.revoke(from.handle);
      if (ended !== doomed.length) throw new RangeError(`${ended} ended, not ${doomed.length}`);
      for (const node of doomed) node.alive = false;
    } else {
      for (const node of this.nodes) if (node.parent === from) node.parent = from.parent;
      this.table.drop(from.handle);
      from.alive = false;
    }
  }

  /** The child never exceeds its parent, dead handles are dead for all, live ones are worth their rights to their owner only. */
  problem(): string | undefined {
    let living = 0;
    let receivers = 0;
    for (const { handle, owner, rights, object, parent, alive } of this.nodes) {
      for (let index = 0; index < this.owners.length; index++) {
        const held = this.table.rightsOf(handle, this.owners[index]!);
        if (held !== (alive && index === owner ? rights : null))
          return `handle ${handle} has the rights ${held}`;
        const found = this.table.find(handle, this.owners[index]!, 0);
        if (found !== (alive && index === owner ? object : null))
          return `handle ${handle} names another object`;
      }
      if (!alive) continue;
      living++;
      if ((rights & RECEIVE) !== 0) receivers++;
      if (parent?.alive === true && (rights & ~parent.rights) !== 0)
        return `handle ${handle} exceeds its parent`;
    }
    if (this.table.live !== living) return `${this.table.live} live, not ${living}`;
    if (this.object.receivers !== receivers) return `${this.object.receivers} receivers, not ${receivers}`;
    return this.orphans.length === (receivers === 0 ? 1 : 0)
      ? undefined
      : "the orphaned object was not told of once";
  }

  steps(): Step[] {
    return this.nodes.flatMap(({ alive }, from): Step[] => {
      if (!alive) return [];
      const derivations = this.owners.flatMap((_, owner) =>
        RIGHT_SETS.map((rights): Step => ({ kind: "derive", from, owner, rights })),
      );
      return [...derivations, { kind: "badge", from }, { kind: "revoke", from }, { kind: "drop", from }];
    });
  }
}

function descends(node: Node, ancestor: Node): boolean {
  for (let at: Node | null = node; at !== null; at = at.parent) if (at === ancestor) return true;
  return false;
}

test("every sequence of 4 derivations, revocations and drops in two tasks: a child never exceeds its parent", {
  timeout: 120_000,
}, () => {
  let explored = 0;
  const explore = (path: readonly Step[]) => {
    const twin = new Twin();
    for (const step of path) twin.take(step);
    const problem = twin.problem();
    if (problem !== undefined) throw new RangeError(`${problem} after ${JSON.stringify(path)}`);
    explored++;
    if (path.length < 4) for (const step of twin.steps()) explore([...path, step]);
  };
  explore([]);
  expect(explored).toBe(238_536);
});

test("C5: a parked sender whose right is revoked is told, and its message is never delivered, from a mailbox, a channel or a select", () => {
  const outcome = resultOf(function* (sys) {
    const box = sys.mailbox<string>({ capacity: 1, high: 1, low: 0 });
    const line = sys.channel<string>(1);
    const give = [sys.attenuate(box, SEND | RIGHTS.grant), sys.attenuate(line, SEND | RIGHTS.grant)] as const;
    yield* sys.send(box, "first");
    yield* sys.send(line, "first");
    const code = (operation: (sys: Sys, box: Handle<string>, line: Handle<string>) => Routine<unknown>) =>
      sys.spawn(
        function* (sys: Sys, box: Handle<string>, line: Handle<string>): Routine<string> {
          try {
            yield* operation(sys, box, line);
            return "sent";
          } catch (error) {
            return (error as { code: string }).code;
          }
        },
        { give: [...give] },
      );
    const senders = [
      code(function* (sys, box) {
        yield* sys.send(box, "late");
      }),
      code(function* (sys, _box, line) {
        yield* sys.send(line, "late");
      }),
      code(function* (sys, _box, line) {
        yield* sys.select([sendTo(line, "late")]);
      }),
    ];
    yield* sys.sleep(1);
    sys.revoke(box);
    sys.revoke(line);
    const codes = [];
    for (const task of senders) codes.push((yield* sys.wait<string>(task)) as Exit<string>);
    const left = [sys.tryReceive(box), sys.tryReceive(box), sys.tryReceive(line), sys.tryReceive(line)];
    return { codes: codes.map((exit) => (exit.kind === "ok" ? exit.value : exit.kind)), left };
  });
  expect(outcome).toEqual({
    codes: ["kernel.dead-handle", "kernel.dead-handle", "kernel.dead-handle"],
    left: ["first", undefined, "first", undefined],
  });
});
