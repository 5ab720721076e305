import { RIGHTS } from "@glia-os/abi/syscalls";
import {
  Account,
  type Amounts,
  type Handle,
  type Operation,
  type Program,
  type Reservation,
  type Routine,
} from "@glia-os/kernel";
import { modelService, type Service, toolService } from "@glia-os/kernel/services";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

const NONE: Amounts = { calls: 0, tokens: 0, money: 0, ms: 0, fuel: 0 };
const tokens = (count: number): Amounts => ({ ...NONE, tokens: count });

/** A service that answers at once, or fails with what is an error. */
function answering(kind: "model" | "tool", answer: (request: unknown) => unknown): Service {
  return {
    kind,
    name: kind,
    perform(request, settle) {
      const value = answer(request);
      if (value instanceof Error) settle.fail(value);
      else settle.ok(value);
      return undefined;
    },
  };
}

function run(program: Program<unknown>, service: Service, account: object) {
  const { kernel, clock } = createTestKernel();
  const handle = kernel.service(service);
  const task = kernel.spawn(program, { account, give: [{ handle, rights: RIGHTS.exec | RIGHTS.grant }] });
  runToCompletion(kernel, clock);
  const exit = kernel.exitOf(task);
  return { kernel, exit: exit?.kind === "ok" ? exit.value : exit };
}

/** Make a call so many times; how each ended. */
function* callsOf(call: () => Operation<unknown>, times: number): Routine<string[]> {
  const codes: string[] = [];
  for (let i = 0; i < times; i++) {
    try {
      yield* call();
      codes.push("ok");
    } catch (error) {
      codes.push((error as { code?: string }).code ?? String(error));
    }
  }
  return codes;
}

test("an account refuses what it cannot pay, names itself, the kind, what was asked and what is left, and changes nothing", () => {
  const account = new Account({ name: "agent", tokens: 100 });
  account.reserve(tokens(60)).settle(tokens(50));
  const before = account.dump();
  let refusal: unknown;
  try {
    account.reserve(tokens(51));
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({
    code: "kernel.account-exhausted",
    details: { account: "agent", kind: "tokens", asked: 51, left: 50 },
  });
  expect(account.dump()).toEqual({ ...before, refused: 1 });
});

test("AC1: a cost beyond its reservation is booked, counted as excess, and leaves the account unable to reserve", () => {
  const account = new Account({ money: 10 });
  account.reserve({ ...NONE, money: 2 }).settle({ ...NONE, money: 15 });
  expect(account.dump()).toMatchObject({ spent: { money: 15 }, excess: { money: 13 }, left: { money: 0 } });
  expect(codeOf(() => account.reserve({ ...NONE, money: 1 }))).toBe("kernel.account-exhausted");
});

test("AC2: a reservation is settled or released once; a second time changes nothing", () => {
  const account = new Account({ tokens: 10 });
  const reserved = account.reserve(tokens(10));
  expect([reserved.settle(tokens(4)), reserved.settle(tokens(4)), reserved.release()]).toEqual([
    true,
    false,
    false,
  ]);
  expect(account.dump()).toMatchObject({ spent: { tokens: 4 }, reserved: { tokens: 0 }, open: 0 });
});

test("AC4: a carved child takes its limits from its parent at once and gives back what it did not spend once its last call is over", () => {
  const parent = new Account({ tokens: 100 });
  const child = new Account({ name: "child", tokens: 60, carved: true }, parent);
  expect(parent.left("tokens")).toBe(40);
  expect(codeOf(() => new Account({ tokens: 41, carved: true }, parent))).toBe("kernel.account-exhausted");
  const out = child.reserve(tokens(30));
  child.close();
  expect(codeOf(() => child.reserve(tokens(1)))).toBe("kernel.account-closed");
  expect(parent.left("tokens")).toBe(40);
  out.settle(tokens(25));
  expect(parent.dump()).toMatchObject({
    spent: { tokens: 25 },
    reserved: { tokens: 0 },
    left: { tokens: 75 },
  });
});

test("AC4: a shared child caps what it may take of its parent, and its siblings take from the same", () => {
  const parent = new Account({ name: "parent", tokens: 100 });
  const [first, second] = [
    new Account({ name: "first", tokens: 70 }, parent),
    new Account({ name: "second" }, parent),
  ];
  first.reserve(tokens(70)).settle(tokens(70));
  expect(() => first.reserve(tokens(1))).toThrow("the account first has 0 tokens left, and 1 were asked for");
  expect(() => second.reserve(tokens(31))).toThrow("the account parent has 30 tokens left");
  second.reserve(tokens(30));
});

test("an account goes on from what was spent before", () => {
  const account = new Account({ tokens: 100, spent: { tokens: 90 } });
  expect(account.left("tokens")).toBe(10);
  expect(codeOf(() => account.reserve(tokens(11)))).toBe("kernel.account-exhausted");
});

test("what is no limit is refused, and so are more than 16 accounts above one another", () => {
  for (const limit of [-1, 0.5, Number.NaN, "9", 2 ** 53, null])
    expect(codeOf(() => new Account({ calls: limit as number }))).toBe("kernel.bad-option");
  let account = new Account();
  for (let depth = 2; depth <= 16; depth++) account = new Account({}, account);
  expect(codeOf(() => new Account({}, account))).toBe("kernel.bad-option");
});

/** One step of a history: which account, reserve how much, or settle which open reservation with what share. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("reserve" as const), account: fc.nat(4), amount: fc.nat(60) }),
    fc.record({ kind: fc.constant("settle" as const), which: fc.nat(9), share: fc.nat(100) }),
    fc.record({ kind: fc.constant("release" as const), which: fc.nat(9) }),
    fc.record({ kind: fc.constant("close" as const), account: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("crash" as const) }),
  ),
  { maxLength: 80 },
);

interface Books {
  readonly accounts: readonly Account[];
  readonly open: { readonly reserved: Reservation; readonly amount: number }[];
  settled: number;
}

/** The top, two caps below it, a part carved out of it, a part carved out of the first cap. */
function books(): Books {
  const top = new Account({ name: "top", tokens: 200 });
  const cap = new Account({ name: "cap", tokens: 120 }, top);
  const other = new Account({ name: "other" }, top);
  const carved = new Account({ name: "carved", tokens: 50, carved: true }, top);
  const deep = new Account({ name: "deep", tokens: 40, carved: true }, cap);
  return { accounts: [top, cap, other, carved, deep], open: [], settled: 0 };
}

type Step = (typeof steps extends fc.Arbitrary<infer All> ? All : never) extends readonly (infer One)[]
  ? One
  : never;

function apply(state: Books, step: Step): void {
  if (step.kind === "crash") return;
  if (step.kind === "close") {
    state.accounts[step.account]!.close();
    return;
  }
  if (step.kind === "reserve") {
    const account = state.accounts[step.account]!;
    try {
      state.open.push({ reserved: account.reserve(tokens(step.amount)), amount: step.amount });
    } catch (error) {
      expect((error as { code: string }).code).toMatch(/^kernel.account-(?:exhausted|closed)$/);
    }
    return;
  }
  const [taken] = state.open.splice(step.which, 1);
  if (taken === undefined) return;
  const cost = step.kind === "release" ? 0 : Math.floor((taken.amount * step.share) / 100);
  state.settled += cost;
  taken.reserved.settle(tokens(cost));
}

test("over random interleavings with crashes that replay what was recorded, no limit is exceeded and no amount is lost", () => {
  fc.assert(
    fc.property(steps, (history) => {
      let state = books();
      const recorded: Step[] = [];
      for (const step of history) {
        if (step.kind === "crash") {
          const before = state.accounts.map((account) => account.dump());
          state = books();
          for (const past of recorded) apply(state, past);
          expect(state.accounts.map((account) => account.dump())).toEqual(before);
        } else {
          recorded.push(step);
          apply(state, step);
        }
        for (const account of state.accounts) {
          const { spent, reserved, limits, excess } = account.dump();
          expect(spent.tokens + reserved.tokens).toBeLessThanOrEqual(limits.tokens);
          expect(excess).toEqual(NONE);
        }
      }
      for (const { reserved } of state.open) reserved.release();
      for (const account of state.accounts.slice(1)) account.close();
      const [top] = state.accounts;
      expect(top!.spent.tokens).toBe(state.settled);
      expect(top!.dump()).toMatchObject({ reserved: NONE, open: 0 });
    }),
    { numRuns: 500 },
  );
});

test("a task's calls are refused when its account has no more, before the service hears of them, and the refusal is counted", () => {
  let heard = 0;
  const service = answering("tool", () => ++heard);
  const { kernel, exit } = run(
    function* (sys, tool) {
      return yield* callsOf(() => sys.exec(tool!, 1), 5);
    },
    service,
    { name: "agent", calls: 3 },
  );
  expect(exit).toEqual(["ok", "ok", "ok", "kernel.account-exhausted", "kernel.account-exhausted"]);
  expect(heard).toBe(3);
  expect(kernel.counters().unaffordable).toBe(2);
});

test("a model call reserves what it may write, and is settled by the usage in its answer", () => {
  const service = answering("model", () => ({ usage: { total_tokens: 90, cost: 7 } }));
  const { kernel, exit } = run(
    function* (sys, model) {
      return yield* callsOf(() => sys.model(model!, { max_tokens: 100, max_cost: 10 }), 4);
    },
    service,
    { name: "agent", tokens: 300, money: 1000 },
  );
  expect(exit).toEqual(["ok", "ok", "ok", "kernel.account-exhausted"]);
  expect(kernel.accountOf()).toMatchObject({
    name: "kernel",
    spent: { calls: 3, tokens: 270, money: 21 },
    open: 0,
  });
});

test("SM1: an answer without usage costs what was reserved; SM2: a failed call costs a call and what its error states", () => {
  const unknown = run(
    function* (sys, model) {
      return yield* callsOf(() => sys.model(model!, { max_tokens: 100 }), 1);
    },
    answering("model", () => "words"),
    {},
  );
  expect(unknown.kernel.accountOf().spent.tokens).toBeGreaterThanOrEqual(100);
  const failed = run(
    function* (sys, model) {
      return yield* callsOf(() => sys.model(model!, { max_tokens: 100 }), 1);
    },
    answering("model", () => new RangeError("broken")),
    {},
  );
  expect(failed.kernel.accountOf().spent).toMatchObject({ calls: 1, tokens: 0 });
});

test("MS1: a call that is out when its task is killed costs what it reserved; one in line costs nothing", () => {
  const { kernel } = createTestKernel();
  const never = toolService(
    { run: () => new Promise<never>(() => undefined) },
    { concurrency: 1, meter: { most: () => ({ fuel: 50 }), cost: () => ({}) } },
  );
  const handle = kernel.service(never);
  const spawn = () =>
    kernel.spawn(
      function* (sys, tool: Handle | undefined) {
        yield* sys.exec(tool!, 1);
      },
      { give: [{ handle, rights: RIGHTS.exec }] },
    );
  const tasks = [spawn(), spawn()];
  while (kernel.runSlice() === "more");
  expect(kernel.accountOf()).toMatchObject({ reserved: { calls: 2, fuel: 100 }, open: 2 });
  for (const task of [...tasks].reverse()) kernel.kill(task);
  while (kernel.runSlice() === "more");
  expect(kernel.accountOf()).toMatchObject({
    spent: { calls: 1, fuel: 50 },
    reserved: { calls: 0, fuel: 0 },
    open: 0,
  });
});

test("children spend from their parent's account, and a carved one gives back when its task ends", () => {
  const { kernel, exit } = run(
    function* (sys, tool) {
      const give = [{ handle: tool!, rights: RIGHTS.exec }];
      const child = sys.spawn(
        function* (inner, own) {
          return yield* callsOf(() => inner.exec(own!, 1), 3);
        },
        { give, account: { name: "child", calls: 2, carved: true } },
      );
      const ended = yield* sys.wait(child);
      return [ended, yield* callsOf(() => sys.exec(tool!, 1), 4)];
    },
    answering("tool", () => 1),
    { name: "parent", calls: 5 },
  );
  expect(exit).toEqual([
    { kind: "ok", value: ["ok", "ok", "kernel.account-exhausted"] },
    ["ok", "ok", "ok", "kernel.account-exhausted"],
  ]);
  expect(kernel.accountOf().spent.calls).toBe(5);
});

test("accounts are on without being asked for, and dumpState shows them", () => {
  const { kernel } = createTestKernel();
  expect(kernel.accountOf().limits).toEqual({
    calls: 100_000_000,
    tokens: 1_000_000_000,
    money: Number.POSITIVE_INFINITY,
    ms: Number.POSITIVE_INFINITY,
    fuel: Number.POSITIVE_INFINITY,
  });
  kernel.spawn(
    function* (sys) {
      yield* sys.sleep(10);
    },
    { account: { name: "agent", tokens: 5 } },
  );
  while (kernel.runSlice() === "more");
  expect(kernel.dumpState().accounts.map(({ name }) => name)).toEqual(["kernel", "agent"]);
  expect(kernel.dumpState().tasks[0]?.account).toBe("agent");
});

test("a meter that states nonsense refuses the call", () => {
  const { exit } = run(
    function* (sys, model) {
      return yield* callsOf(() => sys.model(model!, {}), 1);
    },
    modelService(
      { complete: async () => ({}) },
      { meter: { most: () => ({ tokens: -1 }), cost: () => ({}) } },
    ),
    {},
  );
  expect(exit).toEqual(["kernel.bad-option"]);
});
