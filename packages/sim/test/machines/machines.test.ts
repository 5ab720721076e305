import {
  exploreMachines,
  MACHINE_SCENARIOS,
  MACHINES_MAX,
  type MachineFault,
  type MachinesSimulation,
  type SimulateMachinesOptions,
  simulate,
  simulateAsync,
} from "@glia-os/sim";
import { describe, expect, it } from "vitest";
import { EVENTS_PENDING_MAX, EventQueue, MachineEvent } from "../../src/machines/event-queue.ts";
import { HELD_PACKETS_MAX } from "../../src/machines/simulated-machine.ts";
import { codeOf } from "../code-of.ts";
import { type ChatterProcess, chatter } from "./chatter.ts";

/** What the seed "pinned" gives: trace, events, deliveries. Changes only with the simulator itself. */
const PINNED = ["a66ef2ac0349bcc0", 71_817, 33_937];

type Options = Partial<SimulateMachinesOptions<Uint8Array, ChatterProcess>>;

function run(options: Options = {}): MachinesSimulation<ChatterProcess> {
  return simulate({ seed: 1, nodes: 3, boot: chatter(), durationMs: 1000, ...options });
}

const logOf = ({ world }: MachinesSimulation<ChatterProcess>, machine: number): readonly string[] =>
  world.machines[machine]?.process?.log ?? [];

const heard = (result: MachinesSimulation<ChatterProcess>, machine: number): readonly string[] =>
  logOf(result, machine).filter((line) => line.includes(":"));

describe("simulated machines", () => {
  it("SR1: every scenario gives the same trace twice, and another one with another seed", () => {
    for (const scenario of Object.keys(MACHINE_SCENARIOS)) {
      const hash = (seed: number): string =>
        simulate({ seed, nodes: 5, boot: chatter(), scenario }).traceHash;
      expect(hash(1), scenario).toBe(hash(1));
      expect(hash(1), scenario).not.toBe(hash(2));
    }
  });

  it("SR1: the trace hash of a seed is this one, on every engine", () => {
    const result = simulate({ seed: "pinned", nodes: 8, boot: chatter(), scenario: "chaos" });
    expect([result.traceHash, result.events, result.messages.delivered]).toEqual(PINNED);
  });

  it("SR1: the schedule that was drawn, given as a list, is the same run", () => {
    const drawn = simulate({ seed: 3, nodes: 5, boot: chatter(), scenario: "chaos" });
    expect(drawn.faults.length).toBeGreaterThan(10);
    const listed: readonly MachineFault[] = JSON.parse(JSON.stringify(drawn.faults));
    const again = simulate({ seed: 3, nodes: 5, boot: chatter(), scenario: "chaos", faults: listed });
    expect(again.traceHash).toBe(drawn.traceHash);
  });

  it("SM1: a killed machine is silent until it boots again, and nothing of the old boot goes on", () => {
    const lines: string[] = [];
    run({
      boot: chatter({ onLog: (line) => lines.push(line) }),
      faults: [
        { kind: "crash", atMs: 250, machine: 0 },
        { kind: "restart", atMs: 650, machine: 0 },
      ],
    });
    expect(lines.filter((line) => line === "0.1 tick")).toHaveLength(2);
    expect(lines.filter((line) => line === "0.2 tick")).toHaveLength(3);
    expect(lines.filter((line) => line.startsWith("1.1 0:"))).toHaveLength(5);
  });

  it("a crash with reset, a reset and a new address tell both ends", () => {
    const crashed = run({ faults: [{ kind: "crash", atMs: 250, machine: 0, reset: true }] });
    expect([logOf(crashed, 1), logOf(crashed, 2)].every((log) => log.includes("reset 0"))).toBe(true);
    const silent = run({ faults: [{ kind: "crash", atMs: 250, machine: 0 }] });
    expect(logOf(silent, 1)).not.toContain("reset 0");
    const reset = run({ faults: [{ kind: "reset", atMs: 250, a: 0, b: 2 }] });
    expect([logOf(reset, 0).includes("reset 2"), logOf(reset, 2).includes("reset 0")]).toEqual([true, true]);
    const moved = run({ faults: [{ kind: "address", atMs: 250, machine: 1 }] });
    expect([0, 2].every((machine) => logOf(moved, machine).includes("reset 1"))).toBe(true);
  });

  it("SM2: what waits while a machine stands still comes in the order of the flavour", () => {
    const order = (flavour: "timers-first" | "packets-first" | "io-only"): string => {
      const result = run({ faults: [{ kind: "stall", atMs: 210, forMs: 500, machine: 1, flavour }] });
      const log = logOf(result, 1);
      return log
        .slice(4, 12)
        .map((line) => (line === "tick" ? "t" : "p"))
        .join("");
    };
    expect(order("timers-first").slice(0, 6)).toBe("tppppp");
    expect(order("packets-first").slice(0, 6)).toBe("pppppt");
    expect(order("io-only").slice(0, 5)).toBe("ttttt");
  });

  it("SM2: of the datagrams for a machine that stands still, a socket's buffer is kept", () => {
    const flood = (machine: Parameters<ReturnType<typeof chatter>>[0]): ChatterProcess => {
      const process = chatter({ everyMs: 900 })(machine);
      if (machine.index === 0)
        for (let i = 0; i < HELD_PACKETS_MAX + 100; i++) machine.send(1, "datagram", Uint8Array.of(9));
      return process;
    };
    const faults: MachineFault[] = [
      { kind: "stall", atMs: 0, forMs: 500, machine: 1, flavour: "packets-first" },
    ];
    const result = run({ boot: flood, faults, durationMs: 800 });
    expect(heard(result, 1)).toHaveLength(HELD_PACKETS_MAX);
  });

  it("SM3: timers keep to the machine's own clock when its drift changes", () => {
    const ticks = (ppm: number): number =>
      logOf(run({ durationMs: 100_000, faults: [{ kind: "drift", atMs: 50, machine: 0, ppm }] }), 0).filter(
        (line) => line === "tick",
      ).length;
    expect(ticks(0)).toBe(1000);
    expect(ticks(100_000)).toBeGreaterThan(1095);
    expect(ticks(-100_000)).toBeLessThan(905);
  });

  it("a wall clock steps without its timers, and an act reaches the program", () => {
    const result = run({
      faults: [
        { kind: "wall-step", atMs: 500, machine: 2, byMs: -60_000 },
        { kind: "act", atMs: 500, machine: 2, name: "leave" },
      ],
    });
    const [first, , third] = result.world.machines;
    expect((third?.clock.wallMs() ?? 0) - (first?.clock.wallMs() ?? 0)).toBe(-60_000);
    expect(logOf(result, 2).filter((line) => line === "tick")).toHaveLength(10);
    expect(logOf(result, 2)).toContain("act leave");
  });

  it("a partition, a one-way block and a clog do what they say, and end", () => {
    const cut = run({ faults: [{ kind: "partition", atMs: 250, forMs: 500, groups: [[0]] }] });
    expect([heard(cut, 0).length, heard(cut, 1).length, heard(cut, 2).length]).toEqual([4, 4, 9]);
    const oneWay = run({ faults: [{ kind: "block", atMs: 250, forMs: 500, from: [0], to: [1] }] });
    expect([heard(oneWay, 1).length, heard(oneWay, 2).length]).toEqual([4, 9]);
    const clogged = run({
      durationMs: 700,
      faults: [{ kind: "clog", atMs: 250, forMs: 400, from: 0, to: 1 }],
    });
    expect(heard(clogged, 1)).toHaveLength(6);
    expect(run({ durationMs: 600, faults: clogged.faults }).world.machines[1]?.process?.heard).toBe(2);
  });

  it("SN1: datagrams are lost, doubled and changed at the rates of the network", () => {
    const bad = run({
      durationMs: 100_000,
      network: { loss: 0.3, duplication: 0.2, corruption: 0.1 },
    }).messages;
    expect(bad.lost / bad.sent).toBeCloseTo(0.3, 1);
    expect(bad.duplicated / (bad.sent - bad.lost)).toBeCloseTo(0.2, 1);
    expect(bad.corrupted / (bad.sent - bad.lost)).toBeCloseTo(0.1, 1);
  });

  it("SN1: streams arrive once and in order under loss, doubling and jitter", () => {
    const network = { loss: 0.3, duplication: 0.5, jitterMs: 80, slow: 0.02 };
    const result = run({ boot: chatter({ trafficClass: "request" }), durationMs: 20_000, network });
    const numbers = heard(result, 1).map((line) => Number(line.split(":")[1]));
    expect(numbers.length).toBeGreaterThan(100);
    expect(numbers).toEqual(numbers.map((_, i) => i & 255));
  });

  it("a stream breaks, and both ends are told, across a cut", () => {
    const result = run({
      boot: chatter({ trafficClass: "request" }),
      durationMs: 3000,
      faults: [{ kind: "block", atMs: 250, forMs: 3000, from: [1], to: [0] }],
    });
    expect(logOf(result, 0)).toContain("reset 1");
    expect(logOf(result, 1)).toContain("reset 0");
  });

  it("weather comes and goes", () => {
    const faults: MachineFault[] = [{ kind: "weather", atMs: 250, forMs: 500, network: { loss: 1 } }];
    expect(heard(run({ faults }), 1)).toHaveLength(4);
  });

  it("SR3: a program that throws is a violation, and so is what the check says", () => {
    const boot = (): ChatterProcess => {
      throw new RangeError("no disk");
    };
    expect(run({ boot }).violation?.what).toBe("machine 0 threw no disk at its boot");
    const checked = run({ check: ({ nowMs }) => (nowMs >= 500 ? "late" : undefined), checkEveryMs: 100 });
    expect(checked.violation).toEqual({ atMs: 500, what: "late" });
    expect(run({ eventsMax: 10 }).outcome).toBe("events");
    expect(run().outcome).toBe("time");
  });

  it("programs that use promises get their microtasks between events", async () => {
    const turn = (): Promise<void> => new Promise((done) => queueMicrotask(() => process.nextTick(done)));
    const steps: number[] = [];
    const boot: typeof chatter extends () => infer Boot ? Boot : never = (machine) => {
      const inner = chatter()(machine);
      const wait = async (): Promise<void> => {
        for (let i = 0; i < 3; i++) {
          await new Promise<void>((resolve) => machine.timers.schedule(10, resolve));
          steps.push(machine.clock.monotonicMs());
        }
      };
      if (machine.index === 0) void wait();
      return inner;
    };
    const result = await simulateAsync({ seed: 1, nodes: 2, boot, durationMs: 100 }, turn);
    expect(steps).toEqual([10, 20, 30]);
    expect(result.virtualMs).toBe(100);
  });
});

describe("exploring simulated machines", () => {
  it("XM1: a failure is shrunk to the one fault that is needed, and its replay fails in the same way", () => {
    const lines: string[] = [];
    const { failure, seeds } = exploreMachines(
      Array.from({ length: 20 }, (_, seed) => seed),
      {
        nodes: 5,
        boot: chatter(),
        scenario: "chaos",
        print: (line) => lines.push(line),
        check: ({ machines }) => (machines[2]?.process === undefined ? "machine 2 is down" : undefined),
      },
    );
    expect(seeds).toBeLessThanOrEqual(20);
    expect(failure?.faults).toMatchObject([{ kind: "crash", machine: 2 }]);
    expect(failure?.minimal).toBe(true);
    expect(lines.at(-1)).toContain(`seed: ${failure?.seed}, faults: [{"kind":"crash"`);
    expect(failure?.run.violation?.what).toBe("machine 2 is down");
  });

  it("what holds fails in no seed", () => {
    const found = exploreMachines([1, 2, 3], {
      nodes: 3,
      boot: chatter(),
      durationMs: 500,
      check: () => undefined,
    });
    expect(found).toEqual({ seeds: 3, failure: undefined });
  });
});

describe("rubbish", () => {
  it("options out of range are refused before anything runs", () => {
    const code = (options: unknown): string => codeOf(() => run(options as Options));
    expect(code({ nodes: 0 })).toBe("sim.bad-option");
    expect(code({ nodes: MACHINES_MAX + 1 })).toBe("sim.bad-option");
    expect(code({ seed: Number.NaN })).toBe("sim.bad-option");
    expect(code({ durationMs: -1 })).toBe("sim.bad-option");
    expect(code({ network: { loss: 2 } })).toBe("sim.bad-option");
    expect(code({ network: { los: 0.1 } })).toBe("sim.bad-option");
    expect(code({ scenario: "churm" })).toBe("sim.unknown-scenario");
    expect(code({ scenario: "toString" })).toBe("sim.unknown-scenario");
    expect(code({ boot: 7 })).toBe("sim.bad-scenario");
  });

  it("every field of a fault is checked", () => {
    const bad: readonly unknown[] = [
      null,
      {},
      { kind: "explode", atMs: 1, machine: 0 },
      { kind: "crash", atMs: -1, machine: 0 },
      { kind: "crash", atMs: 1, machine: 3 },
      { kind: "crash", atMs: 1, machine: 0.5 },
      { kind: "stall", atMs: 1, machine: 0, flavour: "timers-first" },
      { kind: "stall", atMs: 1, forMs: 1, machine: 0, flavour: "slow" },
      { kind: "partition", atMs: 1, forMs: 1, groups: 3 },
      { kind: "partition", atMs: 1, forMs: 1, groups: [[9]] },
      { kind: "block", atMs: 1, forMs: 1, from: [0], to: 1 },
      { kind: "clog", atMs: 1, forMs: 1, from: 0, to: 9 },
      { kind: "reset", atMs: 1, a: 0, b: "1" },
      { kind: "wall-step", atMs: 1, machine: 0, byMs: "1" },
      { kind: "drift", atMs: 1, machine: 0, ppm: 1e6 },
      { kind: "disk-error", atMs: 1, forMs: 1, machine: 0, code: "EPERM" },
      { kind: "act", atMs: 1, machine: 0 },
      { kind: "weather", atMs: 1, forMs: 1, network: null },
    ];
    for (const fault of bad)
      expect(
        codeOf(() => run({ faults: [fault as MachineFault] })),
        JSON.stringify(fault),
      ).toBe("sim.bad-fault");
    const many = Array.from({ length: 10_001 }, (): MachineFault => ({ kind: "crash", atMs: 1, machine: 0 }));
    expect(codeOf(() => run({ faults: many }))).toBe("sim.bad-option");
  });

  it("EQ2: the events that wait are bounded", () => {
    const queue = new EventQueue();
    const event = new MachineEvent({ atMs: 1, machine: 0, generation: 1 }, 1, undefined);
    for (let i = 0; i < EVENTS_PENDING_MAX; i++) queue.push(event);
    expect(codeOf(() => queue.push(event))).toBe("sim.bad-option");
  });
});
