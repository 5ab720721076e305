/** Domains whose root task failed: how they go on, and when they do not. */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type DomainFailure,
  type DurableProgram,
  type DurableService,
  KIND,
  loggedRecords,
  type RecoveryOptions,
  type RestartEvent,
  SameFailureError,
} from "@glia-os/durable";
import { toolService } from "@glia-os/kernel/services";
import { describe, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const QUICK: RecoveryOptions = { backoff: { baseMs: 1, maxMs: 1 } };

/** Asks `step` for each item, one after the other, and returns the answers. */
function stepping(
  recovery: RecoveryOptions | undefined,
  more: Partial<DurableProgram> = {},
): DurableProgram<readonly number[]> {
  return {
    name: "stepping",
    uses: ["step"],
    ...(recovery === undefined ? {} : { recovery: { ...QUICK, ...recovery } }),
    run: (items) =>
      function* (sys, _inbox, step) {
        const answers: unknown[] = [];
        for (const item of items) answers.push(yield* sys.exec(step!, item));
        return answers;
      },
    ...more,
  };
}

/** A service whose calls fail as a test says, before they have an effect. */
class Step {
  readonly applied: string[] = [];
  /** Failures of the calls that come, in order; after them every call succeeds. */
  failures: (string | undefined)[] = [];

  service(repeatable = true): DurableService {
    const run = async (input: unknown, _cancel: unknown, key: string): Promise<unknown> => {
      const failure = this.failures.shift();
      if (failure !== undefined) throw new RangeError(failure);
      this.applied.push(key);
      return (input as number) * 2;
    };
    return { service: toolService({ run }, { name: "step" }), repeatable };
  }
}

interface Outcome {
  readonly value?: unknown;
  readonly code?: string | undefined;
  readonly error?: Error;
}

/** Let time pass until a promise settles. */
async function outcomeOf(world: TestWorld, promise: Promise<unknown> | undefined): Promise<Outcome> {
  let outcome: Outcome | undefined;
  void promise?.then(
    (value) => (outcome = { value }),
    (error: Error) => (outcome = { code: errorCodeOf(error), error }),
  );
  for (let turn = 0; turn < 20_000 && outcome === undefined; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    world.time.pass(1);
  }
  return outcome ?? { code: "nothing happened" };
}

function worldOf(
  program: DurableProgram<never>,
  step: Step,
  more: ConstructorParameters<typeof TestWorld>[3] = {},
  repeatable = true,
): TestWorld {
  return new TestWorld([program as DurableProgram], { step: step.service(repeatable) }, undefined, more);
}

async function run(
  world: TestWorld,
  program: DurableProgram<readonly number[]>,
  items = [1, 2, 3],
): Promise<Outcome> {
  const domain = await world.domains.start("d", program, items);
  return outcomeOf(world, domain.result);
}

async function restartsIn(world: TestWorld): Promise<number> {
  const records = await Array.fromAsync(loggedRecords(world.journal, "d"));
  return records.filter(({ row }) => row.kind === KIND.restart).length;
}

describe("resume", () => {
  it("goes on in the middle: the failing call is made again under its key, and no call that had an answer is", async () => {
    const step = new Step();
    step.failures = [undefined, "flaky", "otherwise"];
    const program = stepping({ onFailure: "resume" });
    const world = worldOf(program, step);
    expect(await run(world, program)).toEqual({ value: [2, 4, 6] });
    expect(step.applied).toEqual(["d:/0#1", "d:/0#2", "d:/0#3"]);
    expect(await restartsIn(world)).toBe(2);
  });

  it("a domain that was restarted is recovered like any other, at every later place and after its end", async () => {
    const step = new Step();
    step.failures = [undefined, "flaky"];
    const program = stepping({ onFailure: "resume" }, {
      run: (items: readonly number[]) =>
        function* (sys, inbox, service) {
          const answers = [yield* sys.exec(service!, items[0]), yield* sys.exec(service!, items[1])];
          yield* sys.receive(inbox!);
          return [...answers, yield* sys.exec(service!, items[2])];
        },
    } as Partial<DurableProgram>);
    const world = worldOf(program, step);
    await world.domains.start("d", program, [1, 2, 3]);
    await outcomeOf(
      world,
      world.until(async () => step.applied.length === 2).then(() => world.time.pass(5)),
    );
    await world.restart().recover();
    await world.domains.get("d")?.tell("on");
    expect(await outcomeOf(world, world.domains.get("d")?.result)).toEqual({ value: [2, 4, 6] });
    const report = await world.restart().recover();
    expect(report).toEqual({ resumed: [], ended: ["d"], refused: [] });
    expect(await world.domains.get("d")?.result).toEqual([2, 4, 6]);
    expect(step.applied).toEqual(["d:/0#1", "d:/0#2", "d:/0#3"]);
  });

  it("RS3: a call that may have happened is not made again, and the failure stands", async () => {
    const step = new Step();
    step.failures = ["no"];
    const program = stepping({ onFailure: "resume" });
    const world = worldOf(program, step, {}, false);
    expect((await run(world, program)).code).toBe("durable.same-failure");
    expect(step.applied).toEqual([]);
  });

  it("messages that came in before the failure are there, and one that comes in during the restart waits for it", async () => {
    const step = new Step();
    step.failures = ["flaky"];
    const program = stepping({ onFailure: "resume", backoff: { baseMs: 1000, maxMs: 1000 } }, {
      run: () =>
        function* (sys, inbox, service) {
          yield* sys.receive(inbox!);
          yield* sys.exec(service!, 1);
          return [yield* sys.receive(inbox!), yield* sys.receive(inbox!)];
        },
    } as Partial<DurableProgram>);
    const world = worldOf(program, step);
    const domain = await world.domains.start("d", program, []);
    await Promise.all([domain.tell("go"), domain.tell("before")]);
    await world.until(async () => (await restartsIn(world)) === 1);
    expect(domain.state).toBe("running");
    const told = domain.tell("meanwhile");
    expect(await outcomeOf(world, domain.result)).toEqual({ value: ["before", "meanwhile"] });
    await told;
  });

  it("RS4: what a call cost that is made again stays spent", async () => {
    const step = new Step();
    step.failures = ["flaky", "flakier"];
    const program = stepping({ onFailure: "resume" }, { account: { calls: 4 } });
    const world = worldOf(program, step);
    // Five calls in all, where four are allowed: the third item's call is refused.
    expect((await run(world, program)).code).toBe("durable.same-failure");
    expect(step.applied.length).toBe(2);
  });
});

describe("what a restart leaves", () => {
  /** A child sleeps a second from the start, while the root task makes calls that may fail. */
  const withChild = (onFailure: RecoveryOptions["onFailure"]): DurableProgram<readonly number[]> =>
    stepping({ onFailure: onFailure ?? "escalate" }, {
      run: () =>
        function* (sys, _inbox, service) {
          const begun = sys.now();
          const child = sys.spawn(function* (own) {
            yield* own.sleep(1_000);
            return own.now() - begun;
          });
          yield* sys.exec(service!, 1);
          yield* sys.sleep(400);
          yield* sys.exec(service!, 2);
          const exit = yield* sys.wait(child);
          return exit.kind === "ok" ? exit.value : exit.kind;
        },
    } as Partial<DurableProgram>);

  it("resumed, children and timers are as they were", async () => {
    const step = new Step();
    step.failures = [undefined, "flaky"];
    const program = withChild("resume");
    const { value } = await run(worldOf(program, step), program);
    expect(value).toBeGreaterThanOrEqual(1_000);
    expect(value).toBeLessThan(1_100);
  });

  it("begun afresh, they begin anew", async () => {
    const step = new Step();
    step.failures = [undefined, "flaky"];
    const program = withChild("fresh");
    const world = worldOf(program, step);
    const begunMs = world.time.nowMs;
    const { value } = await run(world, program);
    expect(value).toBeGreaterThanOrEqual(1_000);
    expect(value).toBeLessThan(1_100);
    expect(world.time.nowMs - begunMs).toBeGreaterThanOrEqual(1_400);
  });

  it("RS4: begun afresh, what was spent stays spent", async () => {
    const step = new Step();
    step.failures = [undefined, "flaky"];
    const program = stepping({ onFailure: "fresh" }, { account: { calls: 4 } });
    expect((await run(worldOf(program, step), program)).error?.message).toContain("calls");
    expect(step.applied.length).toBe(3);
  });
});

describe("a failure that repeats", () => {
  it("RP2: the same error at the same call is not tried a third time; the error names place, call and way out, also after a restart", async () => {
    const step = new Step();
    step.failures = [undefined, "broken", "broken", "broken"];
    const program = stepping({ onFailure: "resume" });
    const world = worldOf(program, step);
    const { error } = await run(world, program);
    expect(error).toBeInstanceOf(SameFailureError);
    const { message, fix, details } = error as SameFailureError;
    expect(message).toMatch(
      /^d failed 2 times in a row at record \d+, exec of step by \/0 \(call d:\/0#2\): broken/,
    );
    expect(fix).toMatch(/glia fork.*glia rollback.*glia upgrade/);
    expect(details).toMatchObject({ domain: "d", times: 2, at: { name: "/0#2" } });
    expect(step.failures).toEqual(["broken"]);
    await world.restart().recover();
    expect(world.domains.get("d")?.state).toBe("ended");
    const again = await outcomeOf(world, world.domains.get("d")?.result);
    expect([again.code, again.error?.message]).toEqual(["durable.same-failure", message]);
  });

  it("RP2: counting goes on over the end of the process", async () => {
    const step = new Step();
    step.failures = ["broken", "broken"];
    const program = stepping({ onFailure: "resume", backoff: { baseMs: 1000, maxMs: 1000 } });
    const world = worldOf(program, step);
    await world.domains.start("d", program, [1]);
    await world.until(async () => (await restartsIn(world)) === 1);
    await world.restart().recover();
    expect((await outcomeOf(world, world.domains.get("d")?.result)).code).toBe("durable.same-failure");
    expect(step.failures).toEqual([]);
  });

  it("RP1: errors that differ are tried up to the intensity", async () => {
    const step = new Step();
    step.failures = ["a", "b", "c", "d", "e"];
    const program = stepping({ onFailure: "resume", intensity: 3 });
    const world = worldOf(program, step);
    expect((await run(world, program)).code).toBe("durable.too-many-restarts");
    expect(step.failures).toEqual(["e"]);
  });

  it("RP1: restarts that are longer ago than the period do not count", async () => {
    const step = new Step();
    step.failures = ["a", "b", "c", "d", "e"];
    const slow = { baseMs: 500, maxMs: 500 };
    const program = stepping({ onFailure: "resume", intensity: 1, periodMs: 1, backoff: slow });
    expect(await run(worldOf(program, step), program, [1])).toEqual({ value: [2] });
  });

  it("RP2: an error that says it may pass is tried up to the intensity, however often it is the same", async () => {
    const step = new Step();
    const program = stepping({ onFailure: "resume", intensity: 4 }, {
      run: () =>
        function* (sys, _inbox, service) {
          yield* sys.exec(service!, 1);
        },
    } as Partial<DurableProgram>);
    const failing: DurableService = {
      service: toolService({
        run: async () => {
          step.applied.push("tried");
          throw Object.assign(new (await import("@glia-os/kernel")).MailboxFullError(1));
        },
      }),
      repeatable: true,
    };
    const world = new TestWorld([program as DurableProgram], { step: failing });
    const { code } = await run(world, program);
    expect([code, step.applied.length]).toEqual(["durable.too-many-restarts", 5]);
  });

  it("an error of the program itself comes back from the journal at once, and stops being tried", async () => {
    let runs = 0;
    const program = stepping({ onFailure: "resume" }, {
      run: () => {
        runs += 1;
        return function* (sys, _inbox, service) {
          yield* sys.exec(service!, 1);
          throw new TypeError("a mistake");
        };
      },
    } as Partial<DurableProgram>);
    const step = new Step();
    const world = worldOf(program, step);
    const { code, error } = await run(world, program);
    expect(code).toBe("durable.same-failure");
    expect(error?.message).toContain("a mistake");
    expect(step.applied).toEqual(["d:/0#1"]);
    expect(runs).toBeLessThan(8);
  });
});

describe("fresh", () => {
  it("begins a new incarnation: every call is made anew under a new key, messages nobody took stay", async () => {
    const step = new Step();
    step.failures = [undefined, "broken"];
    const program = stepping({ onFailure: "fresh" }, {
      run: (items: readonly number[]) =>
        function* (sys, inbox, service) {
          const answers = [yield* sys.exec(service!, items[0]), yield* sys.exec(service!, items[1])];
          return [...answers, yield* sys.receive(inbox!)];
        },
    } as Partial<DurableProgram>);
    const world = worldOf(program, step);
    const domain = await world.domains.start("d", program, [1, 2]);
    await domain.tell("kept");
    expect(await outcomeOf(world, domain.result)).toEqual({ value: [2, 4, "kept"] });
    expect(step.applied).toEqual(["d:/0#1", "d:/0#1.1", "d:/0#1.2"]);
    await world.restart().recover();
    expect(await world.domains.get("d")?.result).toEqual([2, 4, "kept"]);
  });

  it("RP2: it does not help against a failure that comes back in every incarnation, and stops", async () => {
    const step = new Step();
    step.failures = [undefined, "broken", undefined, "broken", undefined, "broken"];
    const program = stepping({ onFailure: "fresh" });
    expect((await run(worldOf(program, step), program)).code).toBe("durable.same-failure");
    expect(step.applied).toEqual(["d:/0#1", "d:/0#1.1"]);
  });

  it("takes another input where one is given", async () => {
    const step = new Step();
    step.failures = ["broken"];
    const program = stepping({ onFailure: () => ({ choice: "fresh", input: [7] }) });
    expect(await run(worldOf(program, step), program)).toEqual({ value: [14] });
  });
});

describe("replace", () => {
  it("goes on as if the failing call had come to this; nothing is performed", async () => {
    const step = new Step();
    step.failures = [undefined, "broken"];
    const program = stepping({ onFailure: () => ({ choice: "replace", result: "none" }) });
    const world = worldOf(program, step, {}, false);
    expect(await run(world, program)).toEqual({ value: [2, "none", 6] });
    expect(step.applied).toEqual(["d:/0#1", "d:/0#3"]);
    await world.restart().recover();
    expect(await world.domains.get("d")?.result).toEqual([2, "none", 6]);
  });

  it("a result that is no answer of the service, or no plain data, is refused by name and escalates", async () => {
    for (const [result, code] of [
      ["text", "durable.not-replaceable"],
      [() => 1, "durable.not-recordable"],
    ] as const) {
      const step = new Step();
      step.failures = ["broken"];
      const program = stepping({ onFailure: () => ({ choice: "replace", result }) });
      const service: DurableService = {
        ...step.service(),
        faultIn: (answer) => (typeof answer === "string" ? "it is no number" : undefined),
      };
      const world = new TestWorld([program as DurableProgram], { step: service });
      expect((await run(world, program)).code).toBe(code);
      await world.restart().recover();
      expect((await outcomeOf(world, world.domains.get("d")?.result)).code).toBe(code);
    }
  });

  it("a failure that was no call's outcome has no result to replace", async () => {
    const program = stepping({ onFailure: () => ({ choice: "replace", result: 1 }) }, {
      run: () =>
        function* () {
          throw new TypeError("at once");
        },
    } as Partial<DurableProgram>);
    expect((await run(worldOf(program, new Step()), program)).code).toBe("durable.not-replaceable");
  });
});

describe("the choice", () => {
  it("RV5: is told before it is recorded; what hears of it can keep the domain as it is", async () => {
    const step = new Step();
    step.failures = ["broken"];
    const events: RestartEvent[] = [];
    const program = stepping({ onFailure: "resume" });
    const world = worldOf(program, step, {
      onRestart: (event) => {
        events.push(event);
        if (events.length === 1) throw new RangeError("no disk");
      },
    });
    expect((await run(world, program)).error?.message).toBe("no disk");
    expect(await restartsIn(world)).toBe(0);
    await world.restart().recover();
    expect(await outcomeOf(world, world.domains.get("d")?.result)).toEqual({ value: [2, 4, 6] });
    expect(events.at(-1)).toMatchObject({ domain: "d", program: "stepping", choice: "resume", times: 1 });
  });

  it("gets the failure as plain data", async () => {
    const step = new Step();
    step.failures = [undefined, "broken", "broken differently"];
    const seen: DomainFailure[] = [];
    const program = stepping({
      onFailure: (failure) => {
        seen.push(structuredClone(failure));
        return seen.length === 1 ? "resume" : "escalate";
      },
    });
    const world = worldOf(program, step);
    expect((await run(world, program)).error?.message).toBe("broken differently");
    expect(
      seen.map(({ times, restarts, mayTryAgain, at }) => [times, restarts, mayTryAgain, at.name]),
    ).toEqual([
      [1, 0, true, "/0#2"],
      [1, 1, true, "/0#2"],
    ]);
    expect(seen[0]?.error.message).toBe("broken");
  });

  it("RV6: a policy that throws or answers rubbish escalates, and says so after a restart too", async () => {
    for (const [onFailure, code] of [
      [() => "later", "kernel.bad-restart-choice"],
      [
        () => {
          throw new TypeError("mine");
        },
        undefined,
      ],
    ] as const) {
      const step = new Step();
      step.failures = ["broken"];
      const program = stepping({ onFailure: onFailure as never });
      const world = worldOf(program, step);
      expect((await run(world, program)).code).toBe(code);
      await world.restart().recover();
      expect((await outcomeOf(world, world.domains.get("d")?.result)).code).toBe(code ?? "abi.unexpected");
    }
  });

  it("options out of range are refused before anything starts", async () => {
    for (const recovery of [
      { intensity: -1 },
      { intensity: 101 },
      { periodMs: 0 },
      { sameFailureLimit: 1 },
      { backoff: { baseMs: 10, maxMs: 1 } },
      null,
    ] as never[])
      expect(() => worldOf({ ...stepping(undefined), recovery } as never, new Step())).toThrowError(
        /the program was refused/,
      );
  });

  it("a domain that was cancelled, or has no policy, ends as before", async () => {
    const step = new Step();
    step.failures = ["broken"];
    const plain = stepping(undefined);
    expect((await run(worldOf(plain, step), plain)).error?.message).toBe("broken");
    const waiting = stepping({ onFailure: "resume" }, {
      run: () =>
        function* (sys, inbox) {
          yield* sys.receive(inbox!);
        },
    } as Partial<DurableProgram>);
    const world = worldOf(waiting, step);
    const domain = await world.domains.start("d", waiting, []);
    await domain.cancel("enough");
    expect((await outcomeOf(world, domain.result)).code).toBe("kernel.cancelled");
    expect(await restartsIn(world)).toBe(0);
  });
});

describe("on request", () => {
  it("a failed domain is resumed, replaced or begun afresh; another is refused by name", async () => {
    const step = new Step();
    step.failures = [undefined, "a", "b", "c"];
    const program = stepping(undefined);
    const world = worldOf(program, step);
    await run(world, program);
    expect(
      (await outcomeOf(world, (await world.domains.restart("d", "resume"))?.result)).error?.message,
    ).toBe("b");
    const other = await world.domains.restart("d", { choice: "replace", result: 0 });
    expect((await outcomeOf(world, other?.result)).error?.message).toBe("c");
    await world.restart().recover();
    const fresh = await world.domains.restart("d", "fresh");
    expect(await outcomeOf(world, fresh?.result)).toEqual({ value: [2, 4, 6] });
    const codes = [
      world.domains.restart("d", "resume"),
      world.domains.restart("nobody", "fresh"),
      world.domains.restart("d", "again" as never),
    ].map((each) => each.catch(errorCodeOf));
    expect(await Promise.all(codes)).toEqual([
      "durable.not-failed",
      "durable.domain-unknown",
      "kernel.bad-restart-choice",
    ]);
    expect(await outcomeOf(world, (await world.domains.restart("d", "fresh"))?.result)).toEqual({
      value: [2, 4, 6],
    });
  });

  it("asking again as the same changes nothing", async () => {
    const step = new Step();
    step.failures = ["a", "b", "c"];
    const program = stepping(undefined);
    const world = worldOf(program, step);
    await run(world, program);
    await outcomeOf(world, (await world.domains.restart("d", "resume", "once"))?.result);
    const again = await outcomeOf(world, (await world.domains.restart("d", "resume", "once"))?.result);
    expect([again.error?.message, step.failures]).toEqual(["b", ["c"]]);
  });

  it("with the journal of another program, or one whose code changed, nothing is written", async () => {
    const step = new Step();
    step.failures = [undefined, "a"];
    const program = stepping(undefined, { version: "1" });
    const world = worldOf(program, step);
    await run(world, program);
    const before = await world.journal.head("d");
    const changed = { ...program, version: "2" } as DurableProgram;
    const other = { ...program, version: "1", run: () => function* () {} } as unknown as DurableProgram;
    for (const [programs, code] of [
      [[], "durable.program-unknown"],
      [[changed], "durable.program-changed"],
      [[other], "durable.diverged"],
    ] as const) {
      world.restart(programs as never);
      expect(await world.domains.restart("d", "resume").catch(errorCodeOf)).toBe(code);
    }
    expect(await world.journal.head("d")).toEqual(before);
  });
});
