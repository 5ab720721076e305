/** Cells whose pages follow them, on both sides of gate and runner, with a guest that is none: bounds, refusals and ends (GP1, RS1, RS2, PG1, PG2). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { EngineInstance } from "@glia-os/abi/ports";
import { type AwayGuest, type PagesCodec, type PagesRunnerPort, SERVED_MAX } from "@glia-os/cells";
import { beforeEach, describe, expect, it } from "vitest";
import type { GateCell } from "../../src/gate-cell.ts";
import { ImageReader, PAGES_MARK } from "../../src/image-stream.ts";
import { GatePages, SAID_BYTES_MAX } from "../../src/postcopy/gate-pages.ts";
import { RunnerPages } from "../../src/postcopy/runner-pages.ts";
import type { RunnerCell } from "../../src/runner-cell.ts";
import type { CellEnd } from "../../src/runner-port.ts";
import { AGENT, manifestOf } from "../host-under-test.ts";

const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

describe("on the side of the gate", () => {
  let lost: string[];
  let first: Uint8Array | undefined;
  let cell: { state: string; readAhead: boolean };
  let pages: GatePages;
  beforeEach(() => {
    lost = [];
    first = Uint8Array.of(1);
    cell = { state: "running", readAhead: false };
    const port: PagesRunnerPort = {
      beginPages: async () => first,
      servePages: async () => ({ bytes: new Uint8Array(), done: false }),
      releasePages: async () => undefined,
      stagePages: async () => undefined,
      takePages: async () => false,
      losePages: (_, why) => void lost.push(why),
    };
    pages = new GatePages({
      runner: { readAhead: async () => undefined },
      pages: port,
      here: () => cell as unknown as GateCell,
    });
  });

  it("begins with a mark of its own, and leaves what stands still to be copied as it is", async () => {
    const source = await pages.begin(AGENT, "move", false);
    expect(cell.readAhead).toBe(true);
    expect(await source?.()).toEqual(PAGES_MARK);
    const reader = new ImageReader();
    expect([...reader.push(PAGES_MARK)]).toEqual([{ kind: "ahead", pages: true }]);
    cell.state = "suspended";
    expect(await pages.begin(AGENT, "other", false)).toBeUndefined();
    cell.state = "running";
    first = undefined;
    expect(await pages.begin(AGENT, "third", false)).toBeUndefined();
    expect(cell.readAhead).toBe(false);
  });

  it("GP1: gives what is to be said once and in order, and gives up a cell that says too much", async () => {
    await GatePages.stage(pages, AGENT);
    const incoming = pages.incoming(AGENT);
    let told = 0;
    if (incoming) incoming.onSaid = () => void told++;
    pages.said(AGENT, Uint8Array.of(1));
    pages.said(AGENT, Uint8Array.of(2, 3));
    expect([told, incoming?.said(), incoming?.said()]).toEqual([2, Uint8Array.of(1, 2, 3), new Uint8Array()]);
    pages.said(AGENT, new Uint8Array(SAID_BYTES_MAX));
    expect(lost).toEqual([]);
    pages.said(AGENT, Uint8Array.of(1));
    expect(lost).toHaveLength(1);
  });

  it("PG2: a cell is whole or lost, and unknown to it afterwards; a gate without it refuses", async () => {
    for (const ends of [() => pages.whole(AGENT), () => pages.gone(AGENT, "failed")]) {
      await GatePages.stage(pages, AGENT);
      const whole = pages.incoming(AGENT)?.whole;
      ends();
      expect(pages.incoming(AGENT)).toBeUndefined();
      expect(await codeOf(whole as Promise<void>)).toBe(
        ends.toString().includes("gone") ? "cells.lost-on-the-way" : undefined,
      );
    }
    expect(await codeOf(GatePages.stage(undefined, AGENT))).toBe("cells.no-post-copy");
  });
});

describe("on the side of the runner", () => {
  let cells: RunnerCell[];
  let disposed: number;
  let ends: CellEnd[];
  let pages: RunnerPages;
  const instance = { dispose: () => void disposed++ } as unknown as EngineInstance;
  const cellOf = (immovable: readonly string[] = []): RunnerCell =>
    ({
      agent: AGENT,
      manifest: manifestOf("echo"),
      held: { immovable },
      instance,
    }) as unknown as RunnerCell;
  const codec: PagesCodec = {
    read: async () => ({
      next: () => Uint8Array.of(1),
      last: () => [][Symbol.iterator](),
      cancel: () => undefined,
      serve: (said) => ({ bytes: said, done: said.length === 0 }),
    }),
    arrive: async () => {
      throw new TypeError("not here");
    },
  };
  beforeEach(() => {
    [cells, ends, disposed] = [[cellOf()], [], 0];
    pages = new RunnerPages(
      { codec, gate: { said: () => undefined, whole: () => undefined } },
      {
        here: () => cells[0] as RunnerCell,
        add: async () => cells[0] as RunnerCell,
        limitsOf: () => ({}),
        isHere: () => true,
        forget: () => undefined,
        end: (_, end) => void ends.push(end),
      },
    );
  });

  it("RS1: keeps the guest of a cell that left until its pages are released, and no other's", async () => {
    const [cell] = cells as [RunnerCell];
    expect(pages.keeps(cellOf())).toBe(false);
    await pages.beginPages(AGENT, "move", false);
    expect(pages.keeps(cell)).toBe(true);
    expect(await pages.servePages("move", Uint8Array.of(5))).toEqual({
      bytes: Uint8Array.of(5),
      done: false,
    });
    await pages.releasePages("move");
    await pages.releasePages("move");
    expect(disposed).toBe(1);
    expect(await codeOf(pages.servePages("move", new Uint8Array()))).toBe("cells.pages-released");
  });

  it("RS2: serves a bounded number of moves", async () => {
    for (let n = 0; n < SERVED_MAX; n++) await pages.beginPages(AGENT, `move ${n}`, false);
    expect(await codeOf(pages.beginPages(AGENT, "one more", false))).toBe("cells.no-post-copy");
    await pages.releasePages("move 3");
    await pages.beginPages(AGENT, "one more", false);
  });

  it("refuses a cell that holds what stays with its node, and names it", async () => {
    cells = [cellOf(["the screen"])];
    const refused = pages.beginPages(AGENT, "move", false);
    expect(await codeOf(refused)).toBe("cells.immovable-capability");
    await expect(refused).rejects.toThrow("the screen");
  });

  it("a runner without a codec refuses both ways, and pages of a cell that expects none", async () => {
    const runner = { here: () => cells[0] as RunnerCell } as unknown as ConstructorParameters<
      typeof RunnerPages
    >[1];
    const without = new RunnerPages(undefined, runner);
    expect(await codeOf(without.beginPages(AGENT, "move", false))).toBe("cells.no-post-copy");
    expect(await codeOf(without.stagePages(cells[0] as RunnerCell))).toBe("cells.no-post-copy");
    expect(await codeOf(without.takePages(AGENT as AgentId, new Uint8Array()))).toBe("cells.not-here");
  });

  it("PG2: a cell whose pages do not come ends as one that was lost", async () => {
    const [cell] = cells as [RunnerCell];
    const away = { whole: Promise.reject(new TypeError("the source is gone")) } as unknown as AwayGuest;
    pages.arrived(cell, away);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual([
      { kind: "failed", lost: true, message: expect.stringContaining("cells.lost-on-the-way") },
    ]);
  });
});
