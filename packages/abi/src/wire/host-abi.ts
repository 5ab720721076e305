/**
 * The guest's side of the table: imports of module `glia.v1` (docs/spec/host-abi.md).
 *
 * H1. One import per syscall; parameters and results are i32 or i64 only.
 * H2. A negative i32 result is an error code of {@link GUEST_ERRORS}; zero or more is success.
 * H3. Only imports marked `blocking` may suspend the guest.
 * H4. Pointers are offsets into the guest's memory 0; the host checks every range before it reads or writes.
 */

/** The module name guests import from. */
export const HOST_MODULE = "glia.v1";

/** WebAssembly value types that may cross. */
export type AbiType = "i32" | "i64";

/** One import. */
export interface HostImport {
  readonly name: string;
  readonly params: readonly AbiType[];
  readonly result: AbiType | "none";
  readonly blocking: boolean;
  /** The syscall of the table it performs. */
  readonly syscall: string;
  readonly summary: string;
}

/** Every import a guest may be granted. */
export const HOST_IMPORTS: readonly HostImport[] = [
  {
    name: "receive",
    params: ["i32", "i32"],
    result: "i32",
    blocking: true,
    syscall: "receive",
    summary:
      "Wait for the next message; copy it to (pointer, capacity); its length, or -E_TOO_BIG when it does not fit (it stays first in line).",
  },
  {
    name: "receive_within",
    params: ["i32", "i32", "i64"],
    result: "i32",
    blocking: true,
    syscall: "receive",
    summary: "As receive, for at most so many milliseconds; E_TIMEOUT when no message came.",
  },
  {
    name: "sleep",
    params: ["i64"],
    result: "i32",
    blocking: true,
    syscall: "sleep",
    summary: "Wait for some milliseconds.",
  },
  {
    name: "yield",
    params: [],
    result: "i32",
    blocking: true,
    syscall: "yield",
    summary: "Let other guests run; also a place to be moved.",
  },
  {
    name: "exit",
    params: ["i32"],
    result: "none",
    blocking: true,
    syscall: "exit",
    summary: "End with a status; never returns.",
  },
  {
    name: "reply",
    params: ["i32", "i32"],
    result: "i32",
    blocking: false,
    syscall: "reply",
    summary: "Answer the message received last with (pointer, length); once per message.",
  },
  {
    name: "log",
    params: ["i32", "i32", "i32"],
    result: "i32",
    blocking: false,
    syscall: "log",
    summary: "Write a log line: level 0 trace to 4 error, UTF-8 text at (pointer, length).",
  },
  {
    name: "now",
    params: [],
    result: "i64",
    blocking: false,
    syscall: "now",
    summary: "Milliseconds since the Unix epoch.",
  },
  {
    name: "random",
    params: ["i32", "i32"],
    result: "i32",
    blocking: false,
    syscall: "random",
    summary: "Fill (pointer, length) with random bytes.",
  },
];

/** Negative results (H2). */
export const GUEST_ERRORS = {
  /** A pointer or length lies outside the guest's memory. */
  E_FAULT: -1,
  /** The destination is too small; nothing was consumed. */
  E_TOO_BIG: -2,
  /** The call is not allowed now, for example a second reply. */
  E_STATE: -3,
  /** An argument is out of range. */
  E_RANGE: -4,
  /** A limit of the guest is used up. */
  E_LIMIT: -5,
  /** The peer or resource is gone. */
  E_GONE: -6,
  /** The time given is over; nothing was consumed. */
  E_TIMEOUT: -7,
  /** The number is no handle of this guest. */
  E_HANDLE: -8,
  /** The capability lacks the right, or names something else. */
  E_DENIED: -9,
  /** The call was made and failed; the result says how. */
  E_FAILED: -10,
} as const;

/** The name of a negative result. */
export type GuestErrorName = keyof typeof GUEST_ERRORS;
