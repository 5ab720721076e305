import { RIGHTS, rightsOf } from "@glia-os/abi/syscalls";
import type { Handle } from "@glia-os/kernel";
import { REGION_BYTES_MAX, type RegionOptions, type RegionView } from "@glia-os/kernel/ipc";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf } from "./run.ts";

const READ = rightsOf("read");
const WRITE = rightsOf("write");

test("RG1: a region is read with the right to read and written with the right to write, by copies", () => {
  const result = resultOf(function* (sys) {
    const region = sys.region(8);
    const readable = sys.attenuate(region, READ);
    const writable = sys.attenuate(region, WRITE);
    sys.writeRegion(writable, 2, Uint8Array.of(1, 2, 3));
    const copy = sys.readRegion(readable, 0, 8);
    const before = [...copy];
    copy.fill(9);
    const codes = [
      codeOf(() => sys.readRegion(writable, 0, 1)),
      codeOf(() => sys.writeRegion(readable, 0, copy)),
      codeOf(() => sys.mapRegion(writable).getUint8(0)),
      codeOf(() => sys.mapRegion(readable).setUint8(0, 1)),
      codeOf(() => sys.mapRegion(readable).sharedMemory),
    ];
    return [before, [...sys.readRegion(region, 0, 8)], codes];
  });
  const bytes = [0, 0, 1, 2, 3, 0, 0, 0];
  expect(result).toEqual([bytes, bytes, Array(5).fill("kernel.missing-right")]);
});

test("tasks share a region: what one writes the other reads, through views of their own", () => {
  const result = resultOf(function* (sys) {
    const region = sys.region(64, { shared: true });
    const child = sys.spawn(
      function* (sys, given: Handle) {
        const view = sys.mapRegion(given);
        const sum = view.getInt32(4) + view.getFloat64(8);
        view.setFloat64(16, sum);
        return [view.byteLength, sum, view.getUint8(0)];
      },
      { give: [region] },
    );
    const view = sys.mapRegion(region);
    view.setUint8(0, 200);
    view.setInt32(4, -5);
    view.setFloat64(8, 2.5);
    const end = yield* sys.wait(child);
    return [end, view.getFloat64(16), [...view.read(0, 8)]];
  });
  expect(result).toEqual([{ kind: "ok", value: [64, -2.5, 200] }, -2.5, [200, 0, 0, 0, 251, 255, 255, 255]]);
});

test("RV1: after a revocation, a drop, in another task's hands and outside a task a view does nothing but refuse", () => {
  let leaked: RegionView | undefined;
  const result = resultOf(function* (sys) {
    const region = sys.region(8);
    const lent = sys.attenuate(region, READ | WRITE | RIGHTS.revoke);
    const narrow = sys.attenuate(lent, READ);
    const revoked = sys.mapRegion(narrow);
    const dropped = sys.mapRegion(lent);
    const alive = sys.mapRegion(region);
    leaked = alive;
    revoked.getUint8(0);
    sys.revoke(lent);
    sys.drop(lent);
    const thief = sys.spawn(function* () {
      return codeOf(() => alive.setUint8(0, 66));
    });
    const codes = [
      codeOf(() => revoked.getUint8(0)),
      codeOf(() => revoked.read(0, 1)),
      codeOf(() => revoked.byteLength),
      codeOf(() => dropped.setInt32(0, 1)),
      codeOf(() => dropped.write(0, new Uint8Array(1))),
    ];
    return [codes, yield* sys.wait(thief), alive.getUint8(0)];
  });
  expect(result).toEqual([
    Array(5).fill("kernel.dead-handle"),
    { kind: "ok", value: "kernel.dead-handle" },
    0,
  ]);
  expect(codeOf(() => leaked?.getUint8(0))).toBe("kernel.outside-task");
});

test("RG2: memory given to an unshared region is taken over: the giver's buffer is detached", () => {
  const memory = new ArrayBuffer(4);
  new Uint8Array(memory).set([1, 2, 3, 4]);
  const result = resultOf(function* (sys) {
    const region = sys.region(4, { memory });
    return [[...sys.readRegion(region, 0, 4)], sys.mapRegion(region).sharedMemory];
  });
  expect(result).toEqual([[1, 2, 3, 4], undefined]);
  expect([memory.byteLength, memory.detached]).toEqual([0, true]);
});

test("RG3: the memory of a shared region is given out with both rights only, and outlives every revocation", () => {
  const result = resultOf(function* (sys) {
    const memory = new SharedArrayBuffer(4);
    const region = sys.region(4, { shared: true, memory });
    const lent = sys.attenuate(region, READ | WRITE);
    const raw = sys.mapRegion(lent).sharedMemory!;
    sys.revoke(region);
    const refused = codeOf(() => sys.mapRegion(lent));
    // What is stated as not enforceable: who holds the buffer keeps it.
    new Uint8Array(raw)[0] = 5;
    return [raw === memory, refused, sys.readRegion(region, 0, 1)[0]];
  });
  expect(result).toEqual([true, "kernel.dead-handle", 5]);
});

test("bad sizes, memory, offsets and handles are refused and change nothing", () => {
  const result = resultOf(function* (sys) {
    const options: [number, RegionOptions?][] = [
      [0],
      [-1],
      [1.5],
      [Number.NaN],
      [REGION_BYTES_MAX + 1],
      [4, { memory: new ArrayBuffer(5) }],
      [4, { memory: new SharedArrayBuffer(4) }],
      [4, { shared: true, memory: new ArrayBuffer(4) }],
      [4, { memory: {} as ArrayBuffer }],
    ];
    const codes = options.map(([bytes, given]) => codeOf(() => sys.region(bytes, given)));
    const region = sys.region(4);
    const view = sys.mapRegion(region);
    const outside = [
      codeOf(() => sys.readRegion(region, 0, 5)),
      codeOf(() => sys.readRegion(region, -1, 1)),
      codeOf(() => sys.readRegion(region, 0, -1)),
      codeOf(() => sys.readRegion(region, 0, 2 ** 40)),
      codeOf(() => sys.readRegion(region, Number.NaN, 1)),
      codeOf(() => sys.writeRegion(region, 3, new Uint8Array(2))),
      codeOf(() => view.getInt32(1)),
      codeOf(() => view.setFloat64(0, 1)),
      codeOf(() => view.getUint8(4)),
      codeOf(() => view.getUint8(0.5)),
    ];
    const box = sys.mailbox();
    const other = [
      codeOf(() => sys.writeRegion(region, 0, [1] as unknown as Uint8Array)),
      codeOf(() => sys.readRegion(box, 0, 1)),
      codeOf(() => sys.mapRegion(0 as Handle)),
      codeOf(() => sys.trySend(region, 1)),
      codeOf(() => sys.tryReceive(region)),
    ];
    return [codes, outside, other, [...sys.readRegion(region, 0, 4)]];
  });
  expect(result).toEqual([
    Array(9).fill("kernel.bad-option"),
    Array(10).fill("kernel.outside-region"),
    [
      "kernel.bad-option",
      "kernel.wrong-object",
      "kernel.dead-handle",
      "kernel.wrong-object",
      "kernel.wrong-object",
    ],
    [0, 0, 0, 0],
  ]);
});

test("RG4: any sequence of reads and writes, in range or not, does what it does to an array, or is refused", () => {
  const access = fc.record({
    offset: fc.integer({ min: -2, max: 20 }),
    bytes: fc.uint8Array({ maxLength: 20 }),
    writes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(access, { maxLength: 20 }), (accesses) => {
      resultOf(function* (sys) {
        const model = new Uint8Array(16);
        const region = sys.region(16);
        for (const { offset, bytes, writes } of accesses) {
          const inside = offset >= 0 && offset + bytes.length <= 16;
          const code = codeOf(() => {
            if (writes) sys.writeRegion(region, offset, bytes);
            else
              expect(sys.readRegion(region, offset, bytes.length)).toEqual(
                model.slice(offset, offset + bytes.length),
              );
          });
          expect(code).toBe(inside ? "nothing was thrown" : "kernel.outside-region");
          if (inside && writes) model.set(bytes, offset);
        }
        expect(sys.readRegion(region, 0, 16)).toEqual(model);
      });
    }),
  );
});
