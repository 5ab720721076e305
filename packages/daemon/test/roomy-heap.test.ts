/** The engine's setting while threads with room start (RH2). What the room is good for is measured (RH1). */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { isSetAlready, ROOM_MB, RoomyHeaps } from "../src/roomy-heap.ts";

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

  test("RH3: a setting of whoever started the process stays, however it is written", async () => {
    const set: string[] = [];
    const one = new RoomyHeaps((flag) => set.push(flag), true).start(() => thread(""));
    await once(one, "exit");
    expect(set).toEqual([]);
    for (const word of [
      "--initial-old-space-size=9",
      "--initial_old_space_size=9",
      "--initial-old-space-size",
    ]) {
      expect(isSetAlready(["--no-warnings", word], undefined), word).toBe(true);
      expect(isSetAlready([], `--no-warnings  "${word}"`), word).toBe(true);
    }
    for (const word of [
      "--max-old-space-size=9",
      "--initial-old-space-sizes=9",
      "initial-old-space-size=9",
      "",
    ])
      expect(isSetAlready([word], word), word).toBe(false);
  });
});
