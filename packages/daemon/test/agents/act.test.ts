/** What guests ask of their node, and what moves with them: checked, signed, and refused when it is out of shape. */

import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentLinkEvents, CarriedLink, OutgoingLink } from "@glia-os/mesh-core";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTS_MAX, actsOf } from "../../src/agents/act.ts";
import { agentsService, OUTBOX_MAX, PRESSURE } from "../../src/agents/agents-service.ts";
import { Desk, type DeskOptions, TOPICS_MAX } from "../../src/agents/desk.ts";

const me = { id: "1".repeat(32), name: "me" };
const you = "2".repeat(32);
const tell = { glia: 1, kind: "tell", message: "hello", input: 1 };

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
}

describe("acts", () => {
  test("AC2: the node says who an envelope is from, and what is no field of one is left out", () => {
    const forged = { ...tell, from: { id: you, name: "you" }, host: "stop" };
    const [act] = actsOf([["send", you, forged]], me);
    const payload = act?.kind === "send" ? JSON.parse(new TextDecoder().decode(act.payload)) : undefined;
    expect(payload).toEqual({ ...tell, from: me });
  });

  test("AC2: a priority stays at the beginning, where nodes look for it", () => {
    const [act] = actsOf([["send", you, { ...tell, priority: "high" }]], me);
    const text = act?.kind === "send" ? new TextDecoder().decode(act.payload) : "";
    expect(text.startsWith('{"priority":"high",')).toBe(true);
    expect(JSON.parse(text)).toEqual({ ...tell, priority: "high", from: me });
  });

  test("AC1: what is out of shape refuses the whole call", () => {
    const bad: readonly unknown[] = [
      "send",
      [],
      ["fly"],
      ["send", "No Name", tell],
      ["send", you, "text"],
      ["send", you, null],
      ["send", you, { ...tell, input: "x".repeat(1_100_000) }],
      ["publish", "", tell],
      ["subscribe", 7],
      ["find", 0, "name"],
      ["find", 1.5, "name"],
      ["spawn", 1, null],
      ["spawn", 1, { definition: "a b" }],
      ["spawn", 1, { definition: "a@0" }],
      ["spawn", 1, { definition: "a", on: "" }],
    ];
    for (const each of bad)
      expect(
        codeOf(() => actsOf([["send", you, tell], each], me)),
        JSON.stringify(each)?.slice(0, 60),
      ).toBe("abi.malformed");
    expect(codeOf(() => actsOf("acts", me))).toBe("abi.malformed");
    expect(codeOf(() => actsOf(new Array(ACTS_MAX + 1).fill(["send", you, tell]), me))).toBe("abi.malformed");
    expect(actsOf(new Array(ACTS_MAX).fill(["send", you, tell]), me)).toHaveLength(ACTS_MAX);
  });
});

/** Links that take so many messages and acknowledge none. */
function deskOptions(room: number, opened: CarriedLink[] = []): DeskOptions {
  const time = new VirtualTime();
  return {
    timers: time,
    findName: () => new Promise(() => undefined),
    released: () => undefined,
    lost: () => undefined,
    open(agent: AgentId, _events: AgentLinkEvents, carried?: CarriedLink): OutgoingLink {
      const held = [...(carried?.held ?? [])];
      const link = carried?.link ?? "ab".repeat(16);
      const next = (): number => (carried?.next ?? 1) + held.length - (carried?.held.length ?? 0);
      if (carried !== undefined) opened.push(carried);
      return {
        link,
        offer: (payload) => held.length < room && held.push(payload) > 0,
        get unacknowledged() {
          return held.length;
        },
        carryAway: () => ({ agent, link, next: next(), attempts: 3, held }),
        close: () => undefined,
      };
    },
  };
}

describe("a desk that moves", () => {
  test("DK3: takes everything along that was not acknowledged, in order, with names, topics and family", () => {
    const desk = new Desk(deskOptions(2), ["news"], { parent: you, children: [] });
    const messages = [1, 2, 3].map((n) => Uint8Array.of(n));
    for (const message of messages) desk.send(you, message);
    desk.send("somebody", Uint8Array.of(9));
    desk.bore("3".repeat(32));
    expect(desk.held).toBe(4);
    const bytes = desk.pack() as Uint8Array;
    const opened: CarriedLink[] = [];
    const there = Desk.unpack(bytes, deskOptions(10, opened))();
    expect(opened.map(({ held, next, attempts }) => [held, next, attempts])).toEqual([
      [messages.slice(0, 2), 3, 3],
    ]);
    expect([there.held, [...there.topics], there.family]).toEqual([
      4,
      ["news"],
      { parent: you, children: ["3".repeat(32)] },
    ]);
    expect(new Desk(deskOptions(1)).pack()).toBeUndefined();
  });

  test("bytes that are no desk are refused, whatever they are, and nothing is begun", () => {
    const desk = new Desk(deskOptions(2), ["news"]);
    desk.send(you, Uint8Array.of(1));
    const bytes = desk.pack() as Uint8Array;
    const options = deskOptions(2);
    for (let at = 0; at < bytes.length; at++)
      expect(
        codeOf(() => Desk.unpack(bytes.subarray(0, at), options)),
        `cut at ${at}`,
      ).toBe("cells.bad-image");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rubbish) => {
        expect([undefined, "cells.bad-image"]).toContain(codeOf(() => Desk.unpack(rubbish, options)));
      }),
    );
  });

  test("at most so many topics are heard", () => {
    const desk = new Desk(deskOptions(1));
    for (let n = 0; n <= TOPICS_MAX; n++) desk.subscribe(`topic-${n}`);
    expect(desk.topics.size).toBe(TOPICS_MAX);
  });
});

describe("the service", () => {
  test("AV2: an agent that is not heard waits at each call, and is refused at the limit with nothing done", () => {
    const time = new VirtualTime();
    let perform: ((request: unknown, settle: unknown, call: unknown) => unknown) | undefined;
    const kernel = {
      service(service: { perform: typeof perform }) {
        perform = service.perform;
        return {};
      },
    };
    const done: number[] = [];
    const service = agentsService({
      kernel: kernel as never,
      timers: time,
      cellOf: () => ({ agent: me.id as AgentId, manifest: me }),
      acted: (_agent, acts) => void done.push(acts.length),
    });
    let settled = 0;
    const call = (count: number): unknown =>
      perform?.(new Array(count).fill(["send", you, tell]), { ok: () => settled++ }, { task: 1 });
    call(PRESSURE - 1);
    expect(settled).toBe(1);
    call(1);
    expect(settled).toBe(1);
    service.released(me.id as AgentId, 1);
    expect(settled).toBe(2);
    for (let sent = PRESSURE - 1; sent + ACTS_MAX <= OUTBOX_MAX; sent += ACTS_MAX) call(ACTS_MAX);
    const before = done.length;
    expect(codeOf(() => call(ACTS_MAX))).toBe("daemon.outbox-full");
    expect(done.length).toBe(before);
    service.held(me.id as AgentId, OUTBOX_MAX - 100);
    const large = [["send", you, { ...tell, input: "x".repeat(400_000) }]];
    expect(codeOf(() => perform?.(large, { ok: () => undefined }, { task: 1 }))).toBeUndefined();
    expect(codeOf(() => perform?.(large, { ok: () => undefined }, { task: 1 }))).toBe("daemon.outbox-full");
    service.held(me.id as AgentId, 0);
    expect(codeOf(() => call(ACTS_MAX))).toBeUndefined();
  });
});
