/** What guests hold of the world: handles mean something to one guest, rights only shrink, and all of it travels. */
import type { CallResult, GuestCapabilities, GuestCapability, InstanceImage } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS } from "@glia-os/abi/syscalls";
import { GUEST_CAPABILITIES, GUEST_ERRORS, SYS_MODULE } from "@glia-os/abi/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHostState, encodeHostState } from "../src/host-module/host-section.ts";
import {
  BadCapabilityError,
  CapabilityUnbindableError,
  capabilitiesOf,
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  NotInstrumentedError,
  SnapshotMismatchError,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { ask, BYTES_AT, CALLER, numberIn, RESULT_AT, SHOW } from "./caller-guest.ts";
import { assemble, guest, RecordingHost } from "./guest.ts";

const HTTP: GuestCapability = {
  kind: "rebind-by-name",
  name: "http",
  target: "net",
  rights: RIGHTS.exec | RIGHTS.grant | RIGHTS.revoke,
};
const FILES: GuestCapability = { kind: "rebind-by-name", name: "files", target: "disk", rights: RIGHTS.read };

/** Binds what it has, and remembers what it was told. */
class Binding implements GuestCapabilities {
  readonly told: string[] = [];
  readonly initial: readonly GuestCapability[];
  readonly #rights: Readonly<Record<string, number>>;

  constructor(initial: readonly GuestCapability[], rights?: Readonly<Record<string, number>>) {
    this.initial = initial;
    this.#rights = rights ?? Object.fromEntries(initial.map((one) => [one.target, one.rights]));
  }
  bind(handle: number, { target, rights }: GuestCapability, parent: number): number | undefined {
    this.told.push(`bind ${handle} ${target} ${parent}`);
    const most = Object.hasOwn(this.#rights, target) ? this.#rights[target] : undefined;
    return most === undefined ? undefined : rights & most;
  }
  drop(handle: number): void {
    this.told.push(`drop ${handle}`);
  }
  revoke(handle: number): void {
    this.told.push(`revoke ${handle}`);
  }
  accept(index: number): GuestCapability | undefined {
    return index === 0 ? { ...FILES, name: "", kind: "immovable" } : undefined;
  }
}

class HoldingHost extends RecordingHost {
  readonly capabilities: Binding;
  constructor(capabilities: Binding) {
    super();
    this.capabilities = capabilities;
  }
}

const program: Promise<WasmProgram> = guest(CALLER).then((bytes) =>
  createWasmEngine().admit(bytes, ["glia.v1", SYS_MODULE]),
);

/** A guest that holds what is given, at its first `receive`. */
async function holding(...initial: GuestCapability[]) {
  const host = new HoldingHost(new Binding(initial));
  const it = (await program).instantiate({}, host);
  it.step();
  return { it, host };
}

/** Give the guest a message. */
function tell(it: WasmInstance, payload: Uint8Array) {
  return it.step({ value: payload.length, payload });
}

/** The result of a call that does not wait. */
function call(it: WasmInstance, host: RecordingHost, ...what: Parameters<typeof ask>): number {
  tell(it, ask(...what));
  return numberIn(host.replies.at(-1));
}

/** The result of the call it waits in. */
function answered(it: WasmInstance, host: RecordingHost, result: CallResult): number {
  it.step(result);
  return numberIn(host.replies.at(-1));
}

/** An image with its rows rewritten. */
function withRows(
  image: InstanceImage,
  change: (record: Uint8Array, slot: number) => Uint8Array,
): InstanceImage {
  const host = decodeHostState(image.sections["host"] as Uint8Array);
  const modules = host.modules.map((one) => ({
    ...one,
    slots: one.slots.map(([generation, record], slot): readonly [number, Uint8Array | null] => [
      generation,
      record === null ? null : change(record, slot),
    ]),
  }));
  return { ...image, sections: { ...image.sections, host: encodeHostState({ ...host, modules }) } };
}

/** A row with the one-byte or two-byte unsigned integer after a text key replaced. */
function replaced(record: Uint8Array, key: string, value: number): Uint8Array {
  const at = Buffer.from(record).indexOf(key) + key.length;
  const length = record[at] === 0x19 ? 3 : record[at] === 0x1a ? 5 : record[at] === 0x18 ? 2 : 1;
  const written = [0x1a, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const shortest =
    value < 24
      ? [value]
      : value < 256
        ? [0x18, value]
        : value < 65_536
          ? [0x19, ...written.slice(3)]
          : written;
  return Uint8Array.from([...record.subarray(0, at), ...shortest, ...record.subarray(at + length)]);
}

describe("handles", () => {
  it("are found by the name they were given under, and say what they allow", async () => {
    const { it: caller, host } = await holding(HTTP, FILES);
    const http = call(caller, host, "capability", "http");
    const files = call(caller, host, "capability", "files");
    expect(call(caller, host, "rights", http)).toBe(HTTP.rights);
    expect(call(caller, host, "rights", files)).toBe(FILES.rights);
    expect(call(caller, host, "capability", "nothing")).toBe(GUEST_ERRORS.E_GONE);
    expect(call(caller, host, "capability", "")).toBe(GUEST_ERRORS.E_GONE);
    expect(call(caller, host, "capability", Uint8Array.of(0xff))).toBe(GUEST_ERRORS.E_RANGE);
    expect(call(caller, host, "capability", -1, 8)).toBe(GUEST_ERRORS.E_FAULT);
  });

  it("mean nothing unless the guest was given them: a guessed number, one of another guest, one it dropped", async () => {
    const { it: caller, host } = await holding(HTTP);
    const other = await holding(HTTP, FILES);
    const foreign = call(other.it, other.host, "capability", "files");
    const http = call(caller, host, "capability", "http");
    for (const number of [0, 1, -1, foreign, http + 65_536, 0x7fff_ffff]) {
      expect(call(caller, host, "fetch", number, "{}", ""), String(number)).toBe(GUEST_ERRORS.E_HANDLE);
      expect(call(caller, host, "rights", number)).toBe(GUEST_ERRORS.E_HANDLE);
    }
    expect(call(caller, host, "drop", http)).toBe(0);
    expect(call(caller, host, "fetch", http, "{}", "")).toBe(GUEST_ERRORS.E_HANDLE);
    expect(call(caller, host, "drop", http)).toBe(GUEST_ERRORS.E_HANDLE);
    expect(caller.pending?.op).toBe("receive");
  });

  it("without the right a call needs are refused before the host hears of it", async () => {
    const { it: caller, host } = await holding(HTTP, FILES);
    const http = call(caller, host, "capability", "http");
    const files = call(caller, host, "capability", "files");
    expect(call(caller, host, "file_write", files, "/a", "content")).toBe(GUEST_ERRORS.E_DENIED);
    expect(call(caller, host, "file_read", http, "/a", 10)).toBe(GUEST_ERRORS.E_DENIED);
    expect(call(caller, host, "revoke", files)).toBe(GUEST_ERRORS.E_DENIED);
    const weak = call(caller, host, "attenuate", http, RIGHTS.grant);
    expect(call(caller, host, "fetch", weak, "{}", "")).toBe(GUEST_ERRORS.E_DENIED);
    expect(caller.pending?.op).toBe("receive");
  });

  it("are at most 256 for one guest", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    for (let made = 1; made < GUEST_CAPABILITIES; made++)
      expect(call(caller, host, "attenuate", http, ALL_RIGHTS)).toBeGreaterThan(0);
    expect(call(caller, host, "attenuate", http, ALL_RIGHTS)).toBe(GUEST_ERRORS.E_LIMIT);
    expect(call(caller, host, "accept", 0)).toBe(GUEST_ERRORS.E_LIMIT);
    expect(call(caller, host, "revoke", http)).toBe(GUEST_CAPABILITIES - 1);
    expect(call(caller, host, "attenuate", http, ALL_RIGHTS)).toBeGreaterThan(0);
  });

  it("come with messages, each where the host has one", async () => {
    const { it: caller, host } = await holding(FILES);
    expect(call(caller, host, "rights", call(caller, host, "accept", 0))).toBe(RIGHTS.read);
    expect(call(caller, host, "accept", 1)).toBe(GUEST_ERRORS.E_GONE);
  });

  it("derived from others have no right more, and end with what they were derived from, whatever the order", async () => {
    const step = fc.record({
      what: fc.constantFrom("attenuate" as const, "drop" as const, "revoke" as const),
      at: fc.nat(20),
      rights: fc.nat(0x3fff),
    });
    const caller = await holding({ ...HTTP, rights: ALL_RIGHTS });
    const root = call(caller.it, caller.host, "capability", "http");
    const asks = (...what: Parameters<typeof ask>): number => call(caller.it, caller.host, ...what);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        /** Live handles with what they may do and come from. */
        const model = new Map<number, { rights: number; parent: number }>([
          [root, { rights: ALL_RIGHTS, parent: 0 }],
        ]);
        for (const { what, at, rights } of steps) {
          const handles = [...model.keys()];
          const handle = handles[at % handles.length] as number;
          const row = model.get(handle) as { rights: number; parent: number };
          if (what === "attenuate") {
            model.set(asks("attenuate", handle, rights), { rights: row.rights & rights, parent: handle });
          } else if (what === "drop" && handle !== root) {
            expect(asks("drop", handle)).toBe(0);
            model.delete(handle);
            for (const child of model.values()) if (child.parent === handle) child.parent = row.parent;
          } else if (what === "revoke" && (row.rights & RIGHTS.revoke) !== 0) {
            const ended = (one: number): boolean => {
              const parent = model.get(one)?.parent ?? 0;
              return parent === handle || (parent !== 0 && ended(parent));
            };
            const gone = handles.filter(ended);
            expect(asks("revoke", handle)).toBe(gone.length);
            for (const one of gone) model.delete(one);
            for (const one of gone) expect(asks("rights", one)).toBe(GUEST_ERRORS.E_HANDLE);
          }
        }
        for (const [handle, { rights }] of model) expect(asks("rights", handle)).toBe(rights);
        asks("revoke", root);
      }),
      { numRuns: 60 },
    );
  });
});

describe("calls that wait", () => {
  it("leave as a pending call whose request is read from the guest, and answer a length", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    const outcome = tell(caller, ask("fetch", http, '{"url":"x:"}', "body"));
    expect(outcome).toMatchObject({
      kind: "pending",
      call: { op: "glia.sys.v1/fetch", args: [http, BYTES_AT, 12, BYTES_AT + 12, 4] },
    });
    expect(Buffer.from(caller.read(BYTES_AT, 12) as Uint8Array).toString()).toBe('{"url":"x:"}');
    expect(caller.read(0xffff_ffff, 1)).toBeUndefined();
    expect(answered(caller, host, { value: 3, payload: Uint8Array.of(7, 8, 9) })).toBe(3);
  });

  it("keep a result until the guest has room for all of it", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    expect(call(caller, host, "result", RESULT_AT, 100)).toBe(GUEST_ERRORS.E_STATE);
    tell(caller, ask("exec", http, "{}"));
    expect(answered(caller, host, { value: 3, payload: Uint8Array.of(7, 8, 9) })).toBe(3);
    expect(call(caller, host, "result", RESULT_AT, 2)).toBe(GUEST_ERRORS.E_TOO_BIG);
    expect(call(caller, host, "result", -2, 3)).toBe(GUEST_ERRORS.E_FAULT);
    expect(call(caller, host, "result", RESULT_AT, 3)).toBe(3);
    tell(caller, ask(SHOW, RESULT_AT, 3));
    expect(host.replies.at(-1)).toEqual(Uint8Array.of(7, 8, 9));
    expect(call(caller, host, "result", RESULT_AT, 3)).toBe(GUEST_ERRORS.E_STATE);
  });

  it("give a failure its code, with words to be read", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    tell(caller, ask("exec", http, "{}"));
    expect(answered(caller, host, { value: GUEST_ERRORS.E_FAILED, payload: Uint8Array.of(1) })).toBe(
      GUEST_ERRORS.E_FAILED,
    );
    expect(call(caller, host, "result", RESULT_AT, 3)).toBe(1);
    tell(caller, ask("exec", http, "{}"));
    expect(answered(caller, host, { value: GUEST_ERRORS.E_GONE })).toBe(GUEST_ERRORS.E_GONE);
    expect(call(caller, host, "result", RESULT_AT, 3)).toBe(GUEST_ERRORS.E_STATE);
  });

  it("are refused at once with ranges outside memory, requests that are too long, and arguments out of range", async () => {
    const host = new HoldingHost(new Binding([{ ...HTTP, rights: ALL_RIGHTS }]));
    const caller = (await program).instantiate({ messageBytes: 64 }, host);
    caller.step();
    const all = call(caller, host, "capability", "http");
    const asks = (...what: Parameters<typeof ask>): number => call(caller, host, ...what);
    expect(asks("exec", all, -4, 8)).toBe(GUEST_ERRORS.E_FAULT);
    expect(asks("exec", all, 0, -1)).toBe(GUEST_ERRORS.E_TOO_BIG);
    expect(asks("fetch", all, 0, 33, 0, 32)).toBe(GUEST_ERRORS.E_TOO_BIG);
    expect(asks("call", all, 0, 1, 0)).toBe(GUEST_ERRORS.E_RANGE);
    expect(asks("lookup", 0, 0)).toBe(GUEST_ERRORS.E_RANGE);
    expect(asks("lookup", 0, 257)).toBe(GUEST_ERRORS.E_TOO_BIG);
    expect(asks("send", all, 0, 1, 0, 17)).toBe(GUEST_ERRORS.E_RANGE);
    expect(asks("send", all, 0, 1, -8, 2)).toBe(GUEST_ERRORS.E_FAULT);
    expect(asks("send", all, 0, 1, RESULT_AT, 1)).toBe(GUEST_ERRORS.E_HANDLE);
    expect(caller.pending?.op).toBe("receive");
    tell(caller, ask("exec", all, "1234"));
    const long = { value: 65, payload: new Uint8Array(65) };
    expect(() => caller.step(long)).toThrow(/64/);
  });

  it("cannot be imported by a module that cannot be suspended", async () => {
    const { bytes } = await instrument(
      assemble(`(module (import "glia.sys.v1" "exec" (func (param i32 i32 i32) (result i32))) (memory 1)
        (func (export "glia_main") (result i32) (i32.const 0)))`),
      { profile: "none" },
    );
    await expect(createWasmEngine().admit(bytes, [SYS_MODULE])).rejects.toThrow(NotInstrumentedError);
  });
});

describe("a guest that moves", () => {
  const moved = async (it: WasmInstance, host: RecordingHost): Promise<WasmInstance> => {
    const bytes = Buffer.concat([...encodeSnapshot(it.snapshot())]);
    it.dispose();
    const there = await createWasmEngine().admit(await guest(CALLER), ["glia.v1", SYS_MODULE]);
    return there.restore(decodeSnapshot(bytes), {}, host);
  };

  it("is answered at its destination when it left in a call, and takes handles and results along", async () => {
    const { it: caller, host } = await holding(HTTP, FILES);
    const http = call(caller, host, "capability", "http");
    const derived = call(caller, host, "attenuate", http, RIGHTS.exec);
    tell(caller, ask("fetch", derived, '{"url":"x:"}', ""));
    const arriving = new HoldingHost(new Binding([HTTP, FILES]));
    const there = await moved(caller, arriving);
    expect(arriving.capabilities.told.filter((line) => line.includes("net"))).toEqual([
      `bind ${http} net 0`,
      `bind ${derived} net ${http}`,
    ]);
    expect(there.pending).toMatchObject({ op: "glia.sys.v1/fetch" });
    const [, pointer = 0, length = 0] = there.pending?.args ?? [];
    expect(Buffer.from(there.read(pointer, length) as Uint8Array).toString()).toBe('{"url":"x:"}');
    expect(answered(there, arriving, { value: 2, payload: Uint8Array.of(5, 6) })).toBe(2);
    const last = await moved(there, arriving);
    expect(call(last, arriving, "result", RESULT_AT, 2)).toBe(2);
    tell(last, ask(SHOW, RESULT_AT, 2));
    expect(arriving.replies.at(-1)).toEqual(Uint8Array.of(5, 6));
    expect(call(last, arriving, "rights", derived)).toBe(RIGHTS.exec);
  });

  it("has at most the rights that its destination gives, and so has what it derived", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    const derived = call(caller, host, "attenuate", http, RIGHTS.exec | RIGHTS.grant);
    const arriving = new HoldingHost(new Binding([], { net: RIGHTS.exec }));
    const there = await moved(caller, arriving);
    expect(call(there, arriving, "rights", http)).toBe(RIGHTS.exec);
    expect(call(there, arriving, "rights", derived)).toBe(RIGHTS.exec);
  });

  it("is refused with rights widened on the way, parents that are not there, and rows that are none", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    const derived = call(caller, host, "attenuate", http, RIGHTS.exec);
    const image = caller.snapshot();
    const restore = async (other: InstanceImage): Promise<unknown> =>
      (await program).restore(other, {}, new HoldingHost(new Binding([HTTP])));
    await expect(restore(image)).resolves.toBeDefined();
    const only = (slot: number, change: (record: Uint8Array) => Uint8Array): InstanceImage =>
      withRows(image, (record, at) => (at === slot ? change(record) : record));
    const refused = [
      only(0, (record) => replaced(record, "rights", RIGHTS.grant)),
      only(1, (record) => replaced(record, "rights", RIGHTS.exec | RIGHTS.write)),
      only(1, (record) => replaced(record, "parent", http + 65_536)),
      only(0, (record) => replaced(record, "parent", derived)),
      only(0, (record) => replaced(record, "rights", ALL_RIGHTS + 1)),
      only(0, (record) => replaced(record, "version", 2)),
      only(0, () => Uint8Array.of(0x80)),
    ];
    for (const [at, one] of refused.entries())
      await expect(restore(one), String(at)).rejects.toThrow(SnapshotMismatchError);
  });

  it("is refused where something it holds cannot be bound, by name, and before that its image says so", async () => {
    const { it: caller } = await holding(HTTP, { ...FILES, kind: "immovable" });
    const image = caller.snapshot();
    expect(capabilitiesOf(image)).toMatchObject([HTTP, { name: "files", kind: "immovable" }]);
    expect(capabilitiesOf({ sections: {} })).toEqual([]);
    const there = await program;
    const both = new HoldingHost(new Binding([HTTP, FILES]));
    expect(() => there.restore(image, {}, both)).toThrow(CapabilityUnbindableError);
    expect(() => there.restore(image, {}, both)).toThrow(/files.*disk.*immovable/);
    const none = new HoldingHost(new Binding([FILES]));
    expect(() => there.restore(image, {}, none)).toThrow(/http.*net/);
    expect(() => there.restore(image, {}, new RecordingHost())).toThrow(CapabilityUnbindableError);
  });

  it("is not restored with a result longer than its limit", async () => {
    const { it: caller, host } = await holding(HTTP);
    const http = call(caller, host, "capability", "http");
    tell(caller, ask("exec", http, "{}"));
    answered(caller, host, { value: 70, payload: new Uint8Array(70_000) });
    const restored = (messageBytes: number) => async (): Promise<unknown> =>
      (await program).restore(caller.snapshot(), { messageBytes }, host);
    await expect(restored(69_999)()).rejects.toThrow(SnapshotMismatchError);
    await expect(restored(70_000)()).resolves.toBeDefined();
  });
});

describe("a new guest", () => {
  it("holds nothing on a host that gives nothing", async () => {
    const host = new RecordingHost();
    const caller = (await program).instantiate({}, host);
    caller.step();
    expect(call(caller, host, "capability", "http")).toBe(GUEST_ERRORS.E_GONE);
    expect(call(caller, host, "lookup", "http")).toBe(GUEST_ERRORS.E_GONE);
    expect(call(caller, host, "accept", 0)).toBe(GUEST_ERRORS.E_GONE);
  });

  it("is not made with capabilities that no snapshot could hold, or that nobody binds", async () => {
    const made = async (...initial: GuestCapability[]): Promise<unknown> =>
      (await program).instantiate({}, new HoldingHost(new Binding(initial)));
    await expect(made(HTTP, HTTP)).rejects.toThrow(BadCapabilityError);
    await expect(made({ ...HTTP, target: "" })).rejects.toThrow(BadCapabilityError);
    await expect(made({ ...HTTP, name: "x".repeat(65) })).rejects.toThrow(BadCapabilityError);
    await expect(made({ ...HTTP, rights: ALL_RIGHTS + 1 })).rejects.toThrow(BadCapabilityError);
    const many = Array.from({ length: 257 }, (_, at) => ({ ...HTTP, name: `n${at}` }));
    await expect(made(...many)).rejects.toThrow(BadCapabilityError);
    await expect(
      (async () => (await program).instantiate({}, new HoldingHost(new Binding([HTTP], {}))))(),
    ).rejects.toThrow(CapabilityUnbindableError);
  });
});
