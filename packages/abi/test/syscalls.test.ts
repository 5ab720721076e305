import {
  ALL_RIGHTS,
  hasRights,
  RIGHTS,
  rightNames,
  rightsOf,
  SYSCALLS,
  syscallByNumber,
} from "@glia-os/abi/syscalls";
import { ABI_VERSION, GUEST_ERRORS, HOST_IMPORTS } from "@glia-os/abi/wire";
import fc from "fast-check";
import { expect, test } from "vitest";

test("S1: every syscall has its own number from 1 without gaps", () => {
  const numbers = [...SYSCALLS.values()].map((row) => row.number).sort((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("a syscall is found by its number, and an unknown number finds nothing", () => {
  for (const row of SYSCALLS.values()) expect(syscallByNumber(row.number)).toBe(row);
  expect(syscallByNumber(0)).toBeUndefined();
  expect(syscallByNumber(9999)).toBeUndefined();
});

test("S2: the inputs of tools, HTTP and models are marked secret", () => {
  for (const name of ["exec", "fetch", "model"]) {
    expect(
      SYSCALLS.get(name)?.args.some((argument) => argument.secret),
      name,
    ).toBe(true);
  }
});

test("S3: every effect on the outside world is journaled before it starts", () => {
  for (const name of ["exec", "fetch", "model", "approve"])
    expect(SYSCALLS.get(name)?.effect, name).toBe("once");
});

test("every error code a syscall names belongs to the kernel", () => {
  for (const row of SYSCALLS.values())
    for (const code of row.errors) expect(code).toMatch(/^kernel\.[a-z-]+$/);
});

test("R2: each right is one bit of its own", () => {
  const bits = Object.values(RIGHTS);
  expect(new Set(bits).size).toBe(bits.length);
  for (const bit of bits) expect(bit & (bit - 1)).toBe(0);
});

test("R1: a set holds another exactly when it has all its bits", () => {
  const names = fc.uniqueArray(fc.constantFrom(...rightNames(ALL_RIGHTS)));
  fc.assert(
    fc.property(names, names, (held, needed) => {
      expect(hasRights(rightsOf(...held), rightsOf(...needed))).toBe(
        needed.every((name) => held.includes(name)),
      );
    }),
  );
});

test("H1: every guest import performs a syscall of the table and passes integers only", () => {
  for (const row of HOST_IMPORTS) {
    expect(SYSCALLS.has(row.syscall), row.name).toBe(true);
    for (const type of [...row.params, row.result]) expect(["i32", "i64", "none"]).toContain(type);
  }
});

test("H2: every guest error is negative and has its own number", () => {
  const numbers = Object.values(GUEST_ERRORS);
  expect(numbers.every((number) => number < 0)).toBe(true);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("H3: a guest import blocks exactly when its syscall may park the caller", () => {
  for (const row of HOST_IMPORTS) expect(row.blocking, row.name).toBe(SYSCALLS.get(row.syscall)?.blocking);
});

test("the version of the vocabulary is a positive integer", () => {
  expect(Number.isInteger(ABI_VERSION) && ABI_VERSION > 0).toBe(true);
});
