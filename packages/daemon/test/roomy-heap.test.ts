/** The engine's setting while threads with room start (RH2). What the room is good for is measured (RH1). */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { ROOM_MB, RoomyHeaps } from "../src/roomy-heap.ts";

const ROOM = `--initial-old-space-size=${ROOM_MB}`;
const USUAL = "--initial-old-space-size=0";

function heaps(): { readonly set: string[]; readonly roomy: RoomyHeaps } {
  const set: string[] = [];
  return { set, roomy: new RoomyHeaps((flag) => set.push(flag)) };
}

const thread = (code: string): Worker => new Worker(code, { eval: true });

describe("while threads with room start", () => {
  test("RH2: the setting is there before the first is made, and gone when the last runs", async () => {
    const { set, roomy } = heaps();
    const made: string[][] = [];
    const threads = ["one", "two"].map(() =>
      roomy.start(() => {
        made.push([...set]);
        return thread("");
      }),
    );
    expect(made).toEqual([[ROOM], [ROOM, ROOM]]);
    await Promise.all(threads.map((one) => once(one, "exit")));
    expect(set, "not between the two, and once").toEqual([ROOM, ROOM, USUAL]);
  });

  test("RH2: one that cannot be made, or fails at once, leaves nothing behind", async () => {
    const { set, roomy } = heaps();
    expect(() =>
      roomy.start(() => {
        throw new RangeError("no room");
      }),
    ).toThrow("no room");
    expect(set).toEqual([ROOM, USUAL]);
    const failing = roomy.start(() => thread("throw new TypeError('no')"));
    const ended = once(failing, "exit").catch(() => undefined);
    failing.on("error", () => undefined);
    await ended;
    expect(set).toEqual([ROOM, USUAL, ROOM, USUAL]);
  });
});
