import { errorCodeOf } from "@glia-os/abi/errors";
import type { Blobs, Journal } from "@glia-os/abi/ports";
import { type DurableProgram, decodeRecord, KeptValue, KIND } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import fc from "fast-check";
import { expect, it } from "vitest";
import { chunksOf, LEAST, MOST } from "../src/content-chunks.ts";
import { TestWorld } from "./durable-world.ts";

/** Bytes that do not repeat. */
function noise(length: number, seed = 1): string {
  const units = new Uint16Array(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    units[i] = 97 + ((x >>> 24) % 26);
  }
  return Array.from(units, (unit) => String.fromCharCode(unit)).join("");
}

/** Gives back, at the end, how much everything it saw had. */
const reader: DurableProgram<string> = {
  name: "reader",
  uses: ["page"],
  run: (first) =>
    function* (sys, inbox, page): Routine<readonly unknown[]> {
      const text = yield* sys.exec<string>(page!, 1);
      const message = (yield* sys.receive(inbox!)) as string;
      return [first.length, text.length, message.length, text];
    },
};

const page = { service: toolService({ run: async () => noise(200_000, 7) }) };

async function allBlobs(blobs: Blobs): Promise<readonly string[]> {
  return (await blobs.list("", 10_000)).map(({ hash }) => hash);
}

async function bytesOf(journal: Journal, domain: string): Promise<number> {
  return (await journal.head(domain))?.bytes ?? 0;
}

it("R3: inputs, messages, answers and results of more than 64 KiB stand in the journal by hash and come out whole after a restart", async () => {
  const blobs = createMemoryBlobs();
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  await world.domains.start("r", reader, noise(100_000));
  await world.until(async () => (await bytesOf(world.journal, "r")) > 100);
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
  const domain = world.domains.get("r")!;
  await domain.tell(noise(70_000, 3));
  expect(await domain.result).toEqual([100_000, 200_000, 70_000, noise(200_000, 7)]);
  expect(await bytesOf(world.journal, "r")).toBeLessThan(4_000);
  world.restart();
  await world.domains.recover();
  expect(await world.domains.get("r")?.result).toMatchObject({ 3: noise(200_000, 7) });
});

it("a reader without blobs sees the parts of a value, and a program never gets them in place of it", async () => {
  const blobs = createMemoryBlobs();
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  await world.domains.start("r", reader, noise(100_000));
  for await (const { body } of world.journal.read("r", 1)) {
    const { record } = decodeRecord(body);
    if (record.kind === KIND.spawn) {
      expect(record.beginning.program).toBe("reader");
      expect(record.beginning.input).toBeInstanceOf(KeptValue);
      const { parts } = record.beginning.input as KeptValue;
      expect(await Promise.all(parts.map((part) => blobs.has(part)))).toEqual(parts.map(() => true));
    }
    break;
  }
  const without = new TestWorld([reader], { page }, world.journal);
  const { refused } = await without.domains.recover();
  expect(refused.map(({ error }) => errorCodeOf(error))).toEqual(["durable.value-missing"]);
});

it("LV2: a blob that is gone stops the recovery of its domain by name, and nothing is written", async () => {
  const blobs = createMemoryBlobs();
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  await world.domains.start("r", reader, noise(100_000));
  const [gone] = await blobs.list("", 1);
  await world.domains.close();
  await blobs.delete(gone!.hash, gone!.stamp);
  const before = await world.journal.head("r");
  world.restart();
  const [refusal] = (await world.domains.recover()).refused;
  expect(refusal?.error).toMatchObject({
    code: "durable.value-missing",
    details: { domain: "r", blob: gone?.hash },
  });
  expect(await world.journal.head("r")).toEqual(before);
});

it("LV1, O4: a record is appended after its blobs are durable, and those after it in their order", async () => {
  const inner = createMemoryBlobs();
  const held: (() => void)[] = [];
  const blobs: Blobs = Object.create(inner, {
    put: {
      value: async (bytes: Uint8Array) => {
        const hash = await inner.put(bytes);
        await new Promise<void>((resolve) => held.push(resolve));
        return hash;
      },
    },
  });
  const world = new TestWorld([counter], { page }, undefined, { blobs });
  let begun = false;
  const starting = world.domains.start("r", counter, noise(100_000)).then((domain) => {
    begun = true;
    return domain;
  });
  await world.until(async () => held.length > 0);
  expect([begun, await world.journal.head("r")]).toEqual([false, undefined]);
  for (const release of held.splice(0)) release();
  const domain = await starting;
  const told: number[] = [];
  const tell = (number: number, payload: string) => domain.tell(payload).then(() => told.push(number));
  const all = [tell(1, noise(100_000, 9)), tell(2, "small"), tell(3, "small too")];
  await world.until(async () => held.length > 0);
  expect(told).toEqual([]);
  await world.until(async () => {
    for (const release of held.splice(0)) release();
    return told.length === 3;
  });
  await Promise.all(all);
  expect(told).toEqual([1, 2, 3]);
});

it("without blobs a value takes at most 1 MiB, with them at most 16 MiB; a larger one is refused and nothing is recorded", async () => {
  const small = new TestWorld([reader], { page });
  const start = (world: TestWorld, length: number) =>
    world.domains.start(`r${length}`, reader, "x".repeat(length)).then(() => "started", errorCodeOf);
  expect(await start(small, 1_000_000)).toBe("started");
  expect(await start(small, 1_048_577)).toBe("durable.not-recordable");
  const large = new TestWorld([reader], { page }, undefined, { blobs: createMemoryBlobs() });
  expect(await start(large, 16_777_000)).toBe("started");
  expect(await start(large, 16_777_217)).toBe("durable.not-recordable");
  expect(await large.journal.head("r16777217")).toBeUndefined();
});

it("a blob store that is full loses the domain and acknowledges nothing", async () => {
  const blobs = createMemoryBlobs({ limits: { maxBlobs: 3 } });
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  expect(await world.domains.start("r", reader, noise(300_000)).catch(errorCodeOf)).toBe(
    "durable.domain-lost",
  );
  expect(await world.journal.head("r")).toBeUndefined();
});

/** Counts what it is told, up to three. */
const counter: DurableProgram<string> = {
  name: "counter",
  run: (first) =>
    function* (sys, inbox): Routine<number> {
      let sum = first.length;
      for (let i = 0; i < 3; i++) sum += ((yield* sys.receive(inbox!)) as string).length;
      return sum;
    },
};

/** Every round it keeps what it said: a transcript that grows. */
const talker: DurableProgram<number> = {
  name: "talker",
  uses: ["say"],
  run: (rounds) =>
    function* (sys, _inbox, say): Routine<number> {
      let transcript: readonly string[] = [];
      for (let i = 0; i < rounds; i++) transcript = yield* sys.exec<readonly string[]>(say!, i);
      return transcript.length;
    },
};

it("a transcript of 400,000 characters that a service gives back longer each time costs its delta", async () => {
  const blobs = createMemoryBlobs();
  const lines = Array.from({ length: 200 }, (_, i) => noise(2_000, i + 1));
  const say = {
    service: toolService({
      run: async () => {
        lines.push(noise(500, lines.length));
        return [...lines];
      },
    }),
  };
  const world = new TestWorld([talker], { say }, undefined, { blobs });
  const domain = await world.domains.start("t", talker, 50);
  expect(await domain.result).toBe(250);
  const kept = (await blobs.list("", 10_000)).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(kept).toBeGreaterThan(400_000);
  expect(kept).toBeLessThan(400_000 + 50 * 3 * 16_384);
  expect(await bytesOf(world.journal, "t")).toBeLessThan(50 * 2_500);
});

it("collectValues removes the blobs of forgotten domains and never one that a journal names", async () => {
  const blobs = createMemoryBlobs();
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  for (const name of ["a", "b"]) {
    const domain = await world.domains.start(name, reader, noise(100_000, name.charCodeAt(0)));
    await domain.tell(noise(90_000, 50 + name.charCodeAt(0)));
    await domain.result;
  }
  const both = await allBlobs(blobs);
  expect(await world.domains.collectValues()).toBe(0);
  await world.domains.forget("a");
  const removed = await world.domains.collectValues();
  expect(removed).toBeGreaterThan(5);
  expect((await allBlobs(blobs)).length).toBe(both.length - removed);
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["b"], refused: [] });
  await world.domains.forget("b");
  await world.domains.collectValues();
  expect(await allBlobs(blobs)).toEqual([]);
});

it("a blob whose record is on its way is not collected", async () => {
  const blobs = createMemoryBlobs();
  const world = new TestWorld([reader], { page }, undefined, { blobs });
  const starting = world.domains.start("a", reader, noise(100_000));
  await world.domains.collectValues();
  await starting;
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
});

it("CC1: chunks are the bytes in order, each of 8 KiB to 64 KiB but the last; CC2: what is put in front of bytes changes the first ones only", () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 300_000, size: "max" });
  fc.assert(
    fc.property(bytes, fc.uint8Array({ minLength: 1, maxLength: 5_000 }), (body, front) => {
      const chunks = chunksOf(body);
      expect(Buffer.compare(Buffer.concat(chunks), body)).toBe(0);
      for (const chunk of chunks.slice(0, -1)) {
        expect(chunk.length).toBeGreaterThanOrEqual(LEAST);
        expect(chunk.length).toBeLessThanOrEqual(MOST);
      }
      const moved = chunksOf(Buffer.concat([front, body]));
      expect(moved.length).toBeGreaterThanOrEqual(chunks.length - 1);
    }),
    { numRuns: 30 },
  );
  const body = Buffer.from(noise(1_000_000));
  const known = new Set(chunksOf(body).map((chunk) => Buffer.from(chunk).toString("latin1")));
  const moved = chunksOf(Buffer.concat([Buffer.from("something else in front"), body]));
  expect(moved.filter((chunk) => !known.has(Buffer.from(chunk).toString("latin1"))).length).toBeLessThan(6);
});
