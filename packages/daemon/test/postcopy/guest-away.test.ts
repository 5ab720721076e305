/** Guests with a thread of their own, as the thread of the agents has them (GA1 to GA4, BE1, TH1, PD1, PD2); the source is in this process. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { GuestCapabilities, GuestHost, GuestNote } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { ArrivingPages, AwayGuest, PagesArrival, PagesCodec } from "@glia-os/cells";
import { createWasmEngine, type WasmInstance, type WasmProgram } from "@glia-os/wasm";
import { afterEach, beforeAll, expect, test } from "vitest";
import { GUEST_WORKER } from "../../src/guest-worker-url.ts";
import { GUEST_THREADS_MAX, pagesCodec } from "../../src/postcopy/pages-codec.ts";
import { speakerModule } from "./speaker.ts";

const AGENT = "ab".repeat(16) as AgentId;
const require = createRequire(import.meta.url);
const module = new Uint8Array(readFileSync(require.resolve("@glia-os/guest-as/guests/echo.wasm")));
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
/** A thread that says what it is given to say, and then nothing more. */
const saying = (words: string): URL =>
  new URL(
    `data:text/javascript,import {parentPort as p} from "node:worker_threads";${encodeURIComponent(words)};p.on("message",()=>{});`,
  );
const SILENT = saying("p.postMessage({ready:true})");

let program: WasmProgram;
let guest: WasmInstance;
const replies: string[] = [];
/** Replies of a guest that is elsewhere, as its task makes them. */
const replied = (notes: readonly GuestNote[]): void => {
  for (const note of notes) if (note.kind === "reply") host.reply(note.payload);
};
const host: GuestHost = {
  log: () => undefined,
  wallMs: () => 0,
  random: () => undefined,
  reply: (payload) => {
    replies.push(new TextDecoder().decode(payload));
    return 0;
  },
};
const arrived: ArrivingPages[] = [];

beforeAll(async () => {
  program = await createWasmEngine().admit(module, ["glia.v1"]);
});
afterEach(() => {
  for (const one of arrived.splice(0)) one.dispose();
});

/** Takes in a guest that waits for a message; what it says to its source is told at once, and what the source sends is given to `away`. */
async function arrive(
  codec: PagesCodec,
  more: Partial<PagesArrival> = {},
  begun?: WasmInstance,
): Promise<{ away: AwayGuest; send: (all: boolean) => boolean; wants: () => boolean }> {
  guest = begun ?? program.instantiate({}, host);
  if (begun === undefined) guest.step();
  const reading = await codec.read(AGENT, more.program ?? program, guest, false);
  if (reading === undefined) throw new TypeError("it did not come to its first call");
  let said = new Uint8Array();
  const arriving = await codec.arrive({
    ...arrivalOf((bytes) => (said = new Uint8Array([...said, ...bytes]))),
    ...more,
  });
  arrived.push(arriving);
  for (let piece = reading.next(); piece !== undefined; piece = reading.next()) arriving.push(piece);
  const rest = reading.last();
  for (let next = rest.next(); next.done !== true; next = rest.next()) arriving.push(next.value);
  const away = arriving.finish();
  const send = (all: boolean): boolean => {
    for (;;) {
      const words = said;
      said = new Uint8Array();
      const whole = away.take(reading.serve(words).bytes);
      if (whole || !all) return whole;
    }
  };
  // Each answer has five bytes, and begins with 1 when it asks for a page.
  const wants = (): boolean => said.some((byte, at) => at % 5 === 0 && byte === 1);
  return { away, send, wants };
}

const arrivalOf = (said: (bytes: Uint8Array) => void): PagesArrival => ({
  agent: AGENT,
  manifest: { name: "echo", program: module, grants: ["glia.v1"], memoryPages: 100 },
  program,
  limits: { memoryPages: 100 },
  host,
  mayReply: () => true,
  noted: replied,
  said,
});

test("GA1: is stepped in its own thread, comes over when it is whole, and goes on with its state", async () => {
  const { away, send } = await arrive(pagesCodec({ worker: GUEST_WORKER, stepMs: 60_000 }));
  const payload = new TextEncoder().encode("first");
  expect(away.pending?.op).toBe("receive");
  const stepping = away.step({ value: payload.length, payload }, 1_000_000);
  expect(send(true)).toBe(true);
  expect((await stepping).kind).toBe("pending");
  expect(replies).toEqual(["first"]);
  const here = await away.whole;
  expect(here.pending?.op).toBe("receive");
  const again = new TextEncoder().encode("second");
  expect((await away.step({ value: again.length, payload: again }, 1_000_000)).kind).toBe("pending");
  expect(replies).toEqual(["first", "second"]);
  here.dispose();
});

test("GA1: comes over also when it waits for nothing but a message", async () => {
  const { away, send } = await arrive(pagesCodec({ worker: GUEST_WORKER, stepMs: 60_000 }));
  expect(send(true)).toBe(true);
  const here = await away.whole;
  expect([here.pending?.op, here.memoryBytes]).toEqual(["receive", guest.memoryBytes]);
  here.dispose();
});

const WEB = { name: "web", target: "web", kind: "rebind-by-name", rights: RIGHTS.exec } as const;
const REQUEST = "glia.sys.v1/exec";
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is bound, dropped and revoked by engines of this thread. */
class Held implements GuestCapabilities {
  readonly initial = [WEB];
  readonly calls: string[] = [];
  bind(handle: number): number {
    this.calls.push(`bind ${handle}`);
    return RIGHTS.exec;
  }
  drop(handle: number): void {
    this.calls.push(`drop ${handle}`);
  }
  revoke(handle: number): void {
    this.calls.push(`revoke ${handle}`);
  }
  accept(): undefined {
    return undefined;
  }
}

/** A guest with a capability that stands in a call on what it derived from it, arrived and with a thread of its own. */
async function arriveInCall() {
  const bytes = await speakerModule();
  const grants = ["glia.v1", "glia.sys.v1"];
  const speaker = await createWasmEngine().admit(bytes, grants);
  const held = new Held();
  const own: GuestHost = { ...host, capabilities: held };
  const begun = speaker.instantiate({}, own);
  begun.step();
  const payload = bytesOf('"first"');
  expect(begun.step({ value: payload.length, payload })).toMatchObject({ call: { op: REQUEST } });
  const before = held.calls.splice(0);
  const notes: GuestNote[] = [];
  const manifest = { name: "speaker", program: bytes, grants, memoryPages: 100 };
  const noted = (some: readonly GuestNote[]): void => void notes.push(...some);
  const more = { manifest, program: speaker, host: own, noted };
  const codec = pagesCodec({ worker: GUEST_WORKER, stepMs: 60_000 });
  return { ...(await arrive(codec, more, begun)), held, notes, before };
}

test("GA4, TH1: a call that it brought comes with the bytes it points at, after notes of all that it holds", async () => {
  const { away, send, held, notes, before } = await arriveInCall();
  expect(away.pending?.op).toBe(REQUEST);
  const standing = away.stand();
  expect(send(true)).toBe(true);
  const stood = await standing;
  if (stood.kind !== "pending") throw new TypeError(stood.kind);
  expect(stood.ranges?.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(['"first"']);
  const bound = notes.map((note) => (note.kind === "bind" ? [`bind ${note.handle}`, note.parent] : []));
  expect(bound.map(([what]) => what)).toEqual(before);
  expect(bound[1]?.[1]).toBe(stood.call.args[0] === undefined ? -1 : Number(before[0]?.slice(5)));
  await away.whole;
  expect(held.calls).toEqual([]);
});

test("GA4, BE1: what it does with its capabilities is noted before the end of its step, and nothing is bound again when it comes over", async () => {
  const { away, send, wants, held, notes } = await arriveInCall();
  const standing = away.stand();
  while (!wants()) await new Promise((resolve) => setImmediate(resolve));
  // What is asked for, and nothing else.
  expect(send(false)).toBe(false);
  await standing;
  notes.splice(0);
  const payload = bytesOf('"answer"');
  const stepped = away.step({ value: payload.length, payload }, 1_000_000_000);
  send(true);
  expect((await stepped).kind).toBe("pending");
  expect(notes.map(({ kind }) => kind)).toEqual(["drop", "reply"]);
  replied(notes);
  expect(replies.at(-1)).toBe('"answer"');
  const here = await away.whole;
  expect(held.calls).toEqual([]);
  const again = bytesOf('"second"');
  const asked = here.step({ value: again.length, payload: again });
  expect(asked).toMatchObject({ kind: "pending", call: { op: REQUEST } });
  expect(held.calls.map((call) => call.split(" ")[0])).toEqual(["bind"]);
  here.dispose();
});

test("GA2: is lost when its source is given up, or its thread ends; what it was asked then fails", async () => {
  const { away } = await arrive(pagesCodec({ worker: SILENT, stepMs: 60_000 }));
  const stepping = away.step(undefined, 1);
  away.lose("the source is gone");
  expect(await codeOf(away.whole)).toBe("wasm.postcopy-lost");
  expect((await stepping).kind).toBe("failed");
  expect(await codeOf(away.step(undefined, 1))).toBe("daemon.thread-gone");
  const ends = saying(`p.postMessage({ready:true});p.once("message",()=>process.exit(1))`);
  const other = await arrive(pagesCodec({ worker: ends, stepMs: 60_000 }));
  expect(await codeOf(other.away.whole)).toBe("daemon.thread-gone");
});

test("GA2: one that is lost while it is asked to come over makes no instance, and who waits to step it is told", async () => {
  const { away, send } = await arrive(pagesCodec({ worker: SILENT, stepMs: 60_000 }));
  expect(send(true)).toBe(true);
  const stepping = codeOf(away.step(undefined, 1));
  arrived.at(-1)?.dispose();
  expect(await codeOf(away.whole)).toBe("daemon.thread-gone");
  expect(await stepping).toBe("daemon.thread-gone");
});

test("GA2: an image that comes after it was lost makes no instance", async () => {
  const leaving = saying(
    `p.postMessage({ready:true});p.on("message",(m)=>{if(m.leave)p.postMessage({image:{}})})`,
  );
  let instances = 0;
  const arrive0 = program.arrive;
  program.arrive = (...parts) => {
    instances++;
    return arrive0.apply(program, parts);
  };
  try {
    const { away, send } = await arrive(pagesCodec({ worker: leaving, stepMs: 60_000 }));
    const hearing = Worker.prototype.emit;
    Worker.prototype.emit = function (this: Worker, event: string, ...args: unknown[]) {
      const heard = hearing.call(this, event, ...args);
      // Lost in the same turn in which its image came.
      if (event === "message" && (args[0] as { image?: unknown }).image !== undefined)
        arrived.at(-1)?.dispose();
      return heard;
    };
    try {
      expect(send(true)).toBe(true);
      expect(await codeOf(away.whole)).toBe("daemon.thread-gone");
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      Worker.prototype.emit = hearing;
    }
  } finally {
    program.arrive = arrive0;
  }
  expect(instances).toBe(0);
});

test("GA2: what its source sends is checked, and wrong bytes lose it", async () => {
  const { away } = await arrive(pagesCodec({ worker: SILENT, stepMs: 60_000 }));
  expect(() => away.take(new Uint8Array(64))).toThrow();
  expect(await codeOf(away.whole)).toBe("wasm.postcopy-corrupt");
});

test("GA3: a step that does not end, with every page there, ends it and not its node", async () => {
  const { away, send } = await arrive(pagesCodec({ worker: SILENT, stepMs: 100 }));
  const stepping = away.step(undefined, 1);
  expect(send(true)).toBe(true);
  const outcome = await stepping;
  expect(outcome).toMatchObject({ kind: "failed", error: { code: "daemon.guest-stuck" } });
});

test("PD1: a bounded number has a thread, and one that ends makes room", async () => {
  const codec = pagesCodec({ worker: SILENT, stepMs: 1000 });
  const all = await Promise.all(
    Array.from({ length: GUEST_THREADS_MAX }, () => codec.arrive(arrivalOf(() => undefined))),
  );
  arrived.push(...all);
  expect(await codeOf(codec.arrive(arrivalOf(() => undefined)))).toBe("cells.no-post-copy");
  all[0]?.dispose();
  arrived.push(await codec.arrive(arrivalOf(() => undefined)));
});

test("PD2: a thread that does not start, or refuses the program, is no place for it, and takes no room", async () => {
  const refusing = saying(`p.postMessage({refused:{code:"wasm.not-a-module",message:"no"}})`);
  for (const worker of [saying("process.exit(0)"), saying("throw 1"), refusing]) {
    const codec = pagesCodec({ worker, stepMs: 1000 });
    const tries = worker === refusing ? GUEST_THREADS_MAX + 1 : 1;
    for (let n = 0; n < tries; n++)
      expect(await codeOf(codec.arrive(arrivalOf(() => undefined)))).toBe("cells.no-post-copy");
  }
});

test("a guest before its first call is not read in rounds", async () => {
  const codec = pagesCodec({ worker: SILENT, stepMs: 1000 });
  const fresh = program.instantiate({}, host);
  expect(await codec.read(AGENT, program, fresh, true)).toBeUndefined();
  fresh.dispose();
});
