/** Guests in several threads (GP1 to GP4 of pool.ts, WL1 to WL3 of worker-link.ts). */
import { setImmediate } from "node:timers/promises";
import { RemoteError } from "@glia-os/abi/errors";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { instrument } from "../src/pipeline/index.ts";
import {
  BadGuestOptionError,
  BadMessageError,
  createGuestPool,
  GuestLostError,
  type GuestPool,
  type GuestPoolOptions,
  GuestUnknownError,
  NoReplyError,
  PoolBusyError,
  PoolClosedError,
  type PoolGuestEnd,
  ProgramUnknownError,
  TooManyGuestsError,
  WorkerFailedError,
} from "../src/pool/index.ts";
import { MOST_WAITING } from "../src/pool/worker-link.ts";
import { assemble, u32 } from "./guest.ts";
import { GUESTS, type GuestName } from "./hosted.ts";

const modules = new Map<string, Uint8Array>();
let misbehaving: Uint8Array;
const ALL: readonly GuestName[] = ["echo", "sum", "spin", "silent", "sleeper", "deep"];
const GRANTS = ["glia.v1"];
const SETUP = new URL("./pool-setup.ts", import.meta.url);

/** Message 0: end the thread. 1: never come back from a host call. Others: ask for message minus 10, and reply with the answer. */
const MISBEHAVING = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (import "test.v1" "die" (func $die)) (import "test.v1" "spin" (func $spin))
  (import "test.v1" "ask" (func $ask (param i32) (result i32)))
  (memory 1 4)
  (func (export "glia_main") (result i32) (local $what i32)
    (loop $again
      (drop (call $receive (i32.const 64) (i32.const 4)))
      (local.set $what (i32.load (i32.const 64)))
      (if (i32.eqz (local.get $what)) (then (call $die)))
      (if (i32.eq (local.get $what) (i32.const 1)) (then (call $spin)))
      (i32.store (i32.const 64) (call $ask (i32.sub (local.get $what) (i32.const 10))))
      (drop (call $reply (i32.const 64) (i32.const 4)))
      (br $again))
    (unreachable)))`;

beforeAll(async () => {
  for (const name of ALL)
    modules.set(name, (await instrument(assemble(GUESTS[name]), { profile: "preemptive" })).bytes);
  const plain = await instrument(assemble(GUESTS.spin), { profile: "cooperative" });
  modules.set("endless", plain.bytes);
  misbehaving = (await instrument(assemble(MISBEHAVING), { suspending: ["test.v1/ask"] })).bytes;
});

const open: GuestPool[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
});

interface Watched {
  readonly pool: GuestPool;
  readonly ended: Map<number, PoolGuestEnd>;
  readonly until: (guest: number) => Promise<PoolGuestEnd>;
}

async function poolWith(names: readonly string[], options: GuestPoolOptions = {}): Promise<Watched> {
  const ended = new Map<number, PoolGuestEnd>();
  const pool = createGuestPool({
    workers: 2,
    watchMs: 20,
    ...options,
    events: { ended: (guest, end) => ended.set(guest, end) },
  });
  open.push(pool);
  for (const name of names) await pool.admit(name, modules.get(name) as Uint8Array, GRANTS);
  const until = async (guest: number): Promise<PoolGuestEnd> => {
    for (;;) {
      const end = ended.get(guest);
      if (end !== undefined) return end;
      await setImmediate();
    }
  };
  return { pool, ended, until };
}

function numberIn(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

describe("a pool", () => {
  it("spreads guests over its threads and answers each from its own state (GP1)", async () => {
    const { pool } = await poolWith(["sum"]);
    const guests = await Promise.all(Array.from({ length: 20 }, () => pool.spawn("sum")));
    expect(new Set(guests).size).toBe(20);
    expect((await pool.counts()).map(({ guests: count }) => count)).toEqual([10, 10]);
    for (let round = 1; round <= 5; round++) {
      const replies = await Promise.all(guests.map((guest, at) => pool.ask(guest, u32(at))));
      expect(replies.map(numberIn)).toEqual(guests.map((_, at) => at * round));
    }
  });

  it("answers while guests that never wait run in the same thread, and stops those", async () => {
    const { pool, until } = await poolWith(["spin", "echo"], { workers: 1 });
    const hogs = await Promise.all(Array.from({ length: 8 }, () => pool.spawn("spin")));
    const echo = await pool.spawn("echo");
    for (let value = 0; value < 50; value++) expect(numberIn(await pool.ask(echo, u32(value)))).toBe(value);
    for (const hog of hogs) await pool.stop(hog);
    for (const hog of hogs) expect(await until(hog)).toEqual({ kind: "stopped" });
    expect(pool.size).toBe(1);
  });

  it("moves a guest to another pool in the middle of its work, by its snapshot", async () => {
    const [one, two] = [await poolWith(["sum"]), await poolWith(["sum"])];
    let guest = await one.pool.spawn("sum");
    for (const value of [1, 2, 3]) await one.pool.ask(guest, u32(value));
    for (let hop = 0; hop < 6; hop++) {
      const [from, to] = hop % 2 === 0 ? [one.pool, two.pool] : [two.pool, one.pool];
      const snapshot = await from.snapshot(guest);
      await from.stop(guest);
      guest = await to.restore("sum", snapshot);
      expect(numberIn(await to.ask(guest, u32(1)))).toBe(7 + hop);
    }
    await expect(one.pool.restore("sum", new Uint8Array(100))).rejects.toMatchObject({
      remote: { code: "wasm.snapshot-corrupt" },
    });
  });

  it("puts guests away that have waited for a while, and wakes them with a message", async () => {
    const { pool } = await poolWith(["sum"], { workers: 1, idleMs: 20 });
    const guests = await Promise.all(Array.from({ length: 100 }, () => pool.spawn("sum")));
    await Promise.all(guests.map((guest) => pool.ask(guest, u32(guest))));
    for (let live = 1; live > 0; ) {
      live = (await pool.counts())[0]?.live as number;
      await setImmediate();
    }
    expect(numberIn(await pool.ask(guests[7] as number, u32(1)))).toBe((guests[7] as number) + 1);
  });

  it("settles what is asked once: refused, not answered, or ended with the guest (GP3)", async () => {
    const { pool, until } = await poolWith(["silent", "deep"]);
    const silent = await pool.spawn("silent", { mailbox: 2, limits: { messageBytes: 64 } });
    const first = pool.ask(silent, u32(1));
    const second = pool.ask(silent, u32(2));
    await expect(first).rejects.toBeInstanceOf(NoReplyError);
    await expect(pool.ask(silent, new Uint8Array(65))).rejects.toMatchObject({
      remote: { code: "wasm.payload-too-big" },
    });
    await pool.stop(silent);
    await expect(second).rejects.toBeInstanceOf(NoReplyError);
    await expect(pool.ask(silent, u32(3))).rejects.toBeInstanceOf(GuestUnknownError);
    const deep = await pool.spawn("deep");
    const end = await until(deep);
    expect(end).toMatchObject({ kind: "failed", error: { remote: { code: "wasm.stack-exhausted" } } });
  });

  it("refuses messages that are no bytes", async () => {
    const { pool } = await poolWith(["echo"], { workers: 1 });
    const guest = await pool.spawn("echo");
    for (const rubbish of [
      "text",
      null,
      undefined,
      7,
      [1, 2],
      new Float64Array(2),
    ] as unknown as Uint8Array[]) {
      expect(() => pool.tell(guest, rubbish)).toThrow(BadMessageError);
      await expect(pool.ask(guest, rubbish)).rejects.toBeInstanceOf(BadMessageError);
    }
    expect(numberIn(await pool.ask(guest, u32(1)))).toBe(1);
  });

  it("tells everybody although a listener throws", async () => {
    const thrown: unknown[] = [];
    const listen = (error: unknown): void => void thrown.push(error);
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", listen);
    try {
      const ended: number[] = [];
      const pool = createGuestPool({
        workers: 1,
        events: {
          ended: (guest) => {
            ended.push(guest);
            throw new TypeError(`told of ${guest}`);
          },
        },
      });
      open.push(pool);
      await pool.admit("deep", modules.get("deep") as Uint8Array, GRANTS);
      const guests = await Promise.all([1, 2, 3].map(() => pool.spawn("deep")));
      while (thrown.length < 3) await setImmediate();
      expect(ended.toSorted()).toEqual(guests.toSorted());
    } finally {
      process.off("uncaughtException", listen);
      for (const one of before) process.on("uncaughtException", one);
    }
  });

  it("sends the bytes of a view and not the memory behind it", async () => {
    const { pool } = await poolWith(["echo"]);
    const guest = await pool.spawn("echo");
    const view = new Uint8Array(64 * 1024 * 1024).subarray(5, 9);
    view.set([1, 2, 3, 4]);
    expect([...(await pool.ask(guest, view))]).toEqual([1, 2, 3, 4]);
  });
});

describe("a thread that dies or hangs takes its own guests along, and is replaced (GP2):", () => {
  async function losing(
    options: GuestPoolOptions,
    start: (pool: GuestPool) => Promise<number>,
  ): Promise<{ readonly culprit: GuestLostError; readonly beside: GuestLostError }> {
    const { pool, until, ended } = await poolWith(["echo", "endless"], { ...options, setup: SETUP });
    await pool.admit("misbehaving", misbehaving, [...GRANTS, "test.v1"]);
    const [a, b] = [await pool.spawn("echo"), await pool.spawn("echo")];
    const guest = await start(pool);
    const lost = await until(guest);
    const beside = await until(a);
    if (lost.kind !== "lost" || beside.kind !== "lost") throw new TypeError("not lost");
    expect(ended.has(b)).toBe(false);
    expect(numberIn(await pool.ask(b, u32(5)))).toBe(5);
    expect(pool.workers).toBe(2);
    const again = await Promise.all(Array.from({ length: 4 }, () => pool.spawn("echo")));
    for (const one of again) expect(numberIn(await pool.ask(one, u32(6)))).toBe(6);
    return { culprit: lost.error, beside: beside.error };
  }

  it("a guest that cannot be pre-empted and never waits, named as the culprit", async () => {
    const { culprit, beside } = await losing({}, (pool) =>
      pool.spawn("endless", { limits: { stepMs: 100 } }),
    );
    expect(culprit.message).toContain("a turn took longer than 100 ms, while it was running");
    expect(beside.details["culprit"]).toBe(culprit.details["guest"]);
  });

  it("a host function that never returns", async () => {
    const { culprit } = await losing({}, async (pool) => {
      const guest = await pool.spawn("misbehaving", { limits: { stepMs: 100 } });
      await expect(pool.ask(guest, u32(1))).rejects.toBeInstanceOf(GuestLostError);
      return guest;
    });
    expect(culprit.message).toContain("while it was running");
  });

  it("a host function that ends the process it believes to be in", async () => {
    const { culprit } = await losing({}, async (pool) => {
      const guest = await pool.spawn("misbehaving");
      pool.tell(guest, u32(0));
      return guest;
    });
    expect(culprit.message).toContain("ended by itself, while it was running");
  });

  it("an answer that never returns, outside of any turn", async () => {
    const { culprit } = await losing({ hangMs: 1500 }, async (pool) => {
      const guest = await pool.spawn("misbehaving");
      await expect(pool.ask(guest, u32(15))).rejects.toThrow(/answered nothing for 1500 ms/);
      return guest;
    });
    expect(culprit.details["culprit"]).toBeUndefined();
  });
});

describe("answers to host modules", () => {
  it("come at once or later, and a guest whose answer fails ends alone", async () => {
    const { pool, until } = await poolWith([], { setup: SETUP, workers: 1 });
    await pool.admit("misbehaving", misbehaving, [...GRANTS, "test.v1"]);
    const guest = await pool.spawn("misbehaving");
    expect(numberIn(await pool.ask(guest, u32(11)))).toBe(guest * 10 + 1);
    expect(numberIn(await pool.ask(guest, u32(12)))).toBe(guest * 10 + 2);
    for (const what of [13, 14, 16]) {
      const failing = await pool.spawn("misbehaving");
      await expect(pool.ask(failing, u32(what))).rejects.toBeInstanceOf(NoReplyError);
      expect(await until(failing)).toMatchObject({ error: { remote: { code: "wasm.wait-unanswered" } } });
    }
    expect(numberIn(await pool.ask(guest, u32(11)))).toBe(guest * 10 + 1);
  });
});

describe("a pool refuses, and nothing changes:", () => {
  it("options out of range", () => {
    const wrong: GuestPoolOptions[] = [
      { workers: 0 },
      { workers: 65 },
      { liveGuests: 8001 },
      { idleMs: 0 },
      { hangMs: 1 },
      { watchMs: 1.5 },
    ];
    for (const options of wrong) expect(() => createGuestPool(options)).toThrow(BadGuestOptionError);
  });

  it("names that are unknown, taken or unusable, modules that are not admitted, and guests over the limit", async () => {
    const { pool } = await poolWith(["echo"], { workers: 1, guests: 2 });
    await expect(pool.spawn("nobody")).rejects.toBeInstanceOf(ProgramUnknownError);
    await expect(pool.admit("echo", modules.get("echo") as Uint8Array, GRANTS)).rejects.toThrow(/already/);
    await expect(pool.admit("a b", modules.get("echo") as Uint8Array, GRANTS)).rejects.toThrow(/name/);
    await expect(pool.admit("bad", new Uint8Array(8), GRANTS)).rejects.toBeInstanceOf(RemoteError);
    await expect(pool.admit("bad", modules.get("echo") as Uint8Array, [])).rejects.toMatchObject({
      remote: { code: "wasm.import-not-granted" },
    });
    await expect(pool.spawn("bad")).rejects.toBeInstanceOf(ProgramUnknownError);
    await expect(pool.spawn("echo", { weight: 17 })).rejects.toMatchObject({
      remote: { code: "wasm.bad-guest-option" },
    });
    await Promise.all([pool.spawn("echo"), pool.spawn("echo")]);
    await expect(pool.spawn("echo")).rejects.toBeInstanceOf(TooManyGuestsError);
    expect(() => pool.tell(999, u32(1))).toThrow(GuestUnknownError);
  });

  it("more commands than may wait in a thread", async () => {
    const { pool } = await poolWith(["echo"], { workers: 1 });
    const guest = await pool.spawn("echo");
    const flood = (): void => {
      for (let message = 0; message <= MOST_WAITING; message++) pool.tell(guest, u32(message));
    };
    expect(flood).toThrow(PoolBusyError);
    await expect(pool.ask(guest, u32(1))).rejects.toBeInstanceOf(PoolBusyError);
    while (pool.size > 0) {
      try {
        expect(numberIn(await pool.ask(guest, u32(3)))).toBe(3);
        break;
      } catch (error) {
        if (!(error instanceof PoolBusyError || error instanceof RemoteError)) throw error;
        await setImmediate();
      }
    }
  });

  it("everything after it is closed; what was asked before is refused, once", async () => {
    const { pool } = await poolWith(["silent"], { workers: 1 });
    const guest = await pool.spawn("silent");
    const asked = pool.ask(guest, u32(1));
    const counted = pool.counts();
    const closing = pool.close();
    await expect(asked).rejects.toBeInstanceOf(PoolClosedError);
    await expect(counted).rejects.toBeInstanceOf(PoolClosedError);
    await closing;
    await pool.close();
    await expect(pool.spawn("silent")).rejects.toBeInstanceOf(PoolClosedError);
    expect(() => pool.tell(guest, u32(1))).toThrow(PoolClosedError);
  });

  it("work when no thread can be started, and says why", async () => {
    const pool = createGuestPool({ workers: 1, setup: new URL("./no-such-setup.ts", import.meta.url) });
    open.push(pool);
    await expect(pool.admit("echo", modules.get("echo") as Uint8Array, GRANTS)).rejects.toThrow(
      /no-such-setup/,
    );
    await expect(pool.counts()).resolves.toEqual([]);
    await pool.admit("echo", modules.get("echo") as Uint8Array, GRANTS);
    await expect(pool.spawn("echo")).rejects.toBeInstanceOf(WorkerFailedError);
  });
});
