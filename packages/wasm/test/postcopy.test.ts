/**
 * Post-copy within one process, the guest in a thread of its own (OS1 to OS5 of source.ts, OT1 to OT4 of target.ts, RE1 to RE3 of
 * residence.ts, MP1 and MP2 of missing-pages.ts).
 *
 * `GLIA_WASM_SEEDS` sets how many random modules are moved, `GLIA_WASM_SEED` the first seed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import {
  BadLimitError,
  createWasmEngine,
  MemoryLimitError,
  NotResidentError,
  PostCopyCorruptError,
  type PostCopyOptions,
  PostCopyOrderError,
  PostCopySource,
  PostCopyTarget,
  PreCopySource,
  SnapshotMismatchError,
  SnapshotVersionError,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import type { End, FromThread, GuestThread, ToGuest } from "./fixtures/postcopy-guest.ts";
import { startGuest } from "./fixtures/postcopy-peer.ts";
import { assemble, RecordingHost } from "./guest.ts";
import { randomFrom, randomModule } from "./random-module.ts";
import { rewritingModule } from "./rewriting.ts";

const first = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);
const count = Number(process.env["GLIA_WASM_SEEDS"] ?? (process.env["GLIA_SOAK"] === "1" ? 100 : 5));
const threads: Worker[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function thread(data: GuestThread): Worker {
  const started = startGuest(data);
  threads.push(started);
  return started;
}

/** The next message of a kind. */
async function said<Key extends string>(
  from: Worker,
  key: Key,
): Promise<Extract<FromThread, { readonly [K in Key]: unknown }>> {
  for (;;) {
    const [message] = (await once(from, "message")) as [FromThread];
    if (key in message) return message as Extract<FromThread, { readonly [K in Key]: unknown }>;
  }
}

function tell(to: Worker, target: PostCopyTarget): void {
  const handover = target.take();
  to.postMessage({ handover } satisfies ToGuest, [handover.port]);
}

/** After so many rounds, hands a guest over to a thread, and sends pages as soon as it asks for the first one, until it ends. */
async function moved(
  it: WasmInstance,
  program: WasmProgram,
  guest: Worker,
  options: PostCopyOptions,
  rounds = 0,
): Promise<{ readonly end: End; readonly wanted: number }> {
  const source = new PostCopySource(it, options);
  let wanted = 0;
  const target = new PostCopyTarget(program, {}, (answer) => {
    if (answer[0] === 1) wanted += 1;
    source.answered(answer);
    if (answer[0] !== 3) setImmediate(pump);
  });
  const pump = (): void => {
    for (let piece = source.next(); piece !== undefined; piece = source.next()) target.push(piece);
  };
  while (source.rounds < rounds) {
    for (const piece of source.round()) {
      target.push(piece);
      it.step(undefined, 1000);
    }
  }
  for (const piece of source.handOver()) target.push(piece);
  tell(guest, target);
  const ended = said(guest, "ended");
  const { ended: end } = await ended;
  target.dispose();
  return { end, wanted };
}

/** Answers as the host of the thread does. */
class SameHost extends RecordingHost {
  override wallMs(): number {
    return 1_700_000_000_000;
  }
  override random(target: Uint8Array): void {
    target.fill(9);
  }
}

/** The guest in the middle of what it does, and what it comes to when it stays. */
async function begun(
  module: Uint8Array,
  part: number,
): Promise<{ readonly program: WasmProgram; readonly it: WasmInstance; readonly expected: Partial<End> }> {
  const program = await createWasmEngine().admit(module, ["glia.v1"]);
  const host = new SameHost();
  const whole = program.instantiate({}, host);
  const step = (one: WasmInstance, fuel: number): ReturnType<WasmInstance["step"]> =>
    one.step(one.pending === undefined ? undefined : { value: 0 }, fuel);
  let outcome = step(whole, 2 ** 40);
  while (outcome.kind === "yielded" || outcome.kind === "pending") outcome = step(whole, 2 ** 40);
  const status = outcome.kind === "finished" ? outcome.status : undefined;
  const it = program.instantiate({}, new SameHost());
  step(it, Math.max(1, Math.ceil(whole.fuelUsed * part)));
  const reply = Buffer.from(host.replies[0] ?? []).toString("hex");
  return { program, it, expected: { outcome: outcome.kind, status, fuel: whole.fuelUsed, reply } };
}

/** All of a post-copy of a small guest, as pieces, none of it asked for. */
async function stream(): Promise<{
  readonly program: WasmProgram;
  readonly pieces: readonly Uint8Array[];
  /** Pieces up to the end of the hand-over. */
  readonly head: number;
}> {
  const { program, it } = await begun(await rewritingModule(4, 65_536, 30), 0.5);
  const source = new PostCopySource(it, { window: 1024, pushPages: 8 });
  const pieces = [...source.handOver()];
  const head = pieces.length;
  for (let piece = source.next(); piece !== undefined; piece = source.next()) pieces.push(piece);
  return { program, pieces, head };
}

describe("a guest moved by post-copy", () => {
  it("asks for what it touches and ends with the same result and fuel, with rounds before or without", {
    timeout: 120_000,
  }, async () => {
    const module = await rewritingModule(64, 300_000, 30);
    for (const rounds of [0, 2]) {
      const { program, it: one, expected } = await begun(module, 0.7);
      const guest = thread({ module, seed: first, mostSlice: 200_000, stays: true });
      const tracking = rounds === 0 ? {} : { tracking: await program.tracking() };
      const { end, wanted } = await moved(one, program, guest, { ...tracking, window: 1 }, rounds);
      expect(end).toEqual({ ...expected, arrivals: 1 });
      expect(wanted).toBeGreaterThan(0);
    }
  });

  it("computes the same whatever it is: random modules, stopped anywhere, every page missing", {
    timeout: 300_000,
  }, async () => {
    for (let seed = first; seed < first + count; seed++) {
      const { bytes } = await instrument(assemble(randomModule(seed)), { profile: "preemptive" });
      const { program, it: one, expected } = await begun(bytes, randomFrom(seed)(100) / 100);
      if (one.preemptible && one.missingPages === 0 && expected.outcome === "finished") {
        const guest = thread({ module: bytes, seed, mostSlice: 100_000, stays: true });
        let end: End;
        try {
          ({ end } = await moved(one, program, guest, { readAhead: 1, window: 1, pushPages: 1 }));
        } catch (error) {
          // It had ended before it could be moved.
          expect(error, `seed ${seed}`).toMatchObject({ code: expect.stringMatching(/ended|pending/) });
          continue;
        }
        expect({ ...end, arrivals: 0 }, `seed ${seed}`).toEqual({ ...expected, arrivals: 0 });
      }
    }
    console.log(`seeds ${first} to ${first + count - 1}`);
  });

  it("grows its memory, and its host looks at ranges that are missing, while pages are on the way (OC4)", async () => {
    const module = (
      await instrument(
        assemble(`(module
          (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
          (import "glia.v1" "random" (func $random (param i32 i32) (result i32)))
          (import "glia.v1" "yield" (func $yield (result i32)))
          (memory 8 64)
          (func (export "glia_main") (result i32)
            (memory.fill (i32.const 0) (i32.const 3) (i32.const 524288))
            (drop (call $yield))
            (drop (memory.grow (i32.const 20)))
            (i32.store (i32.const 1835000) (i32.const 77))
            (drop (call $random (i32.const 299990) (i32.const 20000)))
            (drop (call $reply (i32.const 290000) (i32.const 40000)))
            (i32.add (i32.load (i32.const 1835000)) (memory.size))))`),
        { profile: "preemptive" },
      )
    ).bytes;
    const program = await createWasmEngine().admit(module, ["glia.v1"]);
    const fresh = program.instantiate({}, new RecordingHost());
    expect(fresh.step(undefined, 2 ** 40).kind).toBe("pending");
    const guest = thread({ module, seed: first, mostSlice: 1_000_000, stays: true });
    const { end } = await moved(fresh, program, guest, { readAhead: 1, window: 1, pushPages: 1 });
    const bytes = Buffer.alloc(40_000, 3).fill(9, 9990, 29_990);
    expect(end).toMatchObject({ outcome: "finished", status: 77 + 28, reply: bytes.toString("hex") });
  });

  it("is not copied, tracked or moved on before all of it is there, and is afterwards (OC6)", async () => {
    const { program, pieces, head } = await stream();
    const target = new PostCopyTarget(program, {}, () => undefined);
    for (const piece of pieces.slice(0, head)) target.push(piece);
    const there = program.arrive(await program.presence(), target.take(), {}, new RecordingHost());
    expect(there.missingPages).toBe(64);
    expect(() => there.snapshot()).toThrow(NotResidentError);
    expect(() => new PostCopySource(there).handOver().next()).toThrow(NotResidentError);
    const tracking = await program.tracking("shared");
    expect(() => new PreCopySource(there, tracking)).toThrow(NotResidentError);
    for (const piece of pieces.slice(head)) target.push(piece);
    expect([target.complete, there.missingPages]).toEqual([true, 0]);
    expect(there.snapshot().sections["memory"]?.length).toBe(4 * 65_536);
    const privately = await program.tracking();
    expect(() => new PreCopySource(there, privately)).toThrow(SnapshotMismatchError);
    new PreCopySource(there, tracking).cancel();
    expect(there.step(undefined, 1000).kind).toBe("yielded");
  });
});

describe("a guest whose source is gone", () => {
  it("is lost with a typed error when it needs a page that did not come, and not before (RE1)", async () => {
    const module = await rewritingModule(16, 300_000, 1000);
    for (const how of ["lose", "damage", "silence"] as const) {
      const { program, it: one } = await begun(module, 0.5);
      const stepMs = how === "silence" ? 200 : 60_000;
      const guest = thread({ module, seed: first, mostSlice: 200_000, stays: true, stepMs });
      const source = new PostCopySource(one);
      const asked: number[] = [];
      const target = new PostCopyTarget(program, {}, (answer) => asked.push(answer[0] as number));
      for (const piece of source.handOver()) target.push(piece);
      tell(guest, target);
      const ended = said(guest, "ended");
      await said(guest, "arrived");
      const push = source.next() as Uint8Array;
      if (how === "lose") target.lose();
      if (how === "damage") {
        push[100] = (push[100] as number) ^ 1;
        expect(() => target.push(push)).toThrow(PostCopyCorruptError);
      }
      expect((await ended).ended).toMatchObject({ outcome: "failed", error: "wasm.postcopy-lost" });
      target.dispose();
    }
  });

  it("fails the step when the message it waits for belongs into a page that will not come", async () => {
    const module = (
      await instrument(
        assemble(`(module (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32))) (memory 2)
          (func (export "glia_main") (result i32) (call $receive (i32.const 70000) (i32.const 8))))`),
      )
    ).bytes;
    const program = await createWasmEngine().admit(module, ["glia.v1"]);
    const it = program.instantiate({}, new RecordingHost());
    it.step();
    const source = new PostCopySource(it);
    const target = new PostCopyTarget(program, {}, () => undefined);
    for (const piece of source.handOver()) target.push(piece);
    const there = program.arrive(await program.presence(), target.take(), {}, new RecordingHost());
    target.lose();
    const outcome = there.step({ value: 0, payload: Uint8Array.of(1) });
    expect(outcome).toMatchObject({ kind: "failed", error: { code: "wasm.postcopy-lost" } });
    expect(() => there.step()).toThrow("the instance has failed");
  });

  it("is lost when the process it comes from is killed in the middle of its pages", async () => {
    const module = await rewritingModule(64, 1_000_000, 1000);
    const other: ChildProcess = fork(
      fileURLToPath(new URL("./fixtures/postcopy-doomed.ts", import.meta.url)),
      {
        execArgv: ["--conditions=@glia-os/source", "--disable-warning=ExperimentalWarning"],
        serialization: "advanced",
      },
    );
    const program = await createWasmEngine().admit(module, ["glia.v1"]);
    const guest = thread({ module, seed: first, mostSlice: 2_000_000, stays: true });
    const ended = said(guest, "ended");
    const target = new PostCopyTarget(program, {}, (answer) => {
      // What nobody acknowledges is followed by no more than the window; what the guest waits for is never sent.
      if (answer[0] === 2) other.kill("SIGKILL");
    });
    other.on("message", (piece: Uint8Array) => {
      const before = target.handedOver;
      target.push(piece);
      if (!before && target.handedOver) tell(guest, target);
    });
    other.send(module);
    const [, signal] = await once(other, "exit");
    target.lose();
    expect(signal).toBe("SIGKILL");
    expect(target.left).toBeGreaterThan(0);
    expect((await ended).ended).toMatchObject({ outcome: "failed", error: "wasm.postcopy-lost" });
  });
});

describe("the target of a post-copy", () => {
  const taking = (program: WasmProgram): PostCopyTarget => new PostCopyTarget(program, {}, () => undefined);

  it("takes pieces of any size, and says of each push that it was taken", async () => {
    const { program, pieces } = await stream();
    const all = Buffer.concat(pieces);
    const below = randomFrom(first);
    const answers: number[] = [];
    const target = new PostCopyTarget(program, {}, (answer) => answers.push(answer[0] as number));
    for (let at = 0; at < all.length; ) {
      const size = 1 + below(5000);
      target.push(all.subarray(at, at + size));
      at += size;
    }
    expect([target.complete, target.left]).toEqual([true, 0]);
    expect(answers).toEqual([3, ...Array.from({ length: 9 }, () => 2)]);
    target.take();
    expect(() => target.take()).toThrow(PostCopyOrderError);
    expect(() => target.push(Uint8Array.of(1))).toThrow(PostCopyCorruptError);
    target.dispose();
  });

  it("refuses every flipped bit, and shows no damaged page to a guest (OT2)", async () => {
    const { program, pieces } = await stream();
    const all = Buffer.concat(pieces);
    const below = randomFrom(first);
    console.log(`seed ${first}`);
    const places = [
      ...Array(400).keys(),
      ...Array.from({ length: 200 }, () => below(all.length)),
      all.length - 1,
    ];
    for (const at of places) {
      const damaged = Buffer.from(all);
      damaged[at] = (damaged[at] as number) ^ (1 << below(8));
      const target = taking(program);
      let refusal: unknown;
      try {
        target.push(damaged);
      } catch (error) {
        refusal = error;
      }
      // A state that claims to be longer than the stream is waited for, and nothing is handed over.
      if (target.handedOver || refusal !== undefined)
        expect(refusal, `byte ${at}`).toMatchObject({ code: expect.stringMatching(/^wasm\./) });
      expect(target.complete).toBe(false);
      target.dispose();
    }
  });

  it("refuses a push that is left out, sent twice or sent in another order", async () => {
    const { program, pieces, head } = await stream();
    const [before, [one, two, ...rest]] = [pieces.slice(0, head), pieces.slice(head)] as [
      Uint8Array[],
      [Uint8Array, Uint8Array, ...Uint8Array[]],
    ];
    for (const wrong of [
      [two],
      [one, one],
      [one, ...rest],
      [one, ...rest.slice(0, 0), rest[0] as Uint8Array],
    ]) {
      const target = taking(program);
      expect(() => {
        for (const piece of [...before, ...wrong]) target.push(piece);
      }).toThrow(PostCopyCorruptError);
      target.dispose();
    }
    const short = taking(program);
    for (const piece of [...before, one]) short.push(piece);
    expect([short.complete, short.left]).toEqual([false, 56]);
    short.dispose();
  });

  it("refuses a page that is not missing, an empty push and an early end, however well they are digested", async () => {
    const { program, pieces, head } = await stream();
    const before = Buffer.concat(pieces.slice(0, head + 1));
    const digested = (content: Uint8Array): Uint8Array =>
      Buffer.concat([content, createHash("sha256").update(before).update(content).digest()]);
    const again = Buffer.from((pieces[head] as Uint8Array).subarray(0, -32));
    again.writeUInt32LE(2, 1);
    const empty = Buffer.alloc(5 + 76);
    empty.set([7, 2, 0, 0, 0, 1]);
    for (const content of [again, empty, Uint8Array.of(8, 2, 0, 0, 0), Uint8Array.of(9, 2, 0, 0, 0)]) {
      const target = taking(program);
      target.push(before);
      expect(() => target.push(digested(content))).toThrow(PostCopyCorruptError);
      target.dispose();
    }
  });

  it("refuses more memory than its limit, another module, another version and what is no post-copy", async () => {
    const { program, pieces } = await stream();
    const all = Buffer.concat(pieces);
    const small = new PostCopyTarget(program, { memoryPages: 3 }, () => undefined);
    expect(() => small.push(all)).toThrow(MemoryLimitError);
    const other = await createWasmEngine().admit(await rewritingModule(4, 64, 1), ["glia.v1"]);
    expect(() => taking(other).push(all)).toThrow(SnapshotMismatchError);
    const newer = Buffer.from(all);
    newer[4] = 2;
    expect(() => taking(program).push(newer)).toThrow(SnapshotVersionError);
    expect(() => taking(program).push(Buffer.from("nothing of the kind"))).toThrow(PostCopyCorruptError);
    expect(() => taking(program).take()).toThrow(PostCopyOrderError);
  });
});

describe("the source of a post-copy", () => {
  it("goes in order: rounds with tracking, one hand-over, pushes with the guest stopped (OS1)", async () => {
    const { program, it } = await begun(await rewritingModule(4, 65_536, 30), 0.5);
    const source = new PostCopySource(it, { tracking: await program.tracking() });
    const target = new PostCopyTarget(program, {}, (answer) => source.answered(answer));
    expect(source.prepared).toBe(false);
    target.push(source.start());
    expect(source.prepared).toBe(true);
    expect(() => source.start()).toThrow(PostCopyOrderError);
    expect(source.next()).toBeUndefined();
    expect(() => new PostCopySource(it).round().next()).toThrow(PostCopyOrderError);
    const round = source.round();
    round.next();
    expect(() => source.handOver().next()).toThrow(PostCopyOrderError);
    for (const _ of round);
    expect([source.rounds, source.dirtyPages]).toEqual([1, 0]);
    it.step(undefined, 100_000);
    const dirty = source.dirtyPages;
    for (const _ of source.handOver());
    expect(source.left).toBe(dirty);
    expect(() => source.handOver().next()).toThrow(PostCopyOrderError);
    it.step(undefined, 1000);
    expect(() => source.next()).toThrow(PostCopyOrderError);
    source.cancel();
    expect(it.step(undefined, 1000).kind).toBe("yielded");
  });

  it("sends no more than 63 rounds before the hand-over, which the target takes", async () => {
    const { program, it } = await begun(await rewritingModule(4, 65_536, 30), 0.5);
    const source = new PostCopySource(it, { tracking: await program.tracking() });
    const target = new PostCopyTarget(program, {}, (answer) => source.answered(answer));
    for (let left = 63; left > 0; left--) for (const piece of source.round()) target.push(piece);
    expect(target.rounds).toBe(63);
    for (const piece of source.handOver()) target.push(piece);
    expect([target.handedOver, target.left]).toEqual([true, 0]);
    target.dispose();
    const again = new PostCopySource(program.instantiate({}, new RecordingHost()));
    expect(() => again.handOver().next()).toThrow("waits for no call");
    source.cancel();
    const more = new PostCopySource(it, { tracking: await program.tracking() });
    for (let left = 63; left > 0; left--) for (const _ of more.round());
    expect(() => more.round().next()).toThrow(PostCopyOrderError);
  });

  it("sends what is asked for next, with what is behind it, and no more unasked than its window (OS2, OS3)", async () => {
    const { it } = await begun(await rewritingModule(4, 65_536, 30), 0.5);
    const source = new PostCopySource(it, { window: 2, pushPages: 1, readAhead: 3 });
    for (const _ of source.handOver());
    expect([source.next(), source.next(), source.next()].map((piece) => piece !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
    source.answered(Uint8Array.of(1, 40, 0, 0, 0));
    source.answered(Uint8Array.of(1, 41, 0, 0));
    source.answered(Uint8Array.of(0));
    const push = source.next() as Uint8Array;
    expect([...push.subarray(17, 23)]).toEqual([0, 0, 0, 0, 0, 0b111]);
    expect(source.next()).toBeUndefined();
    expect(source.left).toBe(64 - 5);
    for (const number of [1, 2]) source.answered(Uint8Array.of(2, number, 0, 0, 0));
    expect([...(source.next() as Uint8Array).subarray(22, 23)]).toEqual([0b1000]);
  });

  it.each([
    ["a page that does not exist", [1, 64, 0, 0, 0]],
    ["a push that was not sent", [2, 1, 0, 0, 0]],
    ["memory for another number of pages", [3, 5, 0, 0, 0]],
    ["something else", [4, 0, 0, 0, 0]],
  ])("refuses an answer about %s, and sends nothing more (OS4)", async (_, answer) => {
    const { it } = await begun(await rewritingModule(4, 65_536, 30), 0.5);
    const source = new PostCopySource(it);
    for (const __ of source.handOver());
    expect(() => source.answered(Uint8Array.from(answer))).toThrow(PostCopyCorruptError);
    expect(() => source.next()).toThrow(PostCopyOrderError);
  });

  it("refuses options out of range, and more than 64 pages asked for at once", async () => {
    const { it } = await begun(await rewritingModule(8, 65_536, 30), 0.5);
    for (const options of [{ readAhead: 0 }, { readAhead: 257 }, { pushPages: 0.5 }, { window: 1025 }])
      expect(() => new PostCopySource(it, options)).toThrow(BadLimitError);
    const source = new PostCopySource(it);
    for (const _ of source.handOver());
    const ask = (page: number): void => source.answered(Uint8Array.of(1, page, 0, 0, 0));
    for (let page = 0; page < 64; page++) ask(page);
    expect(() => ask(64)).toThrow(PostCopyCorruptError);
  });
});
