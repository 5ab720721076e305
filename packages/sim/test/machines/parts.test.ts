import { SeededRandom } from "@glia-os/abi/testing";
import {
  drawMachineFaults,
  endOfFaults,
  SIMULATED_DIGESTS,
  SimulatedDisk,
  simulatedSigner,
} from "@glia-os/sim";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventQueue, MachineEvent } from "../../src/machines/event-queue.ts";
import { exponential } from "../../src/machines/exponential.ts";
import { checkMachineFaults } from "../../src/machines/machine-fault.ts";
import { DISK_BYTES_MAX, SECTOR_BYTES } from "../../src/machines/simulated-disk.ts";
import { codeOf } from "../code-of.ts";

describe("the event queue", () => {
  it("EQ1: events come out by time, and in the order they were put in at one time", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
        const queue = new EventQueue();
        const events = times.map(
          (atMs, order) => new MachineEvent({ atMs, machine: order, generation: 1 }, 0, undefined),
        );
        for (const event of events) queue.push(event);
        const sorted = [...events].sort((a, b) => a.atMs - b.atMs || a.machine - b.machine);
        expect(events.map(() => queue.pop())).toEqual(sorted);
        expect([queue.pop(), queue.nextMs]).toEqual([undefined, Number.POSITIVE_INFINITY]);
      }),
    );
  });
});

describe("the exponential distribution", () => {
  it("has mean 1, and 1/e of the draws are above 1", () => {
    const random = new SeededRandom(5);
    const draws = Array.from({ length: 100_000 }, () => exponential(random));
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(1, 1);
    expect(draws.filter((draw) => draw > 1).length / draws.length).toBeCloseTo(1 / Math.E, 2);
  });
});

describe("the simulated disk", () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
  const text = (data: Uint8Array): string => String.fromCharCode(...data);

  it("SD1: what was flushed survives a crash; a program reads its own writes before that", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    const file = disk.create("log");
    file.write(0, bytes("hello"));
    file.sync();
    file.write(5, bytes(" world"));
    expect(text(file.read(0, 100))).toBe("hello world");
    disk.crash();
    expect(text(disk.open("log").read(0, 5))).toBe("hello");
  });

  it("SD2: a crash keeps any of the sectors that were not flushed, whole", () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const disk = new SimulatedDisk(new SeededRandom(seed));
      const file = disk.create("log", 3 * SECTOR_BYTES);
      file.write(0, new Uint8Array(3 * SECTOR_BYTES).fill(1));
      disk.crash();
      const sectors = [0, 1, 2].map((i) => file.read(i * SECTOR_BYTES, SECTOR_BYTES));
      for (const sector of sectors) expect(new Set(sector).size).toBe(1);
      kept.add(sectors.map(([first]) => first).join(""));
    }
    expect(kept.size, "lost, torn and whole, in every combination").toBe(8);
  });

  it("SD3: while an error is set nothing is written, and a failed flush may have lost what it was for", () => {
    let lost = 0;
    for (let seed = 0; seed < 40; seed++) {
      const disk = new SimulatedDisk(new SeededRandom(seed));
      const file = disk.create("log", 1);
      file.write(0, bytes("x"));
      disk.error = "EIO";
      expect(codeOf(() => file.sync())).toBe("sim.disk-failure");
      expect(() => file.write(0, bytes("y"))).toThrow(/EIO/);
      expect(() => disk.create("other")).toThrow(/EIO/);
      disk.error = undefined;
      file.sync();
      if (text(file.read(0, 1)) !== "x") lost++;
    }
    expect(lost).toBeGreaterThan(5);
    expect(lost).toBeLessThan(35);
  });

  it("SD4: a full disk refuses, unknown and existing names are refused, rot changes one bit", () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    expect(disk.rot()).toBe(false);
    expect(() => disk.open("none")).toThrow(/ENOENT/);
    const file = disk.create("log", 100);
    expect(() => disk.create("log")).toThrow(/EEXIST/);
    expect(() => disk.create("big", DISK_BYTES_MAX)).toThrow(/ENOSPC/);
    expect(disk.rot()).toBe(true);
    const ones = [...file.read(0, 100)].map((byte) => byte.toString(2).replaceAll("0", "").length);
    expect(ones.reduce((sum, n) => sum + n, 0)).toBe(1);
    disk.wipe();
    expect(disk.list()).toEqual([]);
  });
});

describe("drawn schedules", () => {
  const menu = {
    crashes: 5,
    stalls: 5,
    partitions: 2,
    isolations: 2,
    blocks: 2,
    clogs: 2,
    resets: 2,
    addresses: 1,
    healMs: 60_000,
  };
  const more = { storms: 1, wallSteps: 1, drifts: 1, diskErrors: 1, bitRots: 1, amnesia: 0.5 };

  it("FM1, FM2: are valid, depend on the seed only, and end before the quiet time", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, machines) => {
        const draw = () => drawMachineFaults({ ...menu, ...more }, new SeededRandom(seed), machines, 300_000);
        const faults = draw();
        expect(draw()).toEqual(faults);
        checkMachineFaults(faults, machines);
        expect(endOfFaults(faults)).toBeLessThanOrEqual(240_001);
        expect(faults).toEqual(JSON.parse(JSON.stringify(faults)));
      }),
      { numRuns: 50 },
    );
  });

  it("a new kind in the menu moves none of the others", () => {
    const draw = (extra: object) => drawMachineFaults({ ...menu, ...extra }, new SeededRandom(7), 9, 300_000);
    const before = draw({});
    expect(draw({ wallSteps: 5 }).filter(({ kind }) => kind !== "wall-step")).toEqual(before);
  });

  it("rates out of range are refused", () => {
    expect(codeOf(() => drawMachineFaults({ crashes: -1 }, new SeededRandom(1), 3, 1000))).toBe(
      "sim.bad-option",
    );
    expect(codeOf(() => drawMachineFaults({ amnesia: 2 }, new SeededRandom(1), 3, 1000))).toBe(
      "sim.bad-option",
    );
  });
});

describe("signatures for simulations", () => {
  it("KH1, KH2: verify under their key and message only, and every bit counts", () => {
    const [a, b] = [simulatedSigner("a"), simulatedSigner("b")];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (message, at) => {
        const signature = a.sign(message);
        const { verify } = SIMULATED_DIGESTS;
        expect(verify(a.publicKey, message, signature)).toBe(true);
        expect(verify(b.publicKey, message, signature)).toBe(false);
        const flipped = message.slice();
        flipped[at % message.length] = (flipped[at % message.length] as number) ^ (1 << (at % 8));
        expect(verify(a.publicKey, flipped, signature)).toBe(false);
        expect(verify(a.publicKey, message, signature.slice(1))).toBe(false);
        expect(SIMULATED_DIGESTS.sha256(flipped)).not.toEqual(SIMULATED_DIGESTS.sha256(message));
      }),
    );
  });
});
