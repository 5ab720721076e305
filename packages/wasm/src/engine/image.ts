/**
 * The state of an instance as named sections (docs/spec/snapshot.md gives the byte form).
 *
 * M1. `memory` is linear memory; `stack` the frames of the suspended calls; `globals` every mutable global as 8 bytes each in
 *     index order, integers sign-extended, floats as their bits; `tables` those that code changes, when there are any (tables.ts);
 *     `control` the facts of the host (see {@link encodeControl}).
 * M2. Sections are copies: the instance may go on while an image is sent.
 */

import type { HostModule, InstanceImage, PendingCall } from "@glia-os/abi/ports";
import { HOST_IMPORTS } from "@glia-os/abi/wire";
import type { GuestShape } from "../admission.ts";
import { KIND, type ModuleImport } from "../binary/outline.ts";
import { SnapshotMismatchError } from "../errors.ts";
import type { GlobalCell, Namespace } from "../web-assembly.ts";

/** Facts the host keeps about an instance. */
export interface Control {
  /** Which exported function is suspended: 0 the former start function, 1 the entry. */
  readonly phase: number;
  /** Bytes of log output still allowed. */
  readonly logBytesLeft: number;
  /** Fuel used so far; undefined for profiles that count none. */
  readonly fuelUsed: number | undefined;
}

const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const CONTROL_BYTES = 16;
const METERED_CONTROL_BYTES = 24;

/** Control facts as bytes: phase u32, zero u32, log bytes left u64, and fuel used u64 where it is counted; little-endian. */
export function encodeControl({ phase, logBytesLeft, fuelUsed }: Control, into?: Uint8Array): Uint8Array {
  const bytes = sized(fuelUsed === undefined ? CONTROL_BYTES : METERED_CONTROL_BYTES, into);
  cell.setUint32(0, phase, true);
  cell.setUint32(4, 0, true);
  putCell(bytes, 0);
  putUint64(bytes, 8, logBytesLeft);
  if (fuelUsed !== undefined) putUint64(bytes, 16, fuelUsed);
  return bytes;
}

/** `into` when it has the length, else new bytes: a copy that is brought up to date after every message makes none. */
export function sized(length: number, into: Uint8Array | undefined): Uint8Array {
  return into?.length === length ? into : new Uint8Array(length);
}

/** Eight bytes that are put into others one by one: making a view of those takes several times as long. */
const cell = new DataView(new ArrayBuffer(8));
const cellBytes = new Uint8Array(cell.buffer);

function putCell(bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) bytes[at + i] = cellBytes[i] as number;
}

/** A whole number below 2^53, without a detour by a bigint. */
function putUint64(bytes: Uint8Array, at: number, value: number): void {
  cell.setUint32(0, value, true);
  cell.setUint32(4, value / 2 ** 32, true);
  putCell(bytes, at);
}

/** The inverse of {@link encodeControl}, for a profile that is metered or not. @throws SnapshotMismatchError */
export function decodeControl(bytes: Uint8Array, metered = false): Control {
  const length = metered ? METERED_CONTROL_BYTES : CONTROL_BYTES;
  if (bytes.length !== length)
    throw new SnapshotMismatchError("section control", `${bytes.length} bytes`, `${length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const phase = view.getUint32(0, true);
  const logBytesLeft = Number(view.getBigUint64(8, true));
  if (phase > 1 || view.getUint32(4, true) !== 0)
    throw new SnapshotMismatchError("phase", String(phase), "0 or 1");
  const fuelUsed = metered ? Number(view.getBigUint64(16, true)) : undefined;
  if (fuelUsed !== undefined && !Number.isSafeInteger(fuelUsed))
    throw new SnapshotMismatchError("the fuel used", String(fuelUsed), "below 2^53");
  return { phase, logBytesLeft, fuelUsed };
}

/** Mutable globals as bytes (M1). The payload of a NaN is not kept: JavaScript reads every NaN as one value. */
export function encodeGlobals(
  exports: Namespace,
  globals: GuestShape["globals"],
  into?: Uint8Array,
): Uint8Array {
  const bytes = sized(globals.length * 8, into);
  for (let index = 0; index < globals.length; index++) {
    const { exportName, type } = globals[index] as GuestShape["globals"][number];
    const value: unknown = (exports[exportName] as GlobalCell).value;
    if (type === I64) cell.setBigInt64(0, value as bigint, true);
    else if (type === F64) cell.setFloat64(0, value as number, true);
    else if (type === F32) {
      cell.setFloat32(0, value as number, true);
      cell.setUint32(4, 0, true);
    } else {
      cell.setInt32(0, value as number, true);
      cell.setInt32(4, (value as number) >> 31, true);
    }
    putCell(bytes, 8 * index);
  }
  return bytes;
}

/** Put globals back. @throws SnapshotMismatchError when the count differs */
export function restoreGlobals(exports: Namespace, globals: GuestShape["globals"], bytes: Uint8Array): void {
  if (bytes.length !== globals.length * 8)
    throw new SnapshotMismatchError("section globals", `${bytes.length} bytes`, `${globals.length * 8}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  globals.forEach(({ exportName, type }, index) => {
    const target = exports[exportName] as GlobalCell;
    if (type === I64) target.value = view.getBigInt64(index * 8, true);
    else if (type === F64) target.value = view.getFloat64(index * 8, true);
    else if (type === F32) target.value = view.getFloat32(index * 8, true);
    else target.value = view.getInt32(index * 8, true);
  });
}

/** A section that must be there. @throws SnapshotMismatchError */
export function sectionOf(image: Pick<InstanceImage, "sections">, name: string): Uint8Array {
  const section = Object.hasOwn(image.sections, name) ? image.sections[name] : undefined;
  if (section === undefined) throw new SnapshotMismatchError(`section ${name}`, "absent", "present");
  return section;
}

/**
 * Check a pending call that came from outside: a blocking call with the right number of integers, or a suspending function of a
 * host module that the guest imports and that is offered here. `at` is the import it is suspended at, when that is one of a
 * host module.
 * @throws SnapshotMismatchError
 */
export function checkPending(
  { requestId, op, args }: PendingCall,
  at: string | undefined,
  imports: readonly ModuleImport[],
  hostModules: readonly HostModule[],
): PendingCall {
  if (at !== undefined && !suspendingImport(at, imports, hostModules))
    throw new SnapshotMismatchError("the call it waits in", at, "a suspending function of a host module");
  const call = HOST_IMPORTS.find(({ name, blocking }) => name === op && blocking);
  if (op === "exit" || (call === undefined && (at === undefined || op !== at)))
    throw new SnapshotMismatchError("the pending call", op, "a blocking call");
  if (args.length !== (call?.params.length ?? args.length) || !args.every(Number.isSafeInteger))
    throw new SnapshotMismatchError(
      `the arguments of ${op}`,
      args.join(", "),
      `${call?.params.length ?? "only"} integers`,
    );
  if (!Number.isSafeInteger(requestId) || requestId < 1)
    throw new SnapshotMismatchError("the request id", String(requestId), "a whole number from 1");
  return { requestId, op, args: [...args] };
}

function suspendingImport(
  at: string,
  imports: readonly ModuleImport[],
  hostModules: readonly HostModule[],
): boolean {
  const found = imports.find(
    ({ module, name, kind }) => kind === KIND.function && `${module}/${name}` === at,
  );
  const functions = hostModules.find(({ name }) => name === found?.module)?.functions ?? {};
  return (
    found !== undefined && Object.hasOwn(functions, found.name) && functions[found.name]?.suspends === true
  );
}
