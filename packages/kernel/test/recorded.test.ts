/** Calls whose outcomes are known before they begin. */
import type { Program } from "@glia-os/kernel";
import type { RecordedOutcomes, Service, ServiceCall } from "@glia-os/kernel/services";
import { createTestKernel } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";

/** A tool whose first outcomes are known; the calls that began, by their keys. */
function remembering(outcomes: readonly unknown[]): { service: Service; began: string[]; asked: string[] } {
  const began: string[] = [];
  const asked: string[] = [];
  const left = [...outcomes];
  const recorded: RecordedOutcomes & { value: unknown } = {
    value: undefined,
    take(path, request) {
      asked.push(`${path} ${request}`);
      if (left.length === 0) return false;
      recorded.value = left.shift();
      return true;
    },
  };
  const perform = (_request: unknown, _settle: unknown, { key }: ServiceCall): undefined => {
    began.push(key);
  };
  return { service: { kind: "tool", name: "tool", perform, recorded }, began, asked };
}

test("RO1: recorded outcomes are handed over within one turn; they are numbered and paid like others, and the first unknown call begins", () => {
  const { service, began } = remembering(["a", "b", "c"]);
  const { kernel } = createTestKernel(1, { turnSyscalls: 2 });
  const heard: unknown[] = [];
  const program: Program = function* (sys, tool) {
    for (let i = 0; ; i++) heard.push(yield* sys.exec(tool!, i));
  };
  kernel.spawn(program, { give: [kernel.service(service)] });
  kernel.runSlice();
  expect(heard).toEqual(["a", "b", "c"]);
  expect(began).toEqual(["/0#4"]);
  expect(kernel.counters()).toMatchObject({ switches: 1, turnsUsedUp: 0 });
  expect(kernel.accountOf()).toMatchObject({ spent: { calls: 3 }, reserved: { calls: 1 }, open: 1 });
});

test("RO1: nobody is asked for an outcome while another task is ready, or while the task's turns are measured", () => {
  const { service, began, asked } = remembering(["a", "b", "c", "d"]);
  const { kernel } = createTestKernel();
  const tool = kernel.service(service);
  const once: Program = function* (sys, handle) {
    yield* sys.exec(handle!, sys.getTid());
  };
  kernel.spawn(once, { give: [tool] });
  kernel.spawn(once, { give: [tool] });
  kernel.spawn(once, { give: [tool], quantum: 10 });
  kernel.runSlice();
  // The first two have somebody ready behind them; the third is measured.
  expect(began).toEqual(["/0#1", "/1#1", "/2#1"]);
  expect(asked).toEqual([]);
});

test("RO2: a call that its account cannot pay is refused as if no outcome were known", () => {
  const { service, began, asked } = remembering(["a", "b"]);
  const { kernel } = createTestKernel(1, { account: { calls: 1 } });
  const codes: unknown[] = [];
  const program: Program = function* (sys, tool) {
    for (let i = 0; i < 2; i++) {
      try {
        codes.push(yield* sys.exec(tool!, i));
      } catch (error) {
        codes.push((error as { code?: string }).code);
      }
    }
  };
  kernel.spawn(program, { give: [kernel.service(service)] });
  kernel.runSlice();
  expect(codes).toEqual(["a", "kernel.account-exhausted"]);
  expect([asked, began]).toEqual([["/0 0"], []]);
  expect(kernel.counters().unaffordable).toBe(1);
});
