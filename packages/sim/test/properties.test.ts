/**
 * Two of the properties that the kernel owes its tasks, tried at every syscall of a task:
 * fault isolation (a crash ends one task and leaves the kernel sound) and independence (unrelated tasks cannot tell).
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { after, type Handle, isCall, type Routine, receiveFrom, type Sys } from "@glia-os/kernel";
import { type Fault, type Scenario, type SimulateOptions, type Simulation, simulate } from "@glia-os/sim";
import { expect, test } from "vitest";

type State = { readonly written: number[]; cleaned: number };

/** A: draws, sleeps, sends to its own peer, calls it, selects, makes and drops objects. Everything a crash could leave behind. */
function* partnerA(sys: Sys, own: Handle, peer: Handle): Routine<number> {
  const extra = sys.mailbox<number>({ capacity: 2, high: 2, low: 1 });
  const bell = sys.notification();
  const helper = sys.spawn(
    function* (sys: Sys, out: Handle<number>) {
      for (let i = 0; i < 6; i++) yield* sys.send(out, i);
    },
    { give: [{ handle: extra, rights: RIGHTS.send }] },
  );
  let sum = 0;
  for (let i = 0; i < 3; i++) {
    sum += yield* sys.receive(extra);
    sum += yield* sys.receive(extra);
    const [byte] = sys.random(1);
    yield* sys.sleep(byte! % 5);
    yield* sys.send(peer, i);
    yield* sys.call(peer, "echo", 20);
    yield* sys.select([receiveFrom(own), after(3)]);
    sys.signal(bell, 1 << i);
    yield* sys.waitSignal(bell);
    yield* sys.yield();
  }
  sys.revoke(bell);
  yield* sys.wait(helper);
  sys.drop(bell);
  return sum;
}

/** A and its peer P, which are related; and B, C with D, and E, which have nothing to do with them. */
const scenario: Scenario<State> = ({ kernel, spawn }) => {
  const state: State = { written: [], cleaned: 0 };
  const [own, peer, cd] = [
    kernel.mailbox(),
    kernel.mailbox(),
    kernel.mailbox<number>({ capacity: 2, high: 2, low: 1 }),
  ];
  spawn(
    function* (sys, own, peer) {
      try {
        return yield* partnerA(sys, own, peer);
      } finally {
        state.cleaned++;
      }
    },
    { give: [own, peer], name: "A" },
  );
  spawn(
    function* (sys, inbox, back) {
      for (;;) {
        const [index, message] = yield* sys.select([receiveFrom(inbox), after(500)]);
        if (index === 1) return;
        if (!isCall(message)) yield* sys.send(back, message);
        else if (message.open) sys.reply(message, "echo");
      }
    },
    { give: [peer, own], name: "P" },
  );
  spawn(
    function* (sys) {
      for (let i = 0; i < 12; i++) {
        const [byte] = sys.random(1);
        yield* sys.sleep(byte! % 4);
        state.written.push(sys.now());
        yield* sys.yield();
      }
      return "B";
    },
    { name: "B" },
  );
  spawn(
    function* (sys, out) {
      const mine = sys.attenuate(out, 1);
      for (let i = 0; i < 9; i++) yield* sys.send(mine, i);
      yield* sys.sleep(7);
      return (
        sys.spawn(function* (sys: Sys) {
          yield* sys.sleep(1);
        }) > 0
      );
    },
    { give: [cd], name: "C" },
  );
  spawn(
    function* (sys, source: Handle<number>) {
      let sum = 0;
      for (let i = 0; i < 9; i++) {
        sum += yield* sys.receive(source);
        yield* sys.sleep(1);
      }
      throw new RangeError(`D ends badly, with ${sum}`);
    },
    { give: [cd], name: "D" },
  );
  return state;
};

const A = "/0";
const UNRELATED = ["/2", "/3", "/3/0", "/4"];

function runs(options: SimulateOptions): {
  readonly plain: Simulation<State>;
  readonly crashed: Simulation<State>[];
} {
  const plain = simulate(11, scenario, { ...options, taskLogs: true });
  const calls = plain.calls.get(A)!;
  expect(calls).toBeGreaterThan(30);
  const faults = Array.from({ length: calls }, (_, call) =>
    (["before", "inside"] as const).map((when): Fault => ({ kind: "kill", task: A, call, when })),
  ).flat();
  const crashed = faults.map((fault) =>
    simulate(11, scenario, { ...options, taskLogs: true, faults: [fault] }),
  );
  return { plain, crashed };
}

test("independence: a crash at every syscall index leaves every unrelated task's log byte-equal", () => {
  const { plain, crashed } = runs({});
  expect(plain.outcome).toBe("ended");
  for (const path of UNRELATED) expect(plain.logs.get(path)!.length).toBeGreaterThan(20);
  let alike = 0;
  for (const run of crashed) {
    expect(run.faults).toHaveLength(1);
    for (const path of UNRELATED) expect(run.logs.get(path)).toBe(plain.logs.get(path));
    expect(run.state.written).toEqual(plain.state.written);
    if (run.logs.get(A) === plain.logs.get(A)) alike++;
  }
  // Only a kill inside the last call, after which A ends by itself, leaves A's own log as it was.
  expect(alike).toBe(1);
});

test("independence is a property of the kernel, not of the check: a task that does depend on A has another log", () => {
  const { plain, crashed } = runs({});
  expect(crashed.some((run) => run.logs.get("/1") !== plain.logs.get("/1"))).toBe(true);
});

test("independence holds in seeded orders too, for what each unrelated task did and got", () => {
  // The order among tasks that are ready at one moment differs after a crash, so results must not depend on it, and do not.
  for (const seed of [1, 2, 3]) {
    const plain = simulate(seed, scenario, { order: "seeded" });
    for (let call = 0; call < plain.calls.get(A)!; call++) {
      const run = simulate(seed, scenario, {
        order: "seeded",
        faults: [{ kind: "kill", task: A, call, when: "before" }],
      });
      for (const path of ["/2", "/3", "/3/0"]) expect(run.exits.get(path)).toEqual(plain.exits.get(path));
      expect(run.state.written).toEqual(plain.state.written);
    }
  }
});

test("fault isolation: a crash at every syscall index ends that task, cleans up after it, and leaves the kernel sound", () => {
  for (const order of ["fifo", "seeded"] as const) {
    const { plain, crashed } = runs({ order });
    for (const run of crashed) {
      const [fault] = run.faults;
      expect([run.outcome, run.dump.tasks, run.dump.timers]).toEqual(["ended", [], 0]);
      // `finally` ran once, unless A died before its first step.
      expect(run.state.cleaned).toBe(1);
      const exit = run.exits.get(A)!;
      if (exit.kind !== "ok") expect(exit).toEqual({ kind: "killed", reason: "simulated crash" });
      else expect(fault).toMatchObject({ when: "inside", call: plain.calls.get(A)! - 1 });
      expect(run.exits.get("/1")!.kind).toBe("ok");
      expect(run.exits.get("/4")).toMatchObject({ kind: "failed" });
      const { finished, failed, killed, cancelled, spawned } = run.dump.counters;
      expect(finished + failed + killed + cancelled).toBe(spawned);
      expect(run.dump.shell).toEqual(
        plain.dump.shell.map((handle) => expect.objectContaining({ kind: handle.kind })),
      );
    }
  }
});
