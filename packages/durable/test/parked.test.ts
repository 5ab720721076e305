/** Recovering many domains that wait. */
import type { DurableProgram } from "@glia-os/durable";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const SOAK = process.env["GLIA_SOAK"] === "1";
const DOMAINS = SOAK ? 10_000 : 600;
const HOUR_MS = 3_600_000;
const KIB = 1_024;

/** Waits for a message, or for a time of its own. */
const waiter: DurableProgram<{ readonly number: number; readonly sleeps: boolean }> = {
  name: "waiter",
  run: ({ number, sleeps }) =>
    function* (sys, inbox) {
      if (!sleeps) return [number, yield* sys.receive(inbox)];
      yield* sys.sleep(HOUR_MS + number);
      return [number, sys.monotonic()];
    },
};

it(`after a recovery of ${DOMAINS} domains that wait, every message and every timer finds its own`, async ({
  annotate,
}) => {
  const world = new TestWorld([waiter as DurableProgram]);
  const startMs = world.time.nowMs;
  const sleeps = (number: number): boolean => number % 2 === 1;
  const numbers = Array.from({ length: DOMAINS }, (_, number) => number);
  const start = (number: number) =>
    world.domains.start(`waiter-${number}`, waiter, { number, sleeps: sleeps(number) });
  await Promise.all(numbers.map(start));

  const before = process.memoryUsage().heapUsed;
  const domains = world.restart();
  const report = await domains.recover();
  const kib = (process.memoryUsage().heapUsed - before) / KIB / DOMAINS;
  await annotate(`heap per recovered domain, garbage included: ${kib.toFixed(1)} KiB`);
  expect([report.resumed.length, report.ended.length, report.refused.length]).toEqual([DOMAINS, 0, 0]);

  const results = numbers.map((number) => domains.get(`waiter-${number}`)?.result);
  await Promise.all(
    numbers
      .filter((number) => !sleeps(number))
      .map((number) => domains.get(`waiter-${number}`)?.tell(`to ${number}`)),
  );
  for (let passed = 0; passed <= DOMAINS; passed += 100) {
    world.time.pass(passed === 0 ? HOUR_MS : 100);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  for (const [number, ended] of (await Promise.all(results)).entries()) {
    const [own, came] = ended as [number, string | number];
    expect(own).toBe(number);
    if (!sleeps(number)) expect(came).toBe(`to ${number}`);
    else expect(came as number).toBeGreaterThanOrEqual(startMs + HOUR_MS + number);
  }
});
