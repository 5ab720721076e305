import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { Handle } from "@glia-os/kernel";
import { sendTo } from "@glia-os/kernel/ipc";
import {
  arrive,
  type Crossing,
  claim,
  crossThread,
  type Data,
  DEPTH_MAX,
  give,
  type Iso,
  iso,
  type Moved,
  move,
  PARTS_MAX,
  ref,
  Tags,
  type ThreadPort,
  val,
} from "@glia-os/kernel/reference";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf } from "./run.ts";

/** Crosses through a real message port, as a worker's does, and gives what arrived. */
function cross(message: unknown): unknown {
  const { port1, port2 } = new MessageChannel();
  try {
    crossThread({ post: (crossing, transfer) => port1.postMessage(crossing, [...transfer]) }, message);
    return arrive(receiveMessageOnPort(port2)?.message);
  } finally {
    port1.close();
  }
}

/** Plain data of every kind. */
const data = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
      fc.double(),
      fc.constant(undefined),
    ),
    fc.uint8Array({ maxLength: 8 }),
    fc.float64Array({ maxLength: 4 }),
    fc.array(tie("data"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("data"), { maxKeys: 4 }),
  ),
})).data;

test("RC1: a moved iso is dead: reading it, moving it again and giving it away fail with kernel.moved", () => {
  const codes = resultOf(function* (sys) {
    const box = sys.mailbox<Moved<{ n: number }>>();
    const job = iso({ n: 1 });
    const alive = [job.alive, job.value.n];
    yield* sys.send(box, move(job));
    const codes = [
      codeOf(() => job.value),
      codeOf(() => move(job)),
      codeOf(() => give(sys, box, job as Iso<{ n: number }>)),
    ];
    const received = yield* sys.receive(box);
    const mine = claim(received);
    return [alive, job.alive, codes, codeOf(() => claim(received)), mine.value.n, sys.tryReceive(box)];
  });
  expect(codes).toEqual([[true, 1], false, Array(3).fill("kernel.moved"), "kernel.moved", 1, undefined]);
});

test("RC1: nothing from before reaches an isolated value, and nothing the sender kept reaches a moved one", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const source = { list: [1], bytes };
  const first = iso(source);
  source.list.push(99);
  expect([bytes.length, first.value.list, [...first.value.bytes]]).toEqual([0, [1], [1, 2, 3]]);
  const kept = first.value;
  const second = claim(move(first));
  (kept.list as number[]).push(99);
  expect([kept.bytes.length, second.value.list, [...second.value.bytes]]).toEqual([0, [1], [1, 2, 3]]);
});

test("views of one buffer stay views of one buffer, at their places; cycles, maps and sets stay as they are", () => {
  const buffer = new ArrayBuffer(16);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const source = {
    a: new Uint8Array(buffer, 4, 4),
    b: new DataView(buffer, 4, 8),
    map: new Map<Data, Data>([["k", [1]]]),
    set: new Set<Data>([1, 2]),
    cycle: cycle as { [key: string]: Data },
  };
  const { value } = claim(move(iso(source)));
  value.b.setUint8(0, 7);
  expect([value.a[0], value.a.byteOffset, value.a.buffer === value.b.buffer, value.b.byteLength]).toEqual([
    7,
    4,
    true,
    8,
  ]);
  expect([value.map.get("k"), [...value.set], value.cycle["self"] === value.cycle]).toEqual([
    [1],
    [1, 2],
    true,
  ]);
  expect([value.cycle === cycle, buffer.detached]).toEqual([false, true]);
});

test("give moves when there is room, and changes nothing when there is none or the handle is dead", () => {
  const result = resultOf(function* (sys) {
    const box = sys.mailbox<Moved<number[]>>({ capacity: 1, overflow: "refuse" });
    const first = iso([1]);
    const second: Iso<number[]> = iso([2]);
    give(sys, box, first as Iso<number[]>);
    const codes = [
      codeOf(() => give(sys, box, second)),
      codeOf(() => give(sys, 5 as Handle<Moved<number[]>>, second)),
    ];
    return [first.alive, codes, second.alive, second.value, claim(yield* sys.receive(box)).value];
  });
  expect(result).toEqual([false, ["kernel.mailbox-full", "kernel.dead-handle"], true, [2], [1]]);
});

test("what is no plain data is not isolated, whatever it is, and its buffers stay", () => {
  const buffer = new ArrayBuffer(4);
  const bad: unknown[] = [
    () => 1,
    Symbol("s"),
    new (class Job {
      n = 1;
    })(),
    Buffer.from("pooled"),
    new SharedArrayBuffer(4),
    new Uint8Array(new SharedArrayBuffer(4)),
    detached(),
    Object.defineProperty({}, "x", { get: () => 1, enumerable: true }),
    { [Symbol("key")]: 1 },
    ref(1),
    iso(1),
    move(iso(1)),
    new Date(0),
    nested(DEPTH_MAX + 1),
  ];
  for (const value of bad) {
    const source = [buffer, value] as unknown as Data;
    expect([codeOf(() => iso(source)), buffer.byteLength], String(value?.constructor?.name)).toEqual([
      "kernel.not-isolable",
      4,
    ]);
  }
  expect(codeOf(() => iso(new Array(PARTS_MAX + 1) as Data))).toBe("kernel.value-too-large");
  const memory = new WasmMemory({ initial: 1 });
  expect(codeOf(() => iso(memory.buffer))).toBe("kernel.not-isolable");
  expect(iso(nested(DEPTH_MAX - 1)).alive).toBe(true);
});

const { Memory: WasmMemory } = (
  globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } };
  }
).WebAssembly;

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(1);
  buffer.transfer();
  return buffer;
}

function nested(levels: number): Data {
  let value: Data = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

test("RC3: bytes whose memory was moved away cannot be frozen", () => {
  const gone = new Uint8Array(4);
  gone.buffer.transfer();
  for (const value of [gone, gone.buffer, { deep: [gone] }])
    expect(codeOf(() => val(value as never))).toBe("kernel.not-freezable");
});

test("RC3: a val is frozen however deep, its maker keeps no way in, and its bytes can only be read", () => {
  const bytes = new Uint8Array([1, 2]);
  const source = { list: [{ n: 1 }], bytes };
  const fact = val(source);
  source.list[0]!.n = 2;
  bytes[0] = 9;
  const frozen = fact.value as unknown as {
    list: { n: number }[];
    bytes: { at(i: number): number; copy(): Uint8Array };
  };
  expect(() => {
    frozen.list[0]!.n = 3;
  }).toThrow(TypeError);
  expect(() => frozen.list.push({ n: 4 })).toThrow(TypeError);
  expect(() => Object.assign(fact, { value: 1 })).toThrow(TypeError);
  expect(() => Object.assign(frozen.bytes, { at: () => 5 })).toThrow(TypeError);
  frozen.bytes.copy().fill(8);
  expect([frozen.list, frozen.bytes.at(0), frozen.bytes.at(2), bytes.length]).toEqual([
    [{ n: 1 }],
    1,
    undefined,
    2,
  ]);
  for (const bad of [new Map(), new Set(), () => 1, new Date(0), ref(1)])
    expect(codeOf(() => val({ bad } as unknown as Data))).toBe("kernel.not-freezable");
});

test("RC5: the same thing has the same tag, another thing another, and a tag gives nothing but its id", () => {
  const tags = new Tags("node-1");
  const [a, b] = [{}, {}];
  const first = tags.of(a);
  expect([tags.of(a) === first, tags.of(b).id === first.id]).toEqual([true, false]);
  expect(Object.keys(tags.of(a)).sort()).toEqual(["id", "reference"]);
});

test("RC4: with checking on, a message with a ref or an unmoved iso, however deep, is refused and nothing is sent", () => {
  const program = (check: boolean) =>
    resultOf(
      function* (sys) {
        const box = sys.mailbox<unknown>();
        const channel = sys.channel<unknown>(1);
        const bad: unknown[] = [
          ref(1),
          iso(1),
          { deep: [new Map([["k", ref(1)]])] },
          new Set([{ a: iso([1]) }]),
        ];
        const codes = bad.map((message) => codeOf(() => sys.trySend(box, message)));
        for (const message of bad) {
          codes.push(codeOf(() => sys.send(box, message)));
          codes.push(codeOf(() => sys.call(box, message)));
          codes.push(codeOf(() => sys.select([sendTo(channel, message)])));
          codes.push(codeOf(() => sys.reply(message as never, message)));
        }
        sys.trySend(box, [move(iso(1)), val(1), new Tags("t").of({}), { plain: [new Date(0)] }]);
        const held: unknown[] = [];
        for (let m = sys.tryReceive(box); m !== undefined; m = sys.tryReceive(box)) held.push(m);
        return [codes, held.length, sys.tryReceive(channel)];
      },
      { checkReferences: check },
    );
  expect(program(true)).toEqual([Array(20).fill("kernel.not-sendable"), 1, undefined]);
});

test("without checking, messages are not looked at: the same ref arrives", () => {
  const shared = ref({ count: 0 });
  const same = resultOf(function* (sys) {
    const box = sys.mailbox<unknown>();
    sys.trySend(box, shared);
    return sys.tryReceive(box) === shared;
  });
  expect(same).toBe(true);
});

test("X1: a ref and an unmoved iso never cross to another thread, checked or not, wherever they lie", () => {
  const sent: unknown[] = [];
  const port: ThreadPort = { post: (message) => sent.push(message) };
  const bad: unknown[] = [
    ref(1),
    iso(1),
    { a: [ref(1)] },
    new Map([["k", ref(1)]]),
    new Set([[iso(1)]]),
    new Map([["k", val(1)]]),
    nested(DEPTH_MAX + 2),
  ];
  for (const message of bad) expect(codeOf(() => crossThread(port, message))).toBe("kernel.not-sendable");
  const moved = move(iso(1));
  expect(codeOf(() => crossThread(port, [moved, moved]))).toBe("kernel.not-sendable");
  expect(codeOf(() => crossThread(port, new Array(PARTS_MAX + 1).fill(0)))).toBe("kernel.value-too-large");
  expect([sent, moved.alive]).toEqual([[], true]);
});

test("X2: the buffers of a moved value cross without a copy: the sender's are detached, the value arrives once", () => {
  const job = iso({ name: "resize", pixels: new Uint8Array([1, 2, 3]) });
  const kept = job.value;
  const parcel = move(job);
  const inside = new Uint8Array(4);
  const arrived = cross({ parcel, plain: inside, n: 1 }) as { parcel: Moved<typeof kept>; plain: Uint8Array };
  const there = claim(arrived.parcel);
  expect([there.value.name, [...there.value.pixels]]).toEqual(["resize", [1, 2, 3]]);
  expect([parcel.alive, codeOf(() => claim(parcel)), kept.pixels.length]).toEqual([false, "kernel.moved", 0]);
  // What was not moved was copied.
  expect([inside.length, arrived.plain.length]).toEqual([4, 4]);
  expect(codeOf(() => cross(parcel))).toBe("kernel.moved");
});

test("X2: the transfer list is exactly the buffers of the moved values, so no byte of them is copied", () => {
  let listed: readonly ArrayBuffer[] = [];
  const big = move(iso([new Uint8Array(1 << 20), new Map<Data, Data>([["k", new Uint8Array(8)]])]));
  crossThread(
    {
      post(crossing, transfer) {
        listed = transfer;
        structuredClone(crossing, { transfer: [...transfer] });
      },
    },
    big,
  );
  expect(listed.map(({ detached }) => detached)).toEqual([true, true]);
});

test("X2: when the port fails, the moved value can still be taken up here", () => {
  const parcel = move(iso([1, 2]));
  const fail = () => cross([parcel, () => 1]);
  expect(fail).toThrow();
  expect(claim(parcel).value).toEqual([1, 2]);
});

test("X3: a val arrives frozen with the same memory, a tag with the same id", () => {
  const fact = val({ list: [[1]], bytes: new Uint8Array([5, 6]) });
  const tag = new Tags("here").of({});
  const arrived = cross({ fact, again: [fact.value], tag }) as unknown as {
    fact: typeof fact;
    again: (typeof fact)["value"][];
    tag: typeof tag;
  };
  expect([arrived.fact.value.list, arrived.fact.value.bytes.at(1), arrived.tag]).toEqual([[[1]], 6, tag]);
  expect([arrived.fact, arrived.fact.value, arrived.fact.value.list[0]].every(Object.isFrozen)).toBe(true);
  expect(arrived.again[0]?.bytes.at(0)).toBe(5);
});

test("X4: what is no crossing is refused with a typed error, whatever it is", () => {
  const good = { version: 1, body: { a: 1 }, marks: [] } as const;
  const bad: unknown[] = [
    undefined,
    5,
    { ...good, version: 2 },
    { ...good, marks: 1 },
    { ...good, marks: [5] },
    { ...good, marks: [[["a", "b"], "val"]] },
    { ...good, marks: [[["__proto__"], "val"]] },
    { ...good, marks: [[["a"], "bytes"]] },
    { ...good, marks: [[["a"], "tag"]] },
    { ...good, marks: [[["a"], "ref"]] },
    { version: 1, body: new Map(), marks: [[["size"], "val"]] },
    { version: 1, body: new Date(0), marks: [[[], "val"]] },
  ];
  for (const crossing of bad)
    expect(
      codeOf(() => arrive(crossing)),
      JSON.stringify(crossing),
    ).toBe("kernel.bad-crossing");
  fc.assert(
    fc.property(fc.anything(), fc.array(fc.anything()), (body, marks) => {
      const code = codeOf(() => arrive({ version: 1, body, marks } as unknown as Crossing));
      expect(["nothing was thrown", "kernel.bad-crossing"]).toContain(code);
    }),
  );
});

test("any plain data is equal to itself after isolating, moving, crossing and claiming", () => {
  fc.assert(
    fc.property(data, (value) => {
      const before = structuredClone(value);
      const here = claim(move(iso(value)));
      expect(here.value).toEqual(before);
      const there = claim(cross(move(here)) as Moved<Data>);
      expect(there.value).toEqual(before);
    }),
  );
});
