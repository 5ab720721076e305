import type { NodeId } from "@glia-os/abi/ids";
import type { Coordination, Logger, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { beforeEach, expect, test } from "vitest";
import { LEASE_MS, RENEW_AFTER, SessionKeeper } from "../src/node-session.ts";

const node = "ab".repeat(32) as NodeId;
const random: Random = { uint32: () => 7, bytes: (target) => target.fill(7), fork: () => random };
const logger: Logger = { log: () => {}, child: () => logger };

let asked: string[];
let waiting: { delayMs: number; fire: () => void; live: boolean }[];
const timers: Timers = {
  schedule(delayMs, fire): TimerHandle {
    const entry = { delayMs, fire, live: true };
    waiting.push(entry);
    return { cancel: () => void (entry.live = false) };
  },
};
const live = (): number[] => waiting.filter((each) => each.live).map(({ delayMs }) => delayMs);
const fire = async (): Promise<void> => {
  for (const entry of waiting.splice(0)) if (entry.live) entry.fire();
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

beforeEach(() => {
  asked = [];
  waiting = [];
});

async function keeper(): Promise<SessionKeeper> {
  const coordination = {
    openSession: async () => {
      asked.push("open");
      return { sessionId: "s1", node, fence: 1 };
    },
    renewSession: async () => void asked.push("renew"),
    closeSession: async () => void asked.push("close"),
  } as unknown as Coordination;
  const kept = new SessionKeeper({ node, coordination, timers, random, logger, onSession: () => {} });
  await kept.open();
  return kept;
}

test("NS1: the lease is renewed at half of its time, by one timer", async () => {
  await keeper();
  for (let round = 0; round < 3; round++) {
    expect(live()).toEqual([RENEW_AFTER * LEASE_MS]);
    await fire();
  }
  expect(asked).toEqual(["open", "renew", "renew", "renew"]);
});

test("NS3: held back nothing is renewed and no timer waits; released it is renewed at once, by one timer again", async () => {
  const kept = await keeper();
  kept.hold();
  kept.hold();
  expect(live()).toEqual([]);
  await fire();
  expect(asked).toEqual(["open"]);
  kept.release();
  kept.release();
  await fire();
  expect(asked).toEqual(["open", "renew"]);
  expect(live()).toEqual([RENEW_AFTER * LEASE_MS]);
});

test("NS3: a renewal that was under way when it was held back plans no other", async () => {
  const kept = await keeper();
  const [first] = waiting.splice(0);
  first?.fire();
  kept.hold();
  await fire();
  expect(live()).toEqual([]);
  await kept.close();
  expect(asked).toEqual(["open", "renew", "close"]);
});
