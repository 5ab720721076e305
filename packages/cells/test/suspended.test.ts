/** Cells that stand still by request (CG6): what they take, that they run nothing, and that they go on standing still across moves. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { LinkTable } from "@glia-os/mesh-core";
import { encode } from "cborg";
import { beforeEach, describe, expect, test } from "vitest";
import { decodeHead, encodeHead } from "../src/frozen-cell.ts";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, move, NODE_B } from "./host-under-test.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

let host: HostUnderTest;
beforeEach(async () => {
  host = new HostUnderTest();
  await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf("echo")));
  await host.run();
});

const state = (from: HostUnderTest = host): string | undefined => from.gate.stands(AGENT)?.state;
const ask = (seq: number, from: HostUnderTest = host) =>
  from.gate.deliver(message(seq, text(`m${seq}`), { ask: true }));

describe("CG6", () => {
  test("a suspended cell takes messages and answers them in order once it goes on", async () => {
    await host.settle(host.gate.pause(AGENT));
    expect(state()).toBe("suspended");
    for (const seq of [1, 2, 3]) expect(ask(seq).kind).toBe("accepted");
    await host.run();
    expect(host.replies).toEqual([]);
    expect(await host.settle(host.gate.report(AGENT))).toMatchObject({ waiting: 3, state: "suspended" });
    await host.settle(host.gate.resume(AGENT));
    await host.run();
    expect(host.replies.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("MO1: an urgent message is taken before those that waited, also where the cell goes on after a move", async () => {
    await host.settle(host.gate.pause(AGENT));
    ask(1);
    ask(2);
    expect(host.gate.deliver(message(3, text('{"priority":"high"}'), { ask: true })).kind).toBe("accepted");
    const there = new HostUnderTest();
    await move(host, there, EPOCH(2));
    expect(there.gate.deliver(message(4, text('{"priority":"high"}'), { ask: true })).kind).toBe("accepted");
    await there.settle(there.gate.resume(AGENT));
    await there.run();
    expect(there.replies.map(({ seq }) => seq)).toEqual([3, 4, 1, 2]);
  });

  test("its mailbox is bounded as that of a cell that runs: what does not fit is asked for again", async () => {
    await host.settle(host.gate.pause(AGENT));
    for (let seq = 1; seq <= 1000; seq++)
      expect(host.gate.deliver(message(seq, text("x"))).kind).toBe("accepted");
    expect(host.gate.deliver(message(1001, text("x"))).kind).toBe("retry");
  });

  test("it moves standing still, with what came meanwhile, and goes on where it arrived", async () => {
    await host.settle(host.gate.pause(AGENT));
    ask(1);
    const there = new HostUnderTest();
    await move(host, there, EPOCH(2));
    await there.run();
    expect(state(there)).toBe("suspended");
    expect(ask(2, there).kind).toBe("accepted");
    const back = new HostUnderTest();
    await move(there, back, EPOCH(3));
    await back.run();
    expect([there.replies, back.replies]).toEqual([[], []]);
    await back.settle(back.gate.resume(AGENT));
    await back.run();
    expect(back.replies.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(back.gate.stands(AGENT)).toEqual({ state: "running", epoch: 3, suspended: false });
  });

  test("a move that is rolled back leaves it suspended, and can be made again", async () => {
    await host.settle(host.gate.pause(AGENT));
    ask(1);
    expect(host.gate.describe(AGENT)).toMatchObject({ suspended: true, epoch: 1 });
    const source = await host.settle(host.gate.freeze(AGENT));
    expect((await source())?.length).toBeGreaterThan(0);
    expect(ask(2).kind).toBe("retry");
    await host.settle(host.gate.thaw(AGENT, EPOCH(1)));
    expect(state()).toBe("suspended");
    expect(ask(2).kind).toBe("accepted");
    await host.run();
    expect(host.replies).toEqual([]);
    const there = new HostUnderTest();
    await move(host, there, EPOCH(2));
    await there.settle(there.gate.resume(AGENT));
    await there.run();
    expect(there.replies.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("its sleep stands still and goes on with what was left of it", async () => {
    const patient = new HostUnderTest();
    await patient.settle(patient.gate.start(AGENT, EPOCH(1), manifestOf("patient")));
    await patient.run();
    await patient.pass(700);
    await patient.settle(patient.gate.pause(AGENT));
    await patient.pass(60_000);
    await patient.settle(patient.gate.resume(AGENT));
    await patient.run();
    await patient.pass(299);
    ask(1, patient);
    await patient.run();
    await patient.pass(1001);
    ask(2, patient);
    await patient.run();
    expect(patient.replies.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(["0", "1"]);
  });

  test("CS1: only a cell that runs is suspended, and only a suspended one goes on; anything else changes nothing", async () => {
    expect(await codeOf(host.gate.resume(AGENT))).toBe("cells.illegal-transition");
    await host.settle(host.gate.pause(AGENT));
    expect(await codeOf(host.gate.pause(AGENT))).toBe("cells.illegal-transition");
    await host.settle(host.gate.freeze(AGENT));
    expect(await codeOf(host.gate.pause(AGENT))).toBe("cells.illegal-transition");
    expect(await codeOf(host.gate.resume(AGENT))).toBe("cells.illegal-transition");
    await host.settle(
      host.gate.retire(AGENT, { agent: AGENT, epoch: EPOCH(2), owner: NODE_B, address: undefined }),
    );
    expect(await codeOf(host.gate.pause(AGENT))).toBe("cells.not-here");
  });

  test("a cell that is read out while it runs is not suspended: its move would be off", async () => {
    const source = await host.settle(host.gate.precopy.begin(AGENT, 0));
    expect(source).toBeDefined();
    expect(await codeOf(host.gate.pause(AGENT))).toBe("cells.illegal-transition");
    await host.settle(host.gate.precopy.giveUp(AGENT));
    await host.settle(host.gate.pause(AGENT));
    expect(await host.settle(host.gate.precopy.begin(AGENT, 0))).toBeUndefined();
  });

  test("a suspended cell is ended like any other", async () => {
    await host.settle(host.gate.pause(AGENT));
    await host.settle(host.gate.terminate(AGENT));
    expect(host.gate.size).toBe(0);
  });
});

describe("FC3", () => {
  const mail = { mailbox: [], asker: undefined, received: 4, sleepMs: undefined };
  const body = (suspended: boolean): Uint8Array =>
    encodeHead({ links: new LinkTable(), mail, suspended }).subarray(4);

  test("the head says whether a cell is suspended, and a head of version 1 is that of one that is not", () => {
    expect(decodeHead(body(true)).suspended).toBe(true);
    expect(decodeHead(body(false)).suspended).toBe(false);
    expect(body(false)[1]).toBe(1);
  });

  test.each([
    ["a suspended head with a field less", [2, new LinkTable().serialize(), [], null, 0, null]],
    ["one that says it is not", [2, new LinkTable().serialize(), [], null, 0, null, false]],
    ["a version 1 with a field more", [1, new LinkTable().serialize(), [], null, 0, null, true]],
    ["a version that is not known", [3, new LinkTable().serialize(), [], null, 0, null, true]],
  ])("refuses %s", (_what, head) => {
    expect(() => decodeHead(encode(head))).toThrow(expect.objectContaining({ code: "cells.bad-image" }));
  });
});

test("CG8: a node that takes no new agents refuses them, to start and to let in, and those it has go on", async () => {
  const { meta } = host.gate.describe(AGENT) as { meta: Uint8Array };
  const there = new HostUnderTest();
  there.gate.refusesNew = "it is drained";
  expect(await codeOf(there.settle(there.gate.start(AGENT, EPOCH(1), manifestOf("echo"))))).toBe(
    "cells.takes-none",
  );
  expect(await codeOf(there.settle(there.gate.admit(AGENT, meta, 1)))).toBe("cells.takes-none");
  there.gate.refusesNew = undefined;
  host.gate.refusesNew = "it is drained";
  ask(1);
  await host.run();
  expect(host.replies.length).toBe(1);
  await move(host, there, EPOCH(2));
  expect(state(there)).toBe("running");
});
