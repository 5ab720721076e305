/**
 * A frozen agent as bytes: a head, the mailbox, and the guest's state, whole or as what differs from the state its module
 * starts from (docs/spec/snapshot.md).
 *
 * FA1. What is read back is what was written, or a typed error; lengths are checked before anything is set aside.
 */
import type { InstanceImage } from "@glia-os/abi/ports";
import {
  applyIncrement,
  type Checkpoint,
  decodeSnapshot,
  encodeIncrement,
  encodeSnapshot,
  SnapshotCorruptError,
  SnapshotMismatchError,
} from "@glia-os/wasm";

/** An agent that stands still, as data. */
export interface FrozenAgent {
  readonly image: InstanceImage;
  /** Messages not yet received, with their numbers. */
  readonly mailbox: readonly (readonly [message: number, payload: Uint8Array])[];
  /** The message being handled, if it has no reply yet. */
  readonly handling: number | undefined;
  /** The number the next message gets. */
  readonly next: number;
  /** Milliseconds its present wait still has to go. */
  readonly restMs: number | undefined;
}

const VERSION = 1;
const HEAD_BYTES = 40;
const NONE = -1;
const WHOLE = 0;
const DIFFERENCE = 1;

/**
 * The bytes. Layout: version u8, form u8 (0 whole, 1 what differs from `golden`), 6 zero bytes, next f64, handling f64, rest f64,
 * count u32, zero u32; per message number f64, length u32, bytes; then the snapshot or increment. With the state every agent of
 * the module starts from ({@link goldenState}), only pages that differ from it are written.
 */
export function encodeFrozenAgent(frozen: FrozenAgent, golden?: Checkpoint): Uint8Array {
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  head.setUint8(0, VERSION);
  head.setUint8(1, golden === undefined ? WHOLE : DIFFERENCE);
  head.setFloat64(8, frozen.next, true);
  head.setFloat64(16, frozen.handling ?? NONE, true);
  head.setFloat64(24, frozen.restMs ?? NONE, true);
  head.setUint32(32, frozen.mailbox.length, true);
  const mail = frozen.mailbox.flatMap(([number, payload]) => {
    const entry = new DataView(new ArrayBuffer(12));
    entry.setFloat64(0, number, true);
    entry.setUint32(8, payload.length, true);
    return [new Uint8Array(entry.buffer), payload];
  });
  const state =
    golden === undefined ? [...encodeSnapshot(frozen.image)] : [encodeIncrement(golden, frozen.image).bytes];
  return Buffer.concat([new Uint8Array(head.buffer), ...mail, ...state]);
}

/** What the bytes say, before the state is read. */
export interface OpenedAgent {
  readonly head: Omit<FrozenAgent, "image">;
  /** What differs from the state the module starts from, when it was written so. */
  readonly increment: Uint8Array | undefined;
  /** Reads the state. */
  readonly image: () => InstanceImage;
}

/**
 * The inverse; `golden` is needed for bytes that were written with it.
 * @throws SnapshotCorruptError, SnapshotMismatchError and what `decodeSnapshot` of `@glia-os/wasm` throws
 */
export function decodeFrozenAgent(bytes: Uint8Array, golden?: Checkpoint): FrozenAgent {
  const { head, image } = openFrozenAgent(bytes, golden);
  return { image: image(), ...head };
}

/** Head and mailbox, and how to get at the state. @throws SnapshotCorruptError, SnapshotMismatchError */
export function openFrozenAgent(bytes: Uint8Array, golden?: Checkpoint): OpenedAgent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEAD_BYTES || view.getUint8(0) !== VERSION)
    throw new SnapshotCorruptError("it is not a frozen agent of this version");
  const { mailbox, end } = mailboxIn(bytes, view);
  const handling = view.getFloat64(16, true);
  const rest = view.getFloat64(24, true);
  const head = {
    mailbox,
    next: whole(view.getFloat64(8, true)),
    handling: handling === NONE ? undefined : whole(handling),
    restMs: rest >= 0 ? rest : undefined,
  };
  const state = bytes.subarray(end);
  const form = view.getUint8(1);
  if (form === WHOLE) return { head, increment: undefined, image: () => decodeSnapshot(state) };
  if (form !== DIFFERENCE) throw new SnapshotCorruptError(`it has the form ${form}`);
  if (golden === undefined)
    throw new SnapshotMismatchError("the base", "not given", "the state its module starts from");
  return { head, increment: state, image: () => applyIncrement(golden, state).image };
}

function mailboxIn(bytes: Uint8Array, view: DataView): { mailbox: [number, Uint8Array][]; end: number } {
  const mailbox: [number, Uint8Array][] = [];
  let at = HEAD_BYTES;
  for (let left = view.getUint32(32, true); left > 0; left--) {
    if (at + 12 > bytes.length) throw new SnapshotCorruptError("its mailbox is cut short");
    const length = view.getUint32(at + 8, true);
    if (at + 12 + length > bytes.length) throw new SnapshotCorruptError("its mailbox is cut short");
    mailbox.push([whole(view.getFloat64(at, true)), bytes.slice(at + 12, at + 12 + length)]);
    at += 12 + length;
  }
  return { mailbox, end: at };
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new SnapshotCorruptError(`it numbers a message ${value}`);
  return value;
}
