/**
 * Rights of kernel capabilities (docs/spec/capability-record.md).
 *
 * R1. Rights are a set; deriving a capability can only take away from it.
 * R2. Bit numbers are stable: they travel in snapshots and capability records.
 */

/** Bit per right. */
export const RIGHTS = {
  /** Put a message into an endpoint, mailbox or channel. */
  send: 0x1,
  /** Take a message out. */
  receive: 0x2,
  /** Send and wait for the reply. */
  call: 0x4,
  /** Raise a notification or send an exit signal. */
  signal: 0x8,
  /** Wait for the end of a task. */
  wait: 0x10,
  /** End a task. */
  kill: 0x20,
  /** Make a task. */
  spawn: 0x40,
  /** Hand the capability, or less, to another task. */
  grant: 0x80,
  /** Take back everything derived from the capability. */
  revoke: 0x100,
  /** Read a region, file or readiness. */
  read: 0x200,
  /** Write a region, file or readiness. */
  write: 0x400,
  /** Perform an effect outside the kernel: HTTP, a model, a program. */
  exec: 0x800,
  /** Register or look up names. */
  name: 0x1000,
  /** Ask for or give an approval. */
  approve: 0x2000,
} as const;

/** The name of a right. */
export type RightName = keyof typeof RIGHTS;

/** A set of rights as a bit mask. */
export type Rights = number;

/** Every right there is. */
export const ALL_RIGHTS: Rights = Object.values(RIGHTS).reduce((all, bit) => all | bit, 0);

/** The set of these rights. */
export function rightsOf(...names: readonly RightName[]): Rights {
  return names.reduce((set, name) => set | RIGHTS[name], 0);
}

/** The names in a set, in bit order. */
export function rightNames(rights: Rights): readonly RightName[] {
  return (Object.keys(RIGHTS) as RightName[]).filter((name) => (rights & RIGHTS[name]) !== 0);
}

/** Whether every right of `needed` is in `held`. */
export function hasRights(held: Rights, needed: Rights): boolean {
  return (held & needed) === needed;
}
