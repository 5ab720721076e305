/** The refusals of this package, one class each. Codes: `rt.*` in the error table of `@glia-os/abi`. */
import { RtError } from "@glia-os/abi/errors/rt";

/** An option is out of range. */
export class BadOptionError extends RtError<"rt.bad-option"> {
  constructor(option: string, value: unknown, range: string) {
    super("rt.bad-option", `${option} is ${String(value)}; it must be ${range}`, { details: { option } });
  }
}

/** The pool has no room for the block asked for. */
export class PoolExhaustedError extends RtError<"rt.pool-exhausted"> {
  constructor(pool: string, askedBytes: number, usedBytes: number, capacityBytes: number) {
    super(
      "rt.pool-exhausted",
      `the ${pool} pool has no block of ${askedBytes} bytes left; ${usedBytes} of ${capacityBytes} bytes are used`,
      { details: { pool, askedBytes, usedBytes, capacityBytes } },
    );
  }
}

/** More was asked for than the pool holds when it is empty. */
export class TooLargeError extends RtError<"rt.too-large"> {
  constructor(pool: string, askedBytes: number, mostBytes: number) {
    super(
      "rt.too-large",
      `${askedBytes} bytes were asked of a ${pool} pool whose largest block has ${mostBytes}`,
      {
        details: { pool, askedBytes, mostBytes },
      },
    );
  }
}

/** An offset that is no block of the pool. */
export class BadBlockError extends RtError<"rt.bad-block"> {
  constructor(pool: string, offset: number) {
    super("rt.bad-block", `${String(offset)} is not the offset of a block of the ${pool} pool`, {
      details: { pool, offset: String(offset) },
    });
  }
}

/** A block that is free already. */
export class DoubleFreeError extends RtError<"rt.double-free"> {
  constructor(pool: string, offset: number) {
    super("rt.double-free", `the block at ${offset} of the ${pool} pool is free already`, {
      details: { pool, offset },
    });
  }
}

/** The guard word behind a block was overwritten. */
export class OverflowError extends RtError<"rt.overflow"> {
  constructor(pool: string, offset: number) {
    super("rt.overflow", `something wrote past the end of the block at ${offset} of the ${pool} pool`, {
      details: { pool, offset },
    });
  }
}

/** A power mode that cannot be entered from the present one. */
export class BadTransitionError extends RtError<"rt.bad-transition"> {
  constructor(from: string, to: string, why: string) {
    super("rt.bad-transition", `the power mode cannot go from ${from} to ${to}: ${why}`, {
      details: { from, to },
    });
  }
}

/** Something was asked of a core that does not run. */
export class AsleepError extends RtError<"rt.asleep"> {
  constructor(what: string, mode: string) {
    super("rt.asleep", `a core that waits in mode ${mode} cannot ${what}`, { details: { what, mode } });
  }
}

/** The memory of a device that was without power. */
export class MemoryLostError extends RtError<"rt.memory-lost"> {
  constructor() {
    super("rt.memory-lost", "the device was shut down since it was started: its memory is not retained");
  }
}

/** A reading that no sensor can give. */
export class BadReadingError extends RtError<"rt.bad-reading"> {
  constructor(what: string, value: unknown, range: string) {
    super("rt.bad-reading", `a reading of ${what} is ${String(value)}; it must be ${range}`, {
      details: { what },
    });
  }
}

/** A module that is not an image of this version. */
export class BadImageError extends RtError<"rt.bad-image"> {
  constructor(why: string) {
    super("rt.bad-image", `the image was refused: ${why}`, { details: { why } });
  }
}
