import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import {
  CELLS_MAX,
  type CellRunnerPort,
  encodeManifest,
  FORWARD_MS,
  FREEZE_TIMEOUT_MS,
  MAILBOX_BYTES_MAX,
  MAILBOX_MESSAGES_MAX,
  RETIRED_MAX,
} from "@glia-os/cells";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AGENT,
  EPOCH,
  HostUnderTest,
  LINK,
  manifestOf,
  message,
  move,
  NODE_A,
  NODE_B,
} from "./host-under-test.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const codeOf = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

async function started(guest: string): Promise<HostUnderTest> {
  const host = new HostUnderTest();
  await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf(guest)));
  return host;
}

/** Send chunks `from` to `to` (inclusive) of the words "a a a ..." and say which were not taken at once. */
function sendChunks(host: HostUnderTest, from: number, to: number): void {
  for (let seq = from; seq <= to; seq++) {
    const bytes = text(`word${seq % 7} `);
    const payload = encodeChunk({ sequence: seq, fileIndex: 0, first: seq === 1, last: false, bytes });
    expect(host.gate.deliver(message(seq, payload)).kind, `chunk ${seq}`).toBe("accepted");
  }
}

async function report(host: HostUnderTest, seq: number): Promise<ReturnType<typeof decodeReport>> {
  expect(host.gate.deliver(message(seq, encodeReportRequest(), { ask: true })).kind).toBe("accepted");
  await host.run();
  return decodeReport(host.replies.at(-1)!.payload);
}

describe("messages", () => {
  test("an agent answers what it is asked, and the reply stands in its link table for a repeated ask", async () => {
    const host = await started("echo");
    expect(host.gate.deliver(message(1, text("hello"), { ask: true })).kind).toBe("accepted");
    await host.run();
    expect(host.replies).toEqual([{ seq: 1, payload: text("hello") }]);
    expect(host.gate.deliver(message(1, text("hello"), { ask: true }))).toMatchObject({
      kind: "duplicate",
      reply: text("hello"),
    });
  });

  test("CG1: a repeated message is refused and a gap is refused, so the guest sees every message once and in order", async () => {
    const host = await started("word-count");
    sendChunks(host, 1, 5);
    expect(host.gate.deliver(message(3, text("again"))).kind).toBe("duplicate");
    expect(host.gate.deliver(message(7, text("early"))).kind).toBe("gap");
    const { applied, lost, duplicated, words } = await report(host, 6);
    expect({ applied, lost, duplicated, words }).toEqual({ applied: 5, lost: 0, duplicated: 0, words: 5 });
  });

  test("CG2: a full mailbox asks for the message again later and takes it when the guest has caught up", async () => {
    const host = await started("echo");
    for (let seq = 1; seq <= MAILBOX_MESSAGES_MAX; seq++)
      expect(host.gate.deliver(message(seq, text("x"))).kind).toBe("accepted");
    const next = message(MAILBOX_MESSAGES_MAX + 1, text("x"));
    expect(host.gate.deliver(next).kind).toBe("retry");
    await host.run();
    expect(host.gate.deliver(next).kind).toBe("accepted");
  });

  test("CG2: the bytes of a mailbox are bounded too", async () => {
    const host = await started("echo");
    const payload = new Uint8Array(1024 * 1024);
    const fitting = MAILBOX_BYTES_MAX / payload.length;
    for (let seq = 1; seq <= fitting; seq++)
      expect(host.gate.deliver(message(seq, payload)).kind).toBe("accepted");
    expect(host.gate.deliver(message(fitting + 1, payload)).kind).toBe("retry");
  });

  test("an agent that is not here and never was is unknown", () => {
    expect(new HostUnderTest().gate.deliver(message(1, text("x"))).kind).toBe("unknown-agent");
  });
});

describe("moves", () => {
  test("an agent moved in the middle of its messages goes on with the same result, and none is lost or applied twice", async () => {
    const a = await started("word-count");
    const b = new HostUnderTest();
    sendChunks(a, 1, 40);
    expect(await move(a, b, EPOCH(2))).toBeGreaterThan(0);
    expect(a.gate.deliver(message(41, text("late")))).toEqual({
      kind: "moved",
      agent: AGENT,
      epoch: 2,
      owner: NODE_B,
      address: undefined,
    });
    expect(b.gate.deliver(message(40, text("again"))).kind).toBe("duplicate");
    sendChunks(b, 41, 60);
    await b.run();
    const { applied, lost, duplicated, words, malformed } = await report(b, 61);
    expect({ applied, lost, duplicated, words, malformed }).toEqual({
      applied: 60,
      lost: 0,
      duplicated: 0,
      words: 60,
      malformed: 0,
    });
    expect(await b.gate.report(AGENT)).toMatchObject({
      state: "running",
      epoch: 2,
      received: 61,
      waiting: 0,
    });
  });

  test("a guest moved at every message of a deep recursion replies as one that never moved, each reply to its asker", async () => {
    const number = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
    const numbers = [6, 11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 25, 26, 0].map(number);
    const replies = async (moving: boolean): Promise<(typeof first.replies)[number][]> => {
      let here = await started("counter");
      const all = [];
      for (const [index, payload] of numbers.entries()) {
        expect(here.gate.deliver(message(index + 1, payload, { ask: true, floor: index + 1 })).kind).toBe(
          "accepted",
        );
        if (moving) {
          const there = new HostUnderTest();
          await move(here, there, EPOCH(index + 2));
          all.push(...here.replies);
          here = there;
        }
        await here.run();
        all.push(...here.replies.splice(0));
      }
      return all;
    };
    const first = new HostUnderTest();
    const still = await replies(false);
    expect(still.map(({ seq }) => seq)).toEqual(numbers.map((_, index) => index + 1));
    expect(await replies(true)).toEqual(still);
  });

  test("any interleaving of messages and moves gives the result of no move at all", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("send" as const) },
      fc.constant("move" as const),
      fc.constant("run" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        let here = await started("word-count");
        let seq = 0;
        let epoch = 1;
        for (const what of steps) {
          if (what === "send") sendChunks(here, ++seq, seq);
          else if (what === "run") await here.run();
          else {
            const there = new HostUnderTest();
            await move(here, there, EPOCH(++epoch));
            here = there;
          }
        }
        await here.run();
        expect(await report(here, seq + 1)).toMatchObject({
          applied: seq,
          lost: 0,
          duplicated: 0,
          words: seq,
          bytes: seq * 6,
        });
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  test("CG3: a frozen agent accepts nothing and, thawed, goes on where it was", async () => {
    const host = await started("word-count");
    sendChunks(host, 1, 10);
    await host.settle(host.gate.freeze(AGENT));
    expect(host.gate.deliver(message(11, text("x"))).kind).toBe("retry");
    await host.settle(host.gate.thaw(AGENT, EPOCH(2)));
    sendChunks(host, 11, 20);
    await host.run();
    expect(await report(host, 21)).toMatchObject({ applied: 20, lost: 0, duplicated: 0 });
    expect(await host.gate.report(AGENT)).toMatchObject({ epoch: 2, state: "running" });
  });

  test("CG3: after the state was read out, a thawed agent still has all of it", async () => {
    const host = await started("word-count");
    sendChunks(host, 1, 10);
    const source = await host.settle(host.gate.freeze(AGENT));
    while ((await source()) !== undefined);
    await host.settle(host.gate.thaw(AGENT, EPOCH(2)));
    await host.run();
    expect(await report(host, 11)).toMatchObject({ applied: 10, lost: 0 });
  });

  test("CR2: a freeze that no blocking call answers in time is taken back, and the agent goes on", async () => {
    const host = await started("echo");
    const refused = codeOf(host.gate.freeze(AGENT));
    await host.pass(FREEZE_TIMEOUT_MS + 1);
    expect(await refused).toBe("cells.no-yield");
    expect(host.gate.deliver(message(1, text("still here"), { ask: true })).kind).toBe("accepted");
    await host.run();
    expect(host.replies).toHaveLength(1);
    await host.settle(host.gate.freeze(AGENT));
  });

  test("CG4: the former host answers for one lifetime of a location record and then forgets", async () => {
    const a = await started("echo");
    await move(a, new HostUnderTest(), EPOCH(2));
    expect(a.gate.deliver(message(1, text("x"))).kind).toBe("moved");
    await a.pass(FORWARD_MS + 1);
    expect(a.gate.deliver(message(1, text("x"))).kind).toBe("unknown-agent");
  });

  test("CG4: a former host remembers a bounded number of agents and forgets the one that left first", async () => {
    const { gate } = new HostUnderTest();
    const named = (n: number): AgentId => n.toString(16).padStart(32, "0") as AgentId;
    for (let n = 0; n <= RETIRED_MAX; n++) {
      const agent = named(n);
      await gate.retire(agent, { agent, epoch: EPOCH(2), owner: NODE_B, address: undefined });
    }
    expect(gate.deliver(message(1, text("x"), { agent: named(0) })).kind).toBe("unknown-agent");
    expect(gate.deliver(message(1, text("x"), { agent: named(1) })).kind).toBe("moved");
  });

  test("CS2: a staged agent runs nothing before it is activated", async () => {
    const a = await started("echo");
    const b = new HostUnderTest();
    a.gate.deliver(message(1, text("hello"), { ask: true }));
    const { meta } = a.gate.describe(AGENT)!;
    const source = await a.settle(a.gate.freeze(AGENT));
    const frozenReplies = a.replies.length;
    await b.settle(b.gate.stage(AGENT, meta, source));
    await b.run();
    expect(b.replies).toEqual([]);
    const early = b.gate.deliver(message(2, text("x"), { ask: true }));
    expect(early).toMatchObject({ kind: "accepted", next: 3, kept: expect.any(Promise) });
    let isAcknowledged = false;
    const kept = (early as { readonly kept?: Promise<unknown> }).kept?.then(() => {
      isAcknowledged = true;
    });
    await b.run();
    expect([isAcknowledged, b.replies.length], "CG9, EM1: taken, and nothing said of it").toEqual([false, 0]);
    const activated = b.gate.activate(AGENT, EPOCH(2));
    expect(b.gate.deliver(message(3, text("y"), { ask: true }))).toEqual({ kind: "accepted", next: 4 });
    await b.settle(activated);
    await kept;
    await b.run();
    expect(b.replies.slice(1 - frozenReplies).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(frozenReplies + b.replies.length).toBe(3);
  });

  test("EM2: what a cell took before it ran goes with it when it is dropped, and its senders try again", async () => {
    const a = await started("echo");
    const b = new HostUnderTest();
    const { meta } = a.gate.describe(AGENT)!;
    await b.settle(b.gate.stage(AGENT, meta, await a.settle(a.gate.freeze(AGENT))));
    const early = b.gate.deliver(message(1, text("x"), { ask: true })) as {
      readonly kept?: Promise<unknown>;
    };
    await b.settle(b.gate.discard(AGENT));
    expect(await codeOf(early.kept as Promise<unknown>)).toBe("cells.not-here");
    expect(b.gate.deliver(message(1, text("x"))).kind).toBe("unknown-agent");
    await a.settle(a.gate.thaw(AGENT, EPOCH(1)));
    a.gate.deliver(message(1, text("x"), { ask: true }));
    await a.run();
    expect(a.replies.map(({ seq }) => seq)).toEqual([1]);
  });

  test("CG9: a frozen agent that is leaving sends its senders to its destination, until it goes on here", async () => {
    const host = await started("echo");
    const { gate } = host;
    const moved = { agent: AGENT, epoch: EPOCH(1), owner: NODE_B, address: undefined };
    gate.leaving(moved);
    expect(gate.deliver(message(1, text("x"))).kind, "it runs: nothing of it is on its way").toBe("accepted");
    await host.settle(gate.freeze(AGENT));
    expect(gate.deliver(message(2, text("x"))).kind).toBe("retry");
    gate.leaving(moved);
    expect(gate.deliver(message(2, text("x")))).toEqual({ kind: "moved", ...moved });
    await host.settle(gate.thaw(AGENT, EPOCH(1)));
    expect(gate.deliver(message(2, text("x"))).kind).toBe("accepted");
  });

  test("RP5: an image may be asked for behind a freeze, and fails with it", async () => {
    const agents: CellRunnerPort[] = [];
    const host = new HostUnderTest((runner) => {
      agents.push(runner);
      return runner;
    });
    const [runner] = agents as [CellRunnerPort];
    await host.settle(host.gate.start(AGENT, EPOCH(1), manifestOf("echo")));
    await host.run();
    expect(await codeOf(host.settle(runner.readImage(AGENT))), "it runs").toBe("cells.not-here");
    const [frozen, first] = [runner.freeze(AGENT, 1000), runner.readImage(AGENT)];
    await host.settle(frozen);
    expect((await first)?.length).toBeGreaterThan(0);
  });

  test("a stream that is cut, changed or not an image is refused and leaves nothing behind", async () => {
    const a = await started("echo");
    const { meta } = a.gate.describe(AGENT)!;
    const source = await a.settle(a.gate.freeze(AGENT));
    const chunks: Uint8Array[] = [];
    for (let chunk = await source(); chunk !== undefined; chunk = await source()) chunks.push(chunk.slice());
    const stream = new Uint8Array(Buffer.concat(chunks));
    const stage = async (bytes: Uint8Array): Promise<string | undefined> => {
      const b = new HostUnderTest();
      const parts = [bytes];
      const code = await codeOf(b.settle(b.gate.stage(AGENT, meta, async () => parts.shift())));
      expect(b.gate.size, "nothing staged").toBe(code === undefined ? 1 : 0);
      return code;
    };
    expect(await stage(stream)).toBeUndefined();
    expect(await stage(stream.subarray(0, 3))).toBe("cells.bad-image");
    expect(await stage(new Uint8Array([255, 255, 255, 255, 0]))).toBe("cells.bad-image");
    for (const length of [stream.length - 1, stream.length >> 1])
      expect(await stage(stream.subarray(0, length))).toBeDefined();
    for (let at = 0; at < stream.length; at += Math.ceil(stream.length / 60)) {
      const changed = stream.slice();
      changed[at]! ^= 0x40;
      expect(await stage(changed), `bit flipped in byte ${at}`).toBeDefined();
    }
  });
});

describe("an agent that is expected", () => {
  const hosted = (): { readonly host: HostUnderTest; readonly runner: CellRunnerPort } => {
    let inner: CellRunnerPort | undefined;
    const host = new HostUnderTest((runner) => {
      inner = runner;
      return runner;
    });
    return { host, runner: inner as CellRunnerPort };
  };

  test("leaves nothing behind when its move is off, also while its program is still being admitted", async () => {
    const { host, runner } = hosted();
    const manifest = manifestOf("echo");
    for (const early of [true, false]) {
      const expecting = runner.expect(AGENT, manifest);
      if (!early) await host.settle(expecting);
      const dropped = runner.drop(AGENT);
      await host.settle(Promise.all([expecting, dropped]));
      expect(await runner.vitals(AGENT)).toBeUndefined();
    }
    await host.settle(runner.expect(AGENT, manifest));
    expect(await runner.vitals(AGENT)).toMatchObject({ memoryBytes: 0 });
    expect(await codeOf(host.settle(runner.expect(AGENT, manifest)))).toBe("cells.already-here");
  });

  test("is refused by the gate before a byte of it is asked for, and is not there then", async () => {
    const host = new HostUnderTest();
    const meta = encodeManifest(manifestOf("echo", { grants: ["glia.v1", "service/unknown"] }));
    let asked = 0;
    const refused = host.gate.stage(AGENT, meta, async () => {
      asked += 1;
      return undefined;
    });
    expect(await codeOf(host.settle(refused))).toBeDefined();
    expect([asked, host.gate.size]).toEqual([0, 0]);
  });
});

describe("limits and refusals", () => {
  test("CR3: a guest that fails takes its own cell and no other", async () => {
    const host = await started("echo");
    const other = "cd".repeat(16) as AgentId;
    await host.settle(host.gate.start(other, EPOCH(7), manifestOf("hostile-recursion")));
    await host.run();
    expect(host.ends).toHaveLength(1);
    expect(host.ends[0]).toMatchObject({ epoch: 7, end: { kind: "failed" } });
    expect(host.gate.size).toBe(1);
    host.gate.deliver(message(1, text("still here"), { ask: true }));
    await host.run();
    expect(host.replies).toHaveLength(1);
  });

  test("one node cannot run an agent twice", async () => {
    const host = await started("echo");
    expect(await codeOf(host.gate.start(AGENT, EPOCH(2), manifestOf("echo")))).toBe("cells.already-here");
    expect(await codeOf(host.gate.admit(AGENT, new Uint8Array(), 0))).toBe("cells.already-here");
  });

  test("an import that was not granted is refused before anything runs, naming it", async () => {
    const host = new HostUnderTest();
    const failure = await host
      .settle(host.gate.start(AGENT, EPOCH(1), manifestOf("hostile-import")))
      .catch((error: unknown) => error);
    expect(errorCodeOf(failure)).toBe("wasm.import-not-granted");
    expect(host.gate.size).toBe(0);
  });

  test("CG5: a node hosts a bounded number of agents", async () => {
    const host = new HostUnderTest((runner) => ({ ...runnerMethods(runner), start: async () => {} }));
    for (let i = 0; i < CELLS_MAX; i++) {
      await host.gate.start(i.toString(16).padStart(32, "0") as AgentId, EPOCH(1), manifestOf("echo"));
    }
    expect(await codeOf(host.gate.start(AGENT, EPOCH(1), manifestOf("echo")))).toBe("cells.too-many");
  });

  test("a terminated agent is gone, and terminating it again changes nothing", async () => {
    const host = await started("echo");
    await host.settle(host.gate.terminate(AGENT));
    await host.settle(host.gate.terminate(AGENT));
    expect(host.gate.deliver(message(1, text("x"))).kind).toBe("unknown-agent");
    expect(await host.gate.report(AGENT)).toBeUndefined();
  });

  test("an agent that is being moved cannot be terminated under the mover's hands", async () => {
    const host = await started("echo");
    await host.settle(host.gate.freeze(AGENT));
    expect(await codeOf(host.gate.terminate(AGENT))).toBe("cells.illegal-transition");
  });

  test("a second link has its own numbers", async () => {
    const host = await started("echo");
    expect(host.gate.deliver(message(1, text("x"))).kind).toBe("accepted");
    expect(
      host.gate.deliver(message(1, text("y"), { link: LINK.replaceAll("1", "2"), from: NODE_A })).kind,
    ).toBe("accepted");
  });
});

/** A runner's methods as an object of its own, so that a test can replace one. */
function runnerMethods<Runner extends object>(runner: Runner): Runner {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(runner)) as (keyof Runner & string)[];
  return Object.fromEntries(
    names.map((name) => [name, (runner[name] as (...args: unknown[]) => unknown).bind?.(runner)]),
  ) as Runner;
}
