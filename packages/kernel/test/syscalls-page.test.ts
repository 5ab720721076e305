import { readFileSync } from "node:fs";
import { ERROR_CODES } from "@glia-os/abi/errors/all";
import { SYSCALLS } from "@glia-os/abi/syscalls";
import { expect, test } from "vitest";
import { COMES_WITH, syscallsPage } from "../scripts/print-syscalls.ts";
import { OPCODE_NAMES, RECORDED, STATE_NAMES, TRANSITIONS } from "../src/internal.ts";
import { resultOf } from "./run.ts";

test("docs/spec/syscalls.md is what the table prints (run print-syscalls.ts --write)", () => {
  const committed = readFileSync(new URL("../../../docs/spec/syscalls.md", import.meta.url), "utf8");
  expect(committed).toBe(syscallsPage());
});

test("S1: the kernel's opcodes are the numbers of the table", () => {
  for (const [number, name] of Object.entries(OPCODE_NAMES))
    expect(SYSCALLS.get(name)?.number, name).toBe(Number(number));
});

test("S3: the kernel journals the outcomes of exactly the syscalls whose effect class is not local", () => {
  const performed = [...SYSCALLS.values()].filter(({ number }) => Object.hasOwn(OPCODE_NAMES, number));
  const recorded = performed.filter(({ effect }) => effect !== "local").map(({ number }) => number);
  expect([...RECORDED].sort((a, b) => a - b)).toEqual(recorded.sort((a, b) => a - b));
});

test("every syscall the kernel performs is a method of sys, and waits exactly when the table says so", () => {
  const shapes = resultOf(function* (sys) {
    return Object.values(OPCODE_NAMES).map(
      (name) => typeof (sys as unknown as Record<string, unknown>)[name],
    );
  });
  expect(new Set(shapes)).toEqual(new Set(["function"]));
});

test("every row of the table is performed, or says with what it comes", () => {
  const performed = new Set(Object.values(OPCODE_NAMES));
  const rest = [...SYSCALLS.keys()].filter((name) => !performed.has(name));
  expect(rest).toEqual(Object.keys(COMES_WITH));
});

test("every error a performed syscall names can be raised by this build", () => {
  for (const name of Object.values(OPCODE_NAMES))
    for (const code of SYSCALLS.get(name)?.errors ?? [])
      expect(Object.keys(ERROR_CODES), name).toContain(code);
});

test("T2: no state but the three last is final, and nothing leaves a final one", () => {
  const final = STATE_NAMES.filter((_, state) => TRANSITIONS[state] === 0);
  expect(final).toEqual(["finished", "failed", "cancelled"]);
});
