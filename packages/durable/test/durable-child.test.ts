/** Durable domains as children of supervisors: of a plain kernel, and of one that is durable itself. */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type DomainServiceOptions,
  type DurableChildOptions,
  type DurableProgram,
  type DurableService,
  domainService,
  durableChild,
} from "@glia-os/durable";
import type { Exit, Handle, Kernel, Routine, Sys } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { type SupervisorOptions, supervisor } from "@glia-os/kernel/supervision";
import { createTestKernel } from "@glia-os/kernel/testing";
import { describe, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

/** Fails as it is told to, before it has an effect. */
class Step {
  readonly applied: string[] = [];
  failures: (string | undefined)[] = [];

  get service(): DurableService {
    const run = async (input: unknown, _cancel: unknown, key: string): Promise<unknown> => {
      const failure = this.failures.shift();
      if (failure !== undefined) throw new RangeError(failure);
      this.applied.push(key);
      return input;
    };
    return { service: toolService({ run }, { name: "step" }), repeatable: true };
  }
}

const work: DurableProgram<number> = {
  name: "work",
  uses: ["step"],
  run: (steps) =>
    function* (sys, _inbox, step): Routine<number> {
      for (let i = 0; i < steps; i++) yield* sys.exec(step!, i);
      return steps;
    },
};

type Child = Partial<DurableChildOptions>;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A supervisor with durable children on a kernel beside a world of domains. */
class Tree {
  readonly kernel: Kernel;
  exit: Exit | undefined;
  readonly #world: TestWorld;
  readonly #clock: { advance(ms: number): void };

  constructor(world: TestWorld, children: readonly Child[], options: Partial<SupervisorOptions> = {}) {
    this.#world = world;
    const { kernel, clock } = createTestKernel();
    this.kernel = kernel;
    this.#clock = clock;
    const offer: DomainServiceOptions = { domains: () => world.domains, programs: [work as DurableProgram] };
    const domains = kernel.service(domainService(offer).service);
    const root = kernel.spawn(
      function* (sys: Sys, service: Handle): Routine<void> {
        const specs = children.map((child, i) =>
          durableChild(`d${i}`, {
            domains: service,
            program: "work",
            input: 3,
            restart: "transient",
            ...child,
          }),
        );
        yield* supervisor({ intensity: 10, children: specs, ...options })(sys);
      },
      { give: [domains] },
    );
    kernel.onExit(root, (exit) => {
      this.exit = exit;
    });
  }

  /** Let both go on until something holds. */
  async until(holds: () => boolean): Promise<void> {
    for (let i = 0; i < 5_000 && !holds(); i++) {
      this.kernel.runSlice(1024);
      this.#clock.advance(1);
      await turn();
      this.#world.time.pass(1);
    }
    expect(holds()).toBe(true);
  }

  get reason(): unknown {
    return this.exit?.kind === "failed" ? this.exit.error : undefined;
  }
}

function ended(world: TestWorld, name: string): boolean {
  return world.domains.get(name)?.state === "ended";
}

describe("under a supervisor", () => {
  it("DC2: a durable child that fails goes on in the middle, and nothing that had an answer is repeated", async () => {
    const step = new Step();
    step.failures = [undefined, "a", "b"];
    const world = new TestWorld([work as DurableProgram], { step: step.service });
    await new Tree(world, [{}]).until(() => step.applied.length === 3);
    expect(await world.domains.get("d0")?.result).toBe(3);
    expect(step.applied).toEqual(["d0:/0#1", "d0:/0#2", "d0:/0#3"]);
  });

  it("DC2: it begins afresh, or goes on with another result, where that is chosen", async () => {
    for (const [onFailure, applied] of [
      ["fresh", ["d0:/0#1", "d0:/0#1.1", "d0:/0#1.2", "d0:/0#1.3"]],
      [() => ({ choice: "replace", result: 0 }), ["d0:/0#1", "d0:/0#3"]],
    ] as const) {
      const step = new Step();
      step.failures = [undefined, "a"];
      const world = new TestWorld([work as DurableProgram], { step: step.service });
      await new Tree(world, [{ onFailure } as Child]).until(() => step.applied.length === applied.length);
      expect(step.applied).toEqual(applied);
    }
  });

  it("DC3: a failure that repeats escalates with its place, whatever restarts are left", async () => {
    const step = new Step();
    step.failures = [undefined, "broken", "broken", "broken"];
    const world = new TestWorld([work as DurableProgram], { step: step.service });
    const tree = new Tree(world, [{}]);
    await tree.until(() => tree.exit !== undefined);
    const { shutdown } = (tree.reason as { reason: { shutdown: Error } }).reason;
    expect(errorCodeOf(shutdown)).toBe("durable.domain-failed");
    expect(shutdown.message).toMatch(
      /failed 2 times in a row at record \d+, exec of step by \/0 \(call d0:\/0#2\): broken/,
    );
    expect(step.failures).toEqual(["broken"]);
  });

  it("the intensity of the supervisor holds, and its failure ends the siblings, which go on at the next start", async () => {
    const step = new Step();
    step.failures = ["a", "b", "c", "d"];
    const world = new TestWorld([work as DurableProgram], { step: step.service });
    const tree = new Tree(world, [{}], { intensity: 2 });
    await tree.until(() => tree.exit !== undefined);
    expect((tree.reason as { reason: unknown }).reason).toBe("shutdown");
    expect(step.failures).toEqual(["d"]);
    await new Tree(world, [{}]).until(() => step.applied.length === 3);
    expect(await world.domains.get("d0")?.result).toBe(3);
  });

  it("DV3: a child that its supervisor ends is stopped, not ended", async () => {
    const world = new TestWorld([work as DurableProgram], {
      step: { service: toolService({ run: () => new Promise(() => {}) }), repeatable: true },
    });
    const tree = new Tree(world, [{}]);
    await tree.until(() => world.domains.get("d0")?.state === "running");
    tree.kernel.shutdown(0);
    await tree.until(() => world.domains.get("d0") === undefined);
    expect((await world.domains.resume("d0"))?.state).toBe("running");
  });

  it("permanent: a domain that ended as it should begins afresh; temporary: one that failed is left", async () => {
    const step = new Step();
    const world = new TestWorld([work as DurableProgram], { step: step.service });
    await new Tree(world, [{ restart: "permanent", input: 1 }]).until(() => step.applied.length >= 3);
    expect(step.applied.slice(0, 3)).toEqual(["d0:/0#1", "d0:/0#1.1", "d0:/0#2.1"]);
    const failing = new Step();
    failing.failures = ["a"];
    const other = new TestWorld([work as DurableProgram], { step: failing.service });
    await new Tree(other, [{ restart: "temporary" }]).until(() => ended(other, "d0"));
    expect(failing.applied).toEqual([]);
  });

  it("DV4: what is no request, another program and a prefix: refused, or kept apart", async () => {
    const step = new Step();
    const world = new TestWorld([work as DurableProgram], { step: step.service });
    const { kernel } = createTestKernel();
    const offer = { domains: () => world.domains, programs: [work as DurableProgram], prefix: "mine/" };
    const handle = kernel.service(domainService(offer).service);
    const asked = (request: unknown): Promise<unknown> =>
      new Promise((resolve) => {
        const task = kernel.spawn(
          function* (sys: Sys, service: Handle): Routine<unknown> {
            return yield* sys.exec(service, request);
          },
          { give: [handle] },
        );
        kernel.onExit(task, (exit) =>
          resolve(
            exit.kind === "ok" ? exit.value : exit.kind === "failed" ? errorCodeOf(exit.error) : exit.kind,
          ),
        );
      });
    const results = [
      7,
      {},
      { domain: "d", program: "other", input: 1 },
      { domain: "d", program: "work", input: 1, restart: {} },
      { domain: "d", program: "work", input: 1, restart: { id: "x", choice: "later" } },
      { domain: "d", program: "work", input: 1 },
    ].map(asked);
    let settled = false;
    void Promise.all(results).then(() => (settled = true));
    for (let i = 0; i < 1_000 && !settled; i++) {
      kernel.runSlice(1024);
      await turn();
    }
    const bad = "durable.bad-domain-request";
    expect(await Promise.all(results)).toEqual([bad, bad, bad, bad, "kernel.bad-restart-choice", 1]);
    expect(step.applied).toEqual(["mine/d:/0#1"]);
  });
});

/** A supervisor as a durable program, with two durable children. */
const boss: DurableProgram<null> = {
  name: "boss",
  uses: ["domains"],
  run: () =>
    function* (sys, _inbox, domains): Routine<string> {
      const tree = function* (own: Sys, service: Handle): Routine<void> {
        const children = ["a", "b"].map((id) =>
          durableChild(id, { domains: service, program: "work", input: 3, restart: "transient" }),
        );
        yield* supervisor({ intensity: 10, children })(own);
      };
      sys.spawn(tree, { give: [domains!] });
      yield* sys.sleep(30_000);
      return "done";
    },
};

describe("under a supervisor that is durable", () => {
  it("DV2: wherever the process ends, every step has one key, and none is left out", async () => {
    // The process ends after so many turns, again and again: at every place of the course, and between.
    for (let every = 1; every <= 12; every++) {
      const step = new Step();
      step.failures = [undefined, "a", undefined, "b", "c"];
      const programs = [boss, work] as DurableProgram[];
      const world: TestWorld = new TestWorld(programs, {
        step: step.service,
        domains: domainService({ domains: () => world.domains, programs: [work as DurableProgram] }),
      });
      await world.domains.start("boss", boss, null);
      for (let restarts = 0; restarts < 400 && new Set(step.applied).size < 6; restarts++) {
        for (let i = 0; i < every + restarts; i++) await turn();
        const { refused } = await world.restart().recover();
        expect(refused).toEqual([]);
      }
      world.time.pass(30_000);
      expect(await world.domains.get("boss")?.result).toBe("done");
      expect([...new Set(step.applied)].sort()).toEqual(
        ["a", "b"].flatMap((id) => [1, 2, 3].map((i) => `${id}:/0#${i}`)),
      );
    }
  });
});
