/**
 * The second table of imports: module `glia.sys.v1`, calls on capabilities and on the services behind them (docs/spec/host-abi.md).
 *
 * SA1. Parameters are i32 or i64, the result is an i32, negative for an error of `GUEST_ERRORS`.
 * SA2. Only rows with `suspends` make the guest wait; their pending call is `glia.sys.v1/NAME` with the arguments as they were given.
 * SA3. `reads` names the arguments that are ranges of the guest's memory which whoever performs the call reads (HA18).
 */
import type { AbiType } from "./host-abi.ts";

/** The module name guests import from. */
export const SYS_MODULE = "glia.sys.v1";

/** Most capabilities of one guest. */
export const GUEST_CAPABILITIES = 256;

/** Most capabilities that go with one message. */
export const MESSAGE_CAPABILITIES = 16;

/** One import. */
export interface SysImport {
  readonly name: string;
  readonly params: readonly AbiType[];
  readonly result: "i32";
  readonly suspends: boolean;
  /** The syscall of the table it performs; undefined for those that only look at what the guest holds. */
  readonly syscall: string | undefined;
  /** Indices of the arguments that are pointers; the length is the next argument (SA3). */
  readonly reads: readonly number[];
}

const plain = (name: string, params: number, syscall?: string, reads: readonly number[] = []): SysImport => ({
  name,
  params: Array<AbiType>(params).fill("i32"),
  result: "i32",
  suspends: false,
  syscall,
  reads,
});

const waiting = (name: string, params: number, syscall: string, reads: readonly number[]): SysImport => ({
  ...plain(name, params, syscall, reads),
  suspends: true,
});

/** Every import of the module. */
export const SYS_IMPORTS: readonly SysImport[] = [
  plain("capability", 2, undefined, [0]),
  plain("rights", 1),
  plain("attenuate", 2, "attenuate"),
  plain("drop", 1, "drop"),
  plain("revoke", 1, "revoke"),
  plain("accept", 1, "grant"),
  plain("result", 2),
  waiting("lookup", 2, "lookup", [0]),
  waiting("send", 5, "send", [1]),
  { ...waiting("call", 4, "call", [1]), params: ["i32", "i32", "i32", "i64"] },
  waiting("exec", 3, "exec", [1]),
  waiting("fetch", 5, "fetch", [1, 3]),
  waiting("file_read", 4, "file", [1]),
  waiting("file_write", 5, "file", [1, 3]),
  waiting("file_list", 3, "file", [1]),
  waiting("model", 3, "model", [1]),
  waiting("approve", 3, "approve", [1]),
];
