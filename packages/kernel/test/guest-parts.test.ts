/** What stands between guests and syscalls, without an engine: text as bytes, and what a guest's numbers lead to. */
import type { CallResult } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_ERRORS, SYS_IMPORTS, SYS_MODULE } from "@glia-os/abi/wire";
import type { Handle, Routine, Sys } from "@glia-os/kernel";
import { GuestCalls, HeldCapabilities, isGuestCall, Parcel, pack } from "@glia-os/kernel/guests";
import { httpService, toolService } from "@glia-os/kernel/services";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../src/guests/utf8.ts";
import { codeOf, resultOf } from "./run.ts";

test("text becomes the bytes that the platform's encoder makes, and every such text comes back", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const bytes = encodeUtf8(text);
      expect(bytes).toEqual(encoder.encode(text));
      expect(decodeUtf8(bytes)).toBe(text.toWellFormed());
    }),
  );
  expect(encodeUtf8("a\ud800b")).toEqual(encoder.encode("a\ufffdb"));
  const long = "é😀".repeat(10_000);
  expect(decodeUtf8(encodeUtf8(long))).toBe(long);
});

test("bytes are text exactly when the platform's strict decoder says so", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const wild = fc.array(
    fc.constantFrom(
      0,
      0x41,
      0x7f,
      0x80,
      0xbf,
      0xc0,
      0xc2,
      0xe0,
      0xa0,
      0xed,
      0x9f,
      0xf0,
      0x90,
      0xf4,
      0x8f,
      0xf5,
      0xff,
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(wild, (numbers) => {
      const bytes = Uint8Array.from(numbers);
      let expected: string | undefined;
      try {
        expected = decoder.decode(bytes);
      } catch {
        expected = undefined;
      }
      expect(decodeUtf8(bytes)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("every call of the ABI that waits is performed, and nothing else is taken for one", () => {
  for (const { name, suspends } of SYS_IMPORTS)
    expect(isGuestCall({ requestId: 1, op: `${SYS_MODULE}/${name}`, args: [] }), name).toBe(suspends);
  for (const op of ["fetch", "glia.sys.v1/", "glia.sys.v1/constructor", "glia.v1/send", "toString"])
    expect(isGuestCall({ requestId: 1, op, args: [] }), op).toBe(false);
});

test("a parcel gives what its sender may grant, each once, and nothing that the sender has lost since", () => {
  const outcomes = resultOf(function* (sys): Routine<unknown[]> {
    const box = sys.mailbox();
    const weak = sys.attenuate(box, RIGHTS.send);
    const refused = codeOf(() => pack(sys, new Uint8Array(), [{ handle: weak, rights: ALL_RIGHTS }]));
    const many = codeOf(() => pack(sys, new Uint8Array(), Array(17).fill({ handle: box, rights: 1 })));
    const parcel = pack(sys, new Uint8Array(), [{ handle: box, rights: RIGHTS.send }]);
    const got = parcel.accept(sys, 0);
    const twice = codeOf(() => parcel.accept(sys, 0));
    const more = codeOf(() => sys.tryReceive(got));
    const late = pack(sys, new Uint8Array(), [{ handle: box, rights: RIGHTS.send }]);
    sys.drop(box);
    const gone = codeOf(() => late.accept(sys, 0));
    yield* sys.yield();
    return [refused, many, twice, more, gone, late instanceof Parcel, parcel.size];
  });
  expect(outcomes).toEqual([
    "kernel.missing-right",
    "kernel.bad-option",
    "kernel.dead-handle",
    "kernel.missing-right",
    "kernel.dead-handle",
    true,
    1,
  ]);
});

test("what a guest derived is derived in the kernel: revoked with its source, and kept when only a step between is given up", () => {
  const { kernel, clock } = createTestKernel();
  const tool = kernel.service(toolService({ run: () => Promise.resolve(1) }));
  const seen: unknown[] = [];
  const row = {
    kind: "rebind-by-name",
    name: "",
    target: "tool",
    rights: RIGHTS.exec | RIGHTS.revoke,
  } as const;
  kernel.spawn(
    function* (sys: Sys, given?: Handle): Routine<void> {
      const held = new HeldCapabilities([{ name: "tool" }]);
      held.attach(sys, [given as Handle]);
      held.bind(1, row, 0);
      held.bind(2, { ...row, rights: RIGHTS.exec }, 1);
      held.bind(3, { ...row, rights: RIGHTS.exec }, 2);
      const alive = (number: number): string => codeOf(() => sys.attenuate(held.handleOf(sys, number), 1));
      seen.push(held.bind(4, { ...row, target: "other" }, 0));
      held.handleOf(sys, 2);
      held.drop(2);
      seen.push(alive(1), alive(2), alive(3));
      held.revoke(1);
      seen.push(alive(1), alive(3), held.immovable);
      held.bind(5, { ...row, kind: "immovable" }, 0);
      seen.push(held.immovable);
      // A task that comes after has handles of its own.
      held.attach(sys, [sys.attenuate(given as Handle, RIGHTS.exec)]);
      seen.push(alive(1));
    },
    { give: [{ handle: tool, rights: RIGHTS.exec | RIGHTS.revoke }] },
  );
  runToCompletion(kernel, clock);
  const fine = "nothing was thrown";
  const dead = "kernel.dead-handle";
  expect(seen).toEqual([undefined, fine, dead, fine, fine, dead, [], ["tool"], fine]);
});

test("ranges that a snapshot made up are refused as requests, and cancelling is no answer", () => {
  const { kernel, clock } = createTestKernel();
  const http = kernel.service(httpService({ fetch: () => new Promise(() => undefined) }));
  const answers: (CallResult | undefined)[] = [];
  const task = kernel.spawn(
    function* (sys: Sys, given?: Handle): Routine<void> {
      const held = new HeldCapabilities([{ name: "http" }]);
      held.attach(sys, [given as Handle]);
      held.bind(1, { kind: "rebind-by-name", name: "http", target: "http", rights: ALL_RIGHTS }, 0);
      const memory = Uint8Array.from(encodeUtf8('{"url":"http://a/"}'));
      const read = (pointer: number, length: number) =>
        pointer + length > memory.length ? undefined : memory.slice(pointer, pointer + length);
      const calls = new GuestCalls(sys, held, { read }, 1000);
      const fetching = (...args: number[]) =>
        calls.perform({ requestId: 1, op: `${SYS_MODULE}/fetch`, args });
      answers.push(yield* fetching(1, 0, 1000, 0, 0));
      answers.push(yield* fetching(1, 0, memory.length, 500, 1));
      answers.push(yield* fetching(7, 0, memory.length, 0, 0));
      answers.push(yield* calls.perform({ requestId: 1, op: "nothing", args: [] }));
      answers.push(yield* fetching(1, 0, memory.length, 0, 0));
    },
    { give: [{ handle: http, rights: RIGHTS.exec }] },
  );
  runToCompletion(kernel, clock);
  expect(answers.map((one) => one?.value)).toEqual([
    GUEST_ERRORS.E_RANGE,
    GUEST_ERRORS.E_RANGE,
    GUEST_ERRORS.E_GONE,
    GUEST_ERRORS.E_STATE,
  ]);
  kernel.cancel(task, "enough");
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(task)).toEqual({ kind: "cancelled", reason: "enough" });
});
