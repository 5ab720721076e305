/**
 * What a call on a capability does to the world, which decides how an agent with a replica makes it (docs/spec/replica.md, RC1 to RC4).
 *
 * EF1. `recorded`: what is asked for is data, and done later. `none`: nothing is changed by it. `repeatable`: made twice it has the effect of once.
 *      `once`: everything else.
 * EF2. Methods of HTTP that are safe have no effect, those that are idempotent are repeatable (RFC 9110, 9.2.1 and 9.2.2).
 */
import type { PendingCall } from "@glia-os/abi/ports";
import { SYS_MODULE } from "@glia-os/abi/wire";
import { fetchOf } from "@glia-os/kernel/guests";

/** See EF1. */
export type CallEffect = "recorded" | "none" | "repeatable" | "once";

/** What judging a call needs of its guest. */
export interface CallingGuest {
  /** Bytes of its memory. */
  read(pointer: number, length: number): Uint8Array | undefined;
  /** Whether its number stands for a service that is recorded. */
  recorded(handle: number): boolean;
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const IDEMPOTENT: ReadonlySet<string> = new Set(["PUT", "DELETE"]);
const EFFECTS: Readonly<Record<string, CallEffect>> = {
  lookup: "none",
  file_read: "none",
  file_list: "none",
  file_write: "repeatable",
};

/** The effect of a pending call of `glia.sys.v1`. */
export function effectOf({ op, args }: PendingCall, guest: CallingGuest): CallEffect {
  const name = op.slice(SYS_MODULE.length + 1);
  if (name === "exec") return guest.recorded(args[0] ?? 0) ? "recorded" : "once";
  if (name === "fetch") return effectOfFetch(args, guest);
  return EFFECTS[name] ?? "once";
}

function effectOfFetch([, pointer = 0, length = 0]: readonly number[], guest: CallingGuest): CallEffect {
  const head = guest.read(pointer, length);
  if (head === undefined) return "none"; // It is refused as it is.
  try {
    const { method = "GET" } = fetchOf(head, new Uint8Array());
    if (SAFE.has(method)) return "none";
    return IDEMPOTENT.has(method) ? "repeatable" : "once";
  } catch {
    return "none"; // No request: it is refused as it is.
  }
}
