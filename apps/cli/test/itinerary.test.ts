import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Itinerary, LEGS } from "../src/demo/itinerary.ts";
import { UsageError } from "../src/errors.ts";

/** Walks an input of `messages` equal messages; the log has a letter per message and the moves' beginnings and ends. */
async function walk(messages: number, moveTurns: number): Promise<string[]> {
  const log: string[] = [];
  const itinerary = new Itinerary({
    move: async ({ to }) => {
      log.push(`start ${to}`);
      for (let turn = 0; turn < moveTurns; turn++) await Promise.resolve();
      log.push(`end ${to}`);
    },
    arrived: async () => void log.push("arrived"),
    pad: async () => {
      log.push("message");
      itinerary.sent();
    },
  });
  for (let sent = 0; sent < messages; sent++) {
    await itinerary.reached(sent / messages);
    log.push("message");
    itinerary.sent();
  }
  await itinerary.finish();
  return log;
}

describe("the itinerary", () => {
  it("sends messages before, during and after every move, in order, for any size of input (IT1, IT2)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 40 }),
        async (messages, turns) => {
          const log = await walk(messages, turns);
          const moves = log.filter((entry) => entry !== "message");
          expect(moves).toEqual([...LEGS.flatMap(({ to }) => [`start ${to}`, `end ${to}`]), "arrived"]);
          const at = (entry: string) => log.indexOf(entry);
          const [first, second] = LEGS.map(({ to }) => to);
          expect(log.slice(0, at(`start ${first}`))).toContain("message");
          expect(log.slice(at(`end ${first}`), at(`start ${second}`))).toContain("message");
          expect(log.slice(at("arrived"))).toContain("message");
        },
      ),
    );
  });

  it("goes on sending while a move is under way, and waits before the next stage (IT1)", async () => {
    let finish: () => void = () => {};
    const log: string[] = [];
    const itinerary = new Itinerary({
      move: () => new Promise((resolve) => (finish = resolve)),
      arrived: async () => undefined,
      pad: async () => void log.push("pad"),
    });
    itinerary.sent();
    await itinerary.reached(0.4);
    for (const share of [0.41, 0.45, 0.49]) {
      await itinerary.reached(share);
      itinerary.sent();
    }
    const waiting = itinerary.reached(0.5).then(() => log.push("went on"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual([]);
    finish();
    await waiting;
    expect(log).toEqual(["went on"]);
  });

  it("gives the failure of a move to the next message", async () => {
    const itinerary = new Itinerary({
      move: () => Promise.reject(new UsageError("no such node")),
      arrived: () => Promise.resolve(),
      pad: () => Promise.resolve(),
    });
    itinerary.sent();
    await itinerary.reached(0.34);
    await Promise.resolve();
    await expect(itinerary.reached(0.35)).rejects.toThrow("no such node");
  });
});
