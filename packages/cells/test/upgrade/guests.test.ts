/** The code of a guest in AssemblyScript is exchanged while messages come (docs/spec/upgrade.md). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { EngineInstance, GuestHost } from "@glia-os/abi/ports";
import { TURNS_MAX } from "@glia-os/cells";
import type { Sys } from "@glia-os/kernel";
import { describe, expect, test } from "vitest";
import { GuestDialogue } from "../../src/upgrade/guest-dialogue.ts";
import { AGENT, EPOCH, HostUnderTest, manifestOf, message, move } from "../host-under-test.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const next = manifestOf("tally-next").program;
const first = manifestOf("tally").program;

/** One agent, and one sender whose messages are numbered by themselves. */
class Tally {
  readonly host = new HostUnderTest();
  #seq = 0;

  async start(guest = "tally"): Promise<this> {
    await this.host.settle(this.host.gate.start(AGENT, EPOCH(1), manifestOf(guest)));
    return this;
  }

  /** Whether it was taken at once; what is not is sent again with the same number. */
  add(number: number): boolean {
    const sent = this.host.gate.deliver(message(this.#seq + 1, text(`add ${number}`)));
    if (sent.kind === "accepted") this.#seq++;
    return sent.kind === "accepted";
  }

  async state(): Promise<string> {
    this.#seq++;
    expect(this.host.gate.deliver(message(this.#seq, text("?"), { ask: true })).kind).toBe("accepted");
    await this.host.run();
    return new TextDecoder().decode(this.host.replies.at(-1)?.payload);
  }

  async refusal(program: Uint8Array): Promise<{ readonly code: string | undefined; readonly why: string }> {
    try {
      await this.host.settle(this.host.upgrades.upgrade(AGENT, { program }));
    } catch (error) {
      return { code: errorCodeOf(error), why: (error as Error).message };
    }
    return { code: undefined, why: "" };
  }
}

/** What a tally says that got 1 to `count` in order. */
function expected(label: string, count: number): string {
  let [total, order] = [0, 0];
  for (let i = 1; i <= count; i++) {
    total += i;
    order += i * i;
  }
  return `${label} ${count} ${total} ${order}`;
}

describe("an upgrade", () => {
  test("CU1: 1,000 messages from a sender that never stops are applied once each and in order by code that is exchanged three times and rolled back once", async () => {
    const tally = await new Tally().start();
    const { host } = tally;
    let sent = 0;
    let refused = 0;
    const upTo = async (count: number): Promise<void> => {
      while (sent < count) {
        if (tally.add(sent + 1)) sent++;
        else refused++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await upTo(100);
    const during = async (work: Promise<unknown>, count: number): Promise<void> => {
      await Promise.all([host.settle(work), upTo(count)]);
    };
    await during(host.upgrades.upgrade(AGENT, { program: next }), 300);
    await during(host.upgrades.rollback(AGENT), 500);
    await during(host.upgrades.upgrade(AGENT, { program: next }), 700);
    await during(host.upgrades.upgrade(AGENT, { program: first }), 1000);
    expect(await tally.state()).toBe(expected("v1", 1000));
    expect(refused).toBeGreaterThan(0);
    const report = await host.settle(host.gate.report(AGENT));
    expect(report).toMatchObject({ accepted: 1001, waiting: 0, code: { name: "tally", version: 1 } });
  });

  test("it says what it did, keeps the link table and the mailbox, and what it said is answered to a repeated ask", async () => {
    const tally = await new Tally().start();
    for (let i = 1; i <= 5; i++) tally.add(i);
    expect(await tally.state()).toBe(expected("v1", 5));
    for (let i = 6; i <= 9; i++) tally.add(i);
    const { host } = tally;
    const report = await host.settle(host.upgrades.upgrade(AGENT, { program: next }));
    expect(report).toMatchObject({
      agent: AGENT,
      from: { name: "tally", version: 1 },
      to: { name: "tally", version: 2 },
      stops: 1,
    });
    expect(report.stateBytes).toBeGreaterThan(20);
    expect(host.gate.deliver(message(6, text("?"), { ask: true }))).toMatchObject({
      kind: "duplicate",
      reply: text(expected("v1", 5)),
    });
    expect(await tally.state()).toBe(expected("v2", 9));
  });

  test("an agent that is suspended stays so, is upgraded where it waits, and takes its messages later", async () => {
    const tally = await new Tally().start();
    const { host } = tally;
    tally.add(1);
    await host.run();
    await host.settle(host.gate.pause(AGENT));
    tally.add(2);
    await host.settle(host.upgrades.upgrade(AGENT, { program: next }));
    expect(host.gate.stands(AGENT)?.state).toBe("suspended");
    await host.settle(host.gate.resume(AGENT));
    expect(await tally.state()).toBe(expected("v2", 2));
  });

  test("an upgraded agent moves with its new code, and its former code stays behind", async () => {
    const tally = await new Tally().start();
    tally.add(1);
    const { host } = tally;
    await host.settle(host.upgrades.upgrade(AGENT, { program: next }));
    const there = new HostUnderTest();
    await move(host, there, EPOCH(2));
    there.gate.deliver(message(2, text("?"), { ask: true }));
    await there.run();
    expect(new TextDecoder().decode(there.replies.at(-1)?.payload)).toBe(expected("v2", 1));
    await expect(there.settle(there.upgrades.rollback(AGENT))).rejects.toMatchObject({
      code: "cells.no-earlier-code",
    });
  });
});

describe("CU2: what is refused leaves the agent as it was", () => {
  const cases = [
    { how: "traps", total: -1, says: "" },
    { how: "makes a call", total: -2, says: "called sleep" },
    { how: "says no", total: -3, says: "version 1 is too old" },
    { how: "ends", total: -4, says: "status 7" },
    { how: "does not answer", total: -5, says: "did not answer" },
  ];
  test.each(cases)("new code that $how while it takes over", async ({ total, says }) => {
    const tally = await new Tally().start();
    tally.add(total);
    const before = await tally.state();
    const { code, why } = await tally.refusal(next);
    expect([code, why]).toEqual(["cells.upgrade-refused", expect.stringContaining(says)]);
    expect(await tally.state()).toBe(before);
    tally.add(5);
    expect(await tally.state()).toBe(`v1 2 ${total + 5} ${total + 10}`);
    expect(tally.host.ends).toEqual([]);
  });

  test("a program of another kind, one that does not take part, one that is no module, and an agent that does not take part", async () => {
    const tally = await new Tally().start();
    tally.add(1);
    expect(await tally.refusal(manifestOf("echo").program)).toMatchObject({ code: "cells.not-upgradable" });
    expect(await tally.refusal(text("no module"))).toMatchObject({ code: expect.stringMatching(/^wasm\./) });
    expect(await tally.refusal(new Uint8Array())).toMatchObject({ code: "cells.bad-manifest" });
    expect(await tally.state()).toBe(expected("v1", 1));
    const echo = await new Tally().start("echo");
    expect(await echo.refusal(next)).toMatchObject({ code: "cells.not-upgradable" });
    expect(await echo.state()).toBe("?");
  });

  test("an agent that is not here, one without earlier code, and one whose code is being exchanged", async () => {
    const { host } = await new Tally().start();
    const work = host.upgrades.upgrade(AGENT, { program: next });
    await expect(host.upgrades.upgrade(AGENT, { program: next })).rejects.toMatchObject({
      code: "cells.illegal-transition",
    });
    await expect(host.gate.freeze(AGENT)).rejects.toMatchObject({ code: "cells.illegal-transition" });
    await expect(host.gate.pause(AGENT)).rejects.toMatchObject({ code: "cells.illegal-transition" });
    await host.settle(work);
    await host.settle(host.upgrades.rollback(AGENT));
    const other = new HostUnderTest();
    await expect(other.upgrades.upgrade(AGENT, { program: next })).rejects.toMatchObject({
      code: "cells.not-here",
    });
    const fresh = await new Tally().start();
    await expect(fresh.host.upgrades.rollback(AGENT)).rejects.toMatchObject({
      code: "cells.no-earlier-code",
    });
  });

  test("an agent that waits for no message within the time goes on", async () => {
    const host = new HostUnderTest();
    await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf("patient")));
    const work = host.upgrades.upgrade(AGENT, { program: next }, 50);
    work.catch(() => undefined);
    await host.run();
    await host.pass(60);
    expect(await host.settle(work.catch((error: unknown) => errorCodeOf(error)))).toMatch(
      /^cells\.(upgrade-busy|not-upgradable)$/,
    );
    expect(host.gate.stands(AGENT)?.state).toBe("running");
  });
});

describe("GD2: a guest that is spoken with", () => {
  test("never has more than its turns, whatever it does with them", () => {
    let turns = 0;
    const outcome = { kind: "yielded" } as const;
    const step = (): typeof outcome => {
      turns++;
      return outcome;
    };
    const guest = { pending: undefined, preemptible: true, step };
    const dialogue = new GuestDialogue({} as GuestHost);
    const sys = { *yield() {} } as unknown as Sys;
    const begun = dialogue.begin(sys, guest as unknown as EngineInstance);
    let at = begun.next();
    while (at.done !== true) at = begun.next();
    expect([at.value?.why, turns]).toEqual([`it took more than ${TURNS_MAX} turns`, TURNS_MAX + 1]);
  });
});
