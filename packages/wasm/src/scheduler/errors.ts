/** Refusals and failures of hosts of many guests, one class each. Codes: `wasm.*` of `@glia-os/abi/errors`. */
import { WasmError } from "@glia-os/abi/errors/wasm";

/** An option out of range. */
export class BadGuestOptionError extends WasmError<"wasm.bad-guest-option"> {
  constructor(name: string, value: unknown, least: number, most: number) {
    super(
      "wasm.bad-guest-option",
      `${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`,
    );
  }
}

/** A message that is no bytes. */
export class BadMessageError extends WasmError<"wasm.bad-message"> {
  constructor(message: unknown) {
    super(
      "wasm.bad-message",
      `a message is a Uint8Array, this one ${message === null ? "null" : typeof message}`,
    );
  }
}

/** No more messages fit. */
export class GuestMailboxFullError extends WasmError<"wasm.guest-mailbox-full"> {
  constructor(guest: number, limit: number) {
    super("wasm.guest-mailbox-full", `${limit} messages wait for guest ${guest} already`, {
      details: { guest, limit },
    });
  }
}

/** A guest has lived for as long as it may. */
export class GuestOverdueError extends WasmError<"wasm.guest-overdue"> {
  constructor(lifeMs: number) {
    super("wasm.guest-overdue", `the guest has lived for the ${lifeMs} ms it was given`);
  }
}

/** A number that no guest has. */
export class GuestUnknownError extends WasmError<"wasm.guest-unknown"> {
  constructor(guest: number) {
    super("wasm.guest-unknown", `there is no guest ${guest} here`, { details: { guest } });
  }
}

/** A name that no program has, or a program already has. */
export class ProgramUnknownError extends WasmError<"wasm.program-unknown"> {
  constructor(name: string, problem: string) {
    super("wasm.program-unknown", `the program ${JSON.stringify(name)} ${problem}`);
  }
}

/** As many guests as there may be. */
export class TooManyGuestsError extends WasmError<"wasm.too-many-guests"> {
  constructor(limit: number) {
    super("wasm.too-many-guests", `there are ${limit} guests already`);
  }
}

/** A guest waits for an operation of a host module that nobody answers. */
export class WaitUnansweredError extends WasmError<"wasm.wait-unanswered"> {
  constructor(op: string, cause?: unknown) {
    super(
      "wasm.wait-unanswered",
      `the guest waits for ${op}, which ${cause === undefined ? "nobody answers here" : "could not be answered"}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** The worker that held a guest ended. `details.culprit` is the guest it was running then, when it was running one. */
export class GuestLostError extends WasmError<"wasm.guest-lost"> {
  constructor(guest: number, why: string, culprit: number | undefined) {
    const whose = culprit === guest ? "it" : `guest ${culprit}`;
    const running = culprit === undefined ? "" : `, while ${whose} was running`;
    super("wasm.guest-lost", `guest ${guest} is lost: its worker ${why}${running}`, {
      details: { guest, culprit },
    });
  }
}

/** A message that its guest took, or would have taken, and did not answer. */
export class NoReplyError extends WasmError<"wasm.no-reply"> {
  constructor(guest: number) {
    super("wasm.no-reply", `guest ${guest} did not answer the message`, { details: { guest } });
  }
}

/** A call of a pool that is closed. */
export class PoolClosedError extends WasmError<"wasm.pool-closed"> {
  constructor() {
    super("wasm.pool-closed", "the pool is closed");
  }
}

/** More commands wait for a worker than may. */
export class PoolBusyError extends WasmError<"wasm.pool-busy"> {
  constructor(limit: number) {
    super("wasm.pool-busy", `${limit} commands wait for the worker of this guest already`);
  }
}

/** A worker that could not be started. */
export class WorkerFailedError extends WasmError<"wasm.worker-failed"> {
  constructor(why: string, cause?: unknown) {
    super("wasm.worker-failed", `a worker of the pool ${why}`, cause === undefined ? {} : { cause });
  }
}
