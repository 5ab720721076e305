import type { JoinedBatches, Journal } from "@glia-os/abi/ports";
import {
  CELL_SERVICE,
  type CellMessage,
  MESSAGE_BYTES_MAX,
  SegmentReader,
  SegmentSource,
} from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import { toolService } from "@glia-os/kernel/services";
import { inOnePiece } from "@glia-os/mesh-core";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { decodeManifest } from "../src/agent-manifest.ts";
import { AGENT, Disk, DomainNode, LINK, move, NODE } from "./domain-world.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Keeps a list of what it got and replies with it. Begins anew every `each` messages. */
function collector(each: number): DurableProgram<never> {
  return {
    name: `collector-${each}`,
    uses: [CELL_SERVICE],
    run: (input: unknown) =>
      function* (sys, inbox, cell) {
        const list = Array.isArray(input) ? [...input] : [];
        for (let n = 0; n < each; n++) {
          const message = (yield* sys.receive(inbox)) as CellMessage;
          list.push(message.tooLong ?? text(message.payload));
          if (message.ask)
            yield* sys.exec(cell as never, { reply: message.id, payload: bytes(list.join(",")) });
        }
        return yield* sys.checkpoint(list);
      },
  };
}

const PROGRAMS = [collector(1), collector(3), collector(1_000_000)];

test("a message is acknowledged when it is in the journal, and not before", async () => {
  const disk = new Disk();
  const gates: (() => void)[] = [];
  const journal = {
    ...bound(disk.journal),
    append: async (batch: never) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      await disk.journal.append(batch);
    },
  };
  const held = Object.assign(new Disk(), { journal });
  const node = new DomainNode(PROGRAMS, held);
  const started = node.start("collector-3");
  await until(() => gates.length === 1);
  gates.shift()?.();
  await started;
  let acknowledged = false;
  const sent = node.send(1, "a").then(() => {
    acknowledged = true;
  });
  await until(() => gates.length === 1);
  expect(acknowledged).toBe(false);
  gates.shift()?.();
  await sent;
  expect(acknowledged).toBe(true);
});

test("a node that died goes on with everything it acknowledged, once, and answers a repeated ask with the same reply", async () => {
  for (const { name } of PROGRAMS) {
    const disk = new Disk();
    let node = new DomainNode(PROGRAMS, disk, { historyBytes: 500 });
    await node.start(name);
    for (let seq = 1; seq <= 20; seq++) {
      expect(await node.send(seq, `m${seq}`)).toBe("accepted");
      if (seq % 5 !== 0) continue;
      node = new DomainNode(PROGRAMS, disk, { historyBytes: 500 }); // The one before is gone without a word.
      await node.recover();
      expect(await node.send(seq, `m${seq}`)).toBe("duplicate");
    }
    expect(await node.send(21, "all", { ask: true })).toBe("accepted");
    await until(() => node.heard.replies.length === 1);
    const all = [...Array.from({ length: 20 }, (_, n) => `m${n + 1}`), "all"].join(",");
    expect(node.heard.replies).toEqual([["21", all]]);
    node = new DomainNode(PROGRAMS, disk, { historyBytes: 500 });
    await node.recover();
    expect(await node.send(21, "all", { ask: true, floor: 21 })).toBe(`duplicate ${all}`);
  }
});

test("a cell moves by its journal and remembers its links, with and without reading ahead, there and back", async () => {
  for (const { name } of PROGRAMS) {
    const nodes = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)] as const;
    await nodes[0].start(name);
    let seq = 0;
    for (let round = 0; round < 6; round++) {
      const [from, to] = round % 2 === 0 ? nodes : [nodes[1], nodes[0]];
      for (let n = 0; n < 4; n++) await from.send(++seq, `m${seq}`);
      await move(from, to, round + 2, round % 3 !== 0);
      expect(await from.send(seq + 1, "late")).toBe("moved");
      expect(await to.send(seq, `m${seq}`)).toBe("duplicate");
      expect(await from.disk.journal.head(AGENT)).toBeUndefined();
      expect([...from.disk.cells.keys()]).toEqual([]);
    }
    await nodes[0].send(++seq, "all", { ask: true });
    await until(() => nodes[0].heard.replies.length === 1);
    expect(nodes[0].heard.replies[0]?.[1].split(",")).toHaveLength(25);
  }
});

test("a journal of several MiB crosses in chunks that fit, framed as they are", async () => {
  const [from, to] = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)];
  await from.start("collector-1000000");
  for (let seq = 1; seq <= 6; seq++) await from.send(seq, "x".repeat(600_000));
  const largest = await move(from, to, 2);
  expect(largest).toBeLessThanOrEqual(1024 * 1024);
  expect(await to.send(6, "x")).toBe("duplicate");
  expect((await to.disk.journal.head(AGENT))?.bytes).toBeGreaterThan(3_600_000);
});

test("a reply that was under way when its cell left is pushed to its asker's node from where the cell arrived", async () => {
  const journal = new Disk();
  const [from, to] = [new DomainNode(PROGRAMS, journal), new DomainNode(PROGRAMS)];
  await from.start("collector-3");
  const sent = from.send(1, "a", { ask: true });
  await sent;
  await move(from, to, 2, false);
  await until(() => to.heard.replies.length + from.heard.replies.length > 0);
  expect([...to.heard.replies, ...from.heard.replies][0]).toEqual(["1", "a"]);
  expect([...to.heard.nodes, ...from.heard.nodes]).toEqual(
    Array.from({ length: to.heard.nodes.length + from.heard.nodes.length }, () => NODE),
  );
});

test("a move that is off leaves the cell running where it was, and nothing at the other node", async () => {
  const [from, to] = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)];
  await from.start("collector-3");
  await from.send(1, "a");
  const { meta } = from.gate.describe(AGENT) as { meta: Uint8Array };
  const source = await from.gate.freeze(AGENT);
  expect(await from.send(2, "b")).toBe("retry");
  await to.gate.stage(AGENT, meta, source);
  await to.gate.discard(AGENT);
  await from.gate.thaw(AGENT, 1 as never);
  expect(await from.send(2, "b")).toBe("accepted");
  expect(await to.disk.journal.head(AGENT)).toBeUndefined();
  expect(await from.send(3, "c", { ask: true })).toBe("accepted");
  await until(() => from.heard.replies.length === 1);
  expect(from.heard.replies).toEqual([["3", "a,b,c"]]);
});

test("a move that is given up while the agent runs leaves nothing of it at the other node, and the next one goes through", async () => {
  const [from, to] = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)];
  await from.start("collector-1000000");
  for (let n = 1; n <= 20; n++) await from.send(n, `${n}`);
  const { meta } = from.gate.describe(AGENT) as { meta: Uint8Array };
  const ahead = await from.gate.precopy.begin(AGENT, 0);
  const replayed = Promise.withResolvers<void>();
  const off = Promise.withResolvers<never>();
  const staging = to.gate.stage(AGENT, meta, async () => {
    const chunk = await ahead?.();
    if (chunk !== undefined) return inOnePiece(chunk);
    replayed.resolve();
    return off.promise;
  });
  staging.catch(() => undefined);
  await replayed.promise;
  expect(await to.disk.journal.head(AGENT), "the journal was there").toBeDefined();
  off.reject(new RangeError("the move is off"));
  await expect(staging).rejects.toThrow("the move is off");
  await from.gate.precopy.giveUp(AGENT);
  expect(await to.disk.journal.head(AGENT)).toBeUndefined();
  expect([to.gate.size, to.disk.cells.size, to.runner.has(AGENT)]).toEqual([0, 0, false]);
  await from.send(21, "21");
  await move(from, to, 2);
  await to.send(22, "22", { ask: true });
  await until(() => to.heard.replies.length === 1);
  expect(to.heard.replies[0]?.[1].split(",")).toEqual(Array.from({ length: 22 }, (_, n) => `${n + 1}`));
});

test("a suspended agent whose move was off at any point moves whole the next time", async () => {
  for (const read of [0, 1, 2, 3]) {
    const [from, to] = [new DomainNode(PROGRAMS), new DomainNode(PROGRAMS)];
    await from.start("collector-3");
    await from.send(1, "a");
    await from.gate.pause(AGENT);
    const source = await from.gate.freeze(AGENT);
    for (let n = 0; n < read; n++) await source();
    await from.gate.thaw(AGENT, 1 as never);
    await move(from, to, 2);
    await to.gate.resume(AGENT);
    await to.send(2, "b", { ask: true });
    await until(() => to.heard.replies.length === 1);
    expect(to.heard.replies).toEqual([["2", "a,b"]]);
  }
});

test("SS4: what came since the last round is one wait for the journal, and so is taking it over", async () => {
  const [one, other] = [new Disk(), new Disk()];
  const waits = { at: 0 };
  /** Answers what was asked in one turn together, as the thread of a real one does. */
  const waiting = (journal: Journal): Journal => {
    let turn: Promise<void> | undefined;
    const next = (): Promise<void> => {
      turn ??= new Promise<void>((resolve) => {
        waits.at += 1;
        setImmediate(() => {
          turn = undefined;
          resolve();
        });
      });
      return turn;
    };
    const asking = ["seal", "segments", "readSegment", "acceptSegment", "head", "append"] as const;
    const slow = Object.fromEntries(
      asking.map((name) => [
        name,
        async (...args: never[]) => {
          const answer = (journal[name] as (...all: never[]) => Promise<unknown>)(...args);
          answer.catch(() => undefined);
          await next();
          return answer;
        },
      ]),
    );
    async function* readJoined(domain: string, fromSeq: number): AsyncGenerator<JoinedBatches> {
      const steps = journal.readJoined?.(domain, fromSeq) as AsyncIterable<JoinedBatches>;
      await next();
      yield* steps;
    }
    return { ...bound(journal), ...slow, readJoined };
  };
  const from = new DomainNode(PROGRAMS, Object.assign(new Disk(), { journal: waiting(one.journal) }));
  const to = new DomainNode(PROGRAMS, Object.assign(new Disk(), { journal: waiting(other.journal) }));
  await from.start("collector-1000000");
  for (let n = 1; n <= 5; n++) await from.send(n, `${n}`);
  for (let sealed = 0; sealed < 4; sealed++) {
    await one.journal.seal(AGENT);
    await from.send(6 + sealed, "more");
  }
  const { meta } = from.gate.describe(AGENT) as { meta: Uint8Array };
  const manifest = decodeManifest(meta);
  const chunks: Uint8Array[] = [];
  for (let chunk = await from.runner.readAhead(AGENT); chunk; chunk = await from.runner.readAhead(AGENT))
    chunks.push(chunk);
  await from.send(10, "last");
  await from.runner.freeze(AGENT, 1000);
  const counted = async (work: () => Promise<unknown>): Promise<number> => {
    const before = waits.at;
    await work();
    return waits.at - before;
  };
  const rest: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    const chunk = await from.runner.readImage(AGENT);
    if (chunk !== undefined) rest.push(chunk);
  };
  expect(await counted(read)).toBe(1);
  expect(await counted(read), "the end is known").toBe(0);
  expect(rest.length).toBe(1);
  await to.runner.expect(AGENT, manifest);
  await to.runner.stage(AGENT);
  for (const chunk of chunks) await to.runner.writeImage(AGENT, chunk);
  expect(
    await counted(() => to.runner.writeImage(AGENT, rest[0] as Uint8Array)),
    "flushed and replayed",
  ).toBe(1);
  const mail = { mailbox: [], asker: undefined, received: 10, sleepMs: undefined };
  expect(await counted(() => to.runner.finishImage(AGENT, mail)), "nothing is left to do").toBe(0);
});

test("what uses something immovable is not frozen to leave, and the refusal names it", async () => {
  const printer = {
    name: "printer",
    service: toolService({ run: async () => "printed" }),
    capability: "immovable" as const,
  };
  const node = new DomainNode(PROGRAMS, new Disk(), { services: [printer] });
  await node.start("collector-1", ["service/printer"]);
  await expect(node.gate.freeze(AGENT)).rejects.toMatchObject({
    code: "cells.immovable-capability",
    message: expect.stringContaining("printer"),
  });
  await expect(node.gate.precopy.begin(AGENT, 0)).rejects.toMatchObject({
    code: "cells.immovable-capability",
  });
  expect(await node.send(1, "a")).toBe("accepted");
});

test("a cell is frozen only after a call that may happen once has its outcome", async () => {
  const called = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<string>();
  const once: DurableProgram<never> = {
    name: "once",
    uses: ["pay"],
    run: () =>
      function* (sys, inbox, pay) {
        yield* sys.receive(inbox);
        yield* sys.exec(pay as never, "9 EUR");
        yield* sys.receive(inbox);
        return null;
      },
  };
  let calls = 0;
  const run = async (): Promise<string> => {
    calls += 1;
    called.resolve();
    return await answered.promise;
  };
  const services = [{ name: "pay", service: toolService({ run }) }];
  const [from, to] = [
    new DomainNode([once], new Disk(), { services }),
    new DomainNode([once], new Disk(), { services }),
  ];
  await from.start("once", ["service/pay"]);
  await from.send(1, "go");
  await called.promise;
  const moving = move(from, to, 2);
  await new Promise((resolve) => setImmediate(resolve));
  answered.resolve("paid");
  await moving;
  await to.send(2, "end");
  await until(() => to.heard.ended.length === 1);
  expect(to.heard.ended).toEqual([{ kind: "finished", status: 0 }]);
  expect(calls).toBe(1);
});

test("what uses a service that it is not granted, or that the node does not have, is refused by name", async () => {
  const node = new DomainNode(PROGRAMS);
  await expect(node.start("collector-1", ["service/http"])).rejects.toMatchObject({
    code: "cells.service-missing",
  });
  const greedy = { ...collector(1), name: "greedy", uses: [CELL_SERVICE, "http"] };
  await expect(new DomainNode([greedy]).start("greedy")).rejects.toMatchObject({
    code: "cells.bad-bundle",
    message: expect.stringContaining("http"),
  });
});

test("a message that no record holds comes without its bytes and says how many it had", async () => {
  const node = new DomainNode(PROGRAMS);
  await node.start("collector-1");
  const payload = new Uint8Array(MESSAGE_BYTES_MAX + 1);
  const verdict = node.gate.deliver({
    agent: AGENT,
    link: LINK,
    seq: 1,
    floor: 1,
    ask: false,
    payload,
    from: NODE,
  });
  if ("kept" in verdict) await verdict.kept;
  await node.send(2, "all", { ask: true });
  await until(() => node.heard.replies.length === 1);
  expect(node.heard.replies).toEqual([["2", `${payload.length},all`]]);
});

test("a thousand messages at once all come in order, and more wait at their sender", async () => {
  const node = new DomainNode(PROGRAMS);
  await node.start("collector-1000000");
  const sent = Array.from({ length: 1500 }, (_, n) => node.send(n + 1, `${n + 1}`));
  const verdicts = await Promise.all(sent);
  const accepted = verdicts.filter((verdict) => verdict === "accepted").length;
  expect(accepted).toBe(1000);
  expect(verdicts[1200]).toBe("retry");
  await node.send(accepted + 1, "all", { ask: true });
  await until(() => node.heard.replies.length === 1);
  expect(node.heard.replies[0]?.[1].split(",").slice(0, -1)).toEqual(
    Array.from({ length: accepted }, (_, n) => `${n + 1}`),
  );
});

test("a failure of the program ends its cell with its words", async () => {
  const failing: DurableProgram<never> = {
    name: "failing",
    run: () =>
      function* (sys, inbox) {
        yield* sys.receive(inbox);
        throw new RangeError("too far");
      },
  };
  const node = new DomainNode([failing]);
  await node.start("failing");
  await node.send(1, "a");
  await until(() => node.heard.ended.length === 1);
  expect(node.heard.ended).toEqual([{ kind: "failed", message: "too far" }]);
});

test("a stream of segments gives what was put in, whatever the chunks, and refuses rubbish", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 700 }),
      async (sizes, cut) => {
        const [from, to] = [createMemoryJournal(), createMemoryJournal()];
        for (const [n, size] of sizes.entries()) {
          await from.append({
            domain: "d",
            epoch: 1,
            firstSeq: n + 1,
            count: 1,
            body: new Uint8Array(size).fill(n),
          });
          if (n % 2 === 0) await from.seal("d");
        }
        const source = new SegmentSource(from, "d");
        const reader = new SegmentReader();
        for (let chunk = await source.rest(); chunk !== undefined; chunk = await source.rest())
          for (let at = 0; at < chunk.length; at += cut)
            for (const part of reader.push(chunk.subarray(at, at + cut)))
              if (part !== "anew") await to.acceptSegment(part);
        reader.end();
        expect((await to.head("d"))?.bytes).toBe((await from.head("d"))?.bytes);
      },
    ),
    { numRuns: 50 },
  );
  expect(() => [...new SegmentReader().push(new Uint8Array([255, 255, 255, 255]))]).toThrow(/4294967295/);
  const half = new SegmentReader();
  expect([...half.push(new Uint8Array([0, 0, 0, 9, 1]))]).toEqual([]);
  expect(() => half.end()).toThrow(/inside a segment/);
});

test("SS2: a checkpoint that removes segments between their list and their reading begins the stream anew", async () => {
  for (const removedAt of [1, 2, 3]) {
    const [from, to] = [createMemoryJournal(), createMemoryJournal()];
    const append = async (seq: number): Promise<void> => {
      const body = new Uint8Array(10).fill(seq);
      await from.append({ domain: "d", epoch: 1, firstSeq: seq, count: 1, body });
      await from.seal("d");
    };
    for (let seq = 1; seq <= 3; seq++) await append(seq);
    let reads = 0;
    const readSegment: typeof from.readSegment = async (domain, firstSeq) => {
      if (++reads === removedAt) {
        await append(4);
        await from.truncate("d", 4);
      }
      return from.readSegment(domain, firstSeq);
    };
    const source = new SegmentSource({ ...bound(from), readSegment }, "d");
    const reader = new SegmentReader();
    let came: Uint8Array[] = [];
    for (let chunk = await source.rest(); chunk !== undefined; chunk = await source.rest())
      for (const part of reader.push(chunk)) came = part === "anew" ? [] : [...came, part];
    for (const segment of came) await to.acceptSegment(segment);
    expect(await to.head("d")).toMatchObject({ firstSeq: 4, nextSeq: 5 });
  }
});

test("SS2: a journal whose segments are gone each of eight times is given up", async () => {
  const from = createMemoryJournal();
  await from.append({ domain: "d", epoch: 1, firstSeq: 1, count: 1, body: new Uint8Array(10) });
  let reads = 0;
  const readSegment: typeof from.readSegment = (domain) => {
    reads += 1;
    return from.readSegment(domain, 999);
  };
  const source = new SegmentSource({ ...bound(from), readSegment }, "d");
  await expect(source.rest()).rejects.toMatchObject({ code: "store.segment-unknown" });
  expect(reads).toBe(8);
});

function bound<Port extends object>(port: Port): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const value = (target as Record<string | symbol, unknown>)[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
    ownKeys: () => [
      "read",
      "readJoined",
      "head",
      "domains",
      "seal",
      "segments",
      "readSegment",
      "acceptSegment",
      "truncate",
      "remove",
      "close",
    ],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => setImmediate(resolve));
}

test("SS3: a segment in many chunks is copied a few times, not once for each chunk", () => {
  const length = 1_000_000;
  const stream = new Uint8Array(4 + length);
  new DataView(stream.buffer).setUint32(0, length);
  stream.fill(7, 4);
  const copies = vi.spyOn(Uint8Array.prototype, "set");
  const reader = new SegmentReader();
  const got: unknown[] = [];
  for (let at = 0; at < stream.length; at += 1000) got.push(...reader.push(stream.subarray(at, at + 1000)));
  const copied = copies.mock.calls.reduce((sum, [from]) => sum + from.length, 0);
  copies.mockRestore();
  expect(got).toEqual([stream.slice(4)]);
  expect(copied).toBeLessThanOrEqual(2 * stream.length);
});
