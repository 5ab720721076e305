/** Every refusal and failure of this package, one class each. Codes, what changed and what to do: `wasm.*` of `@glia-os/abi/errors`. */
import type { GliaErrorOptions } from "@glia-os/abi/errors";
import { WasmError } from "@glia-os/abi/errors/wasm";

/** Host modules that cannot be offered: two of one name, or a name or version that snapshots cannot hold. */
export class BadHostModuleError extends WasmError<"wasm.bad-host-module"> {
  constructor(name: string, problem: string) {
    super("wasm.bad-host-module", `the host module ${name} ${problem}`, { details: { name } });
  }
}

/** A function of a host module tried to suspend its guest in a way that was not declared or cannot be written down. */
export class BadHostWaitError extends WasmError<"wasm.bad-host-wait"> {
  constructor(at: string, op: string) {
    super("wasm.bad-host-wait", `the host function ${at} may not make its guest wait for ${op} so`, {
      details: { at, op },
    });
  }
}

/** A guest whose writes are tracked for somebody already. */
export class AlreadyTrackedError extends WasmError<"wasm.already-tracked"> {
  constructor() {
    super("wasm.already-tracked", "the guest's writes are tracked already: one copy or pre-copy at a time");
  }
}

/** A capability that a guest cannot be given. */
export class BadCapabilityError extends WasmError<"wasm.bad-capability"> {
  constructor(problem: string) {
    super("wasm.bad-capability", `a guest cannot be given this: ${problem}`);
  }
}

/** A capability that this host does not bind, so that its guest cannot be here. */
export class CapabilityUnbindableError extends WasmError<"wasm.capability-unbindable"> {
  constructor(name: string, target: string, why: string) {
    const called = name === "" ? "a capability" : `the capability ${name}`;
    super("wasm.capability-unbindable", `${called} to ${target} ${why}`, { details: { name, target } });
  }
}

/** A WASI launch out of bounds. */
export class BadLaunchError extends WasmError<"wasm.bad-launch"> {
  constructor(problem: string) {
    super("wasm.bad-launch", `the guest cannot be launched so: ${problem}`);
  }
}

/** A key that is no raw Ed25519 key. */
export class BadKeyError extends WasmError<"wasm.bad-key"> {
  constructor(bytes: number) {
    super("wasm.bad-key", `an Ed25519 key has 32 bytes, this one ${bytes}`);
  }
}

/** An engine limit that is not a whole number within its range. */
export class BadLimitError extends WasmError<"wasm.bad-limit"> {
  constructor(name: string, value: unknown, least: number, most: number) {
    super(
      "wasm.bad-limit",
      `limit ${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`,
    );
  }
}

/** An answer that does not fit the pending call. */
export class BadResultError extends WasmError<"wasm.bad-result"> {
  constructor(problem: string) {
    super("wasm.bad-result", problem);
  }
}

/** The optional peer `binaryen` is not installed. */
export class BinaryenMissingError extends WasmError<"wasm.binaryen-missing"> {
  constructor(cause: unknown) {
    super(
      "wasm.binaryen-missing",
      "instrumenting a module needs the package binaryen, which is not installed",
      { cause },
    );
  }
}

/** A guest used more fuel than it was given: for one step (`slice`) or for its whole life (`life`). */
export class FuelExhaustedError extends WasmError<"wasm.fuel-exhausted"> {
  constructor(used: number, which: "slice" | "life") {
    const what = which === "life" ? "its life" : "this step";
    super("wasm.fuel-exhausted", `the guest has used up the fuel for ${what}: ${used} in all`, {
      details: { used, which },
    });
  }
}

/** An instrumented module that does not unwind or rewind as the pipeline's output does. */
export class GuestProtocolError extends WasmError<"wasm.guest-protocol"> {
  constructor(problem: string, options: GliaErrorOptions = {}) {
    super("wasm.guest-protocol", `the guest broke the suspension protocol: ${problem}`, options);
  }
}

/** The guest executed a trap. */
export class GuestTrappedError extends WasmError<"wasm.guest-trapped"> {
  constructor(cause: unknown) {
    super(
      "wasm.guest-trapped",
      `the guest trapped: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** A host function threw; the guest was stopped by a trap. */
export class HostFailedError extends WasmError<"wasm.host-failed"> {
  constructor(name: string, cause: unknown) {
    super("wasm.host-failed", `the host function ${name} threw`, { cause });
  }
}

/** A snapshot holds the state of a host module that is not offered here in the same version. */
export class HostModuleMissingError extends WasmError<"wasm.host-module-missing"> {
  constructor(name: string, version: number, here: number | undefined) {
    const offered = here === undefined ? "is not offered here" : `is offered here in version ${here}`;
    super(
      "wasm.host-module-missing",
      `the snapshot needs version ${version} of host module ${name}, which ${offered}`,
      {
        details: { name, version, here },
      },
    );
  }
}

/** The operating system or the JavaScript engine had no room for a guest's memory. */
export class HostMemoryError extends WasmError<"wasm.host-memory"> {
  constructor(pages: number, cause: unknown) {
    super("wasm.host-memory", `this process has no room for another guest memory of ${pages} pages`, {
      cause,
    });
  }
}

/** An import whose type is not the one the host offers under that name. */
export class ImportMismatchError extends WasmError<"wasm.import-mismatch"> {
  constructor(name: string, asked: string, offered: string) {
    super("wasm.import-mismatch", `the module imports ${name} as ${asked}; the host offers ${offered}`, {
      details: { name, asked, offered },
    });
  }
}

/** Imports that were not granted. `details.asked` lists everything the module asks for, `details.missing` what was not granted. */
export class ImportNotGrantedError extends WasmError<"wasm.import-not-granted"> {
  constructor(missing: readonly string[], asked: readonly string[], granted: readonly string[]) {
    super(
      "wasm.import-not-granted",
      `the module asks for ${missing.join(", ")}, which it was not granted; all it asks for: ${asked.join(", ")}; ` +
        `granted: ${granted.length === 0 ? "nothing" : granted.join(", ")}`,
      { details: { missing, asked, granted: [...granted] } },
    );
  }
}

/** A step, snapshot or answer for an instance that has finished, failed or been disposed. */
export class InstanceEndedError extends WasmError<"wasm.instance-ended"> {
  constructor(how: string) {
    super("wasm.instance-ended", `the instance has ${how}`);
  }
}

/** Bytes that do not follow the binary format. */
export class MalformedModuleError extends WasmError<"wasm.malformed-module"> {
  constructor(problem: string) {
    super("wasm.malformed-module", `malformed module: ${problem}`);
  }
}

/** The guest needs more memory at its start than the limit allows. */
export class MemoryLimitError extends WasmError<"wasm.memory-limit"> {
  constructor(needed: number, limit: number) {
    super("wasm.memory-limit", `the guest needs ${needed} pages of memory and the limit is ${limit}`);
  }
}

/** The program's bytes exceed the engine's limit. */
export class ModuleTooBigError extends WasmError<"wasm.module-too-big"> {
  constructor(bytes: number, limit: number) {
    super("wasm.module-too-big", `the module is ${bytes} bytes and the limit is ${limit}`);
  }
}

/** Bytes that are no WebAssembly module, or one the engine of this machine refuses. */
export class NotAModuleError extends WasmError<"wasm.not-a-module"> {
  constructor(problem: string) {
    super("wasm.not-a-module", `not a WebAssembly module: ${problem}`);
  }
}

/** A module without the instrumentation the engine needs. */
export class NotInstrumentedError extends WasmError<"wasm.not-instrumented"> {
  constructor(problem: string) {
    super("wasm.not-instrumented", problem);
  }
}

/** A snapshot was asked for while the guest waits for nothing. */
export class NotPendingError extends WasmError<"wasm.not-pending"> {
  constructor() {
    super("wasm.not-pending", "the guest waits for no call, so its state cannot be taken");
  }
}

/** A message longer than a limit or than the guest's buffer. */
export class PayloadTooBigError extends WasmError<"wasm.payload-too-big"> {
  constructor(bytes: number, limit: number, whose: "limit" | "buffer") {
    const where = whose === "limit" ? "the message limit" : "the guest's buffer";
    super("wasm.payload-too-big", `the payload is ${bytes} bytes and ${where} is ${limit}`, {
      details: { bytes, limit, whose },
    });
  }
}

/** A guest that arrived by post-copy some of whose pages will not come. */
export class PostCopyLostError extends WasmError<"wasm.postcopy-lost"> {
  constructor(pages: number, why: string, cause?: unknown) {
    super("wasm.postcopy-lost", `the guest is lost with ${pages} of its pages missing: ${why}`, {
      details: { pages },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Bytes of a post-copy that are damaged, cut short, out of order or no post-copy. */
export class PostCopyCorruptError extends WasmError<"wasm.postcopy-corrupt"> {
  constructor(problem: string, cause?: unknown) {
    super(
      "wasm.postcopy-corrupt",
      `the post-copy is damaged: ${problem}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** A step of a post-copy that was asked for at the wrong time. */
export class PostCopyOrderError extends WasmError<"wasm.postcopy-order"> {
  constructor(problem: string) {
    super("wasm.postcopy-order", `the post-copy cannot go on: ${problem}`);
  }
}

/** The whole state of a guest was asked for while pages of it are still on the way. */
export class NotResidentError extends WasmError<"wasm.not-resident"> {
  constructor(pages: number) {
    super("wasm.not-resident", `${pages} pages of the guest are still on the way`, { details: { pages } });
  }
}

/** Bytes of a pre-copy that are damaged, cut short, out of order or no pre-copy. */
export class PreCopyCorruptError extends WasmError<"wasm.precopy-corrupt"> {
  constructor(problem: string, cause?: unknown) {
    super(
      "wasm.precopy-corrupt",
      `the pre-copy is damaged: ${problem}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** A step of a pre-copy that was asked for at the wrong time. */
export class PreCopyOrderError extends WasmError<"wasm.precopy-order"> {
  constructor(problem: string) {
    super("wasm.precopy-order", `the pre-copy cannot go on: ${problem}`);
  }
}

/** Snapshot bytes that are damaged, cut short or not a snapshot. */
export class SnapshotCorruptError extends WasmError<"wasm.snapshot-corrupt"> {
  constructor(problem: string, cause?: unknown) {
    super(
      "wasm.snapshot-corrupt",
      `the snapshot is damaged: ${problem}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** A snapshot that does not fit the program it is restored with. */
export class SnapshotMismatchError extends WasmError<"wasm.snapshot-mismatch"> {
  constructor(what: string, found: string, expected: string) {
    super("wasm.snapshot-mismatch", `the snapshot does not fit: ${what} is ${found}, expected ${expected}`, {
      details: { what, found, expected },
    });
  }
}

/** A snapshot that declares more bytes than the limit. */
export class SnapshotTooBigError extends WasmError<"wasm.snapshot-too-big"> {
  constructor(bytes: number, limit: number) {
    super("wasm.snapshot-too-big", `the snapshot holds ${bytes} bytes and the limit is ${limit}`, {
      details: { bytes, limit },
    });
  }
}

/** A snapshot of a version this build does not read. */
export class SnapshotVersionError extends WasmError<"wasm.snapshot-version"> {
  constructor(found: number, expected: number) {
    super("wasm.snapshot-version", `the snapshot has version ${found}; this build reads version ${expected}`);
  }
}

/** The guest recursed past the native stack or past the memory that holds its suspended calls. */
export class StackExhaustedError extends WasmError<"wasm.stack-exhausted"> {
  constructor(where: string, cause: unknown) {
    super("wasm.stack-exhausted", `the guest's calls are nested too deeply ${where}`, { cause });
  }
}

/** A module whose memory, tables or start function are outside the host's control. */
export class UnboundedModuleError extends WasmError<"wasm.unbounded-module"> {
  constructor(problem: string) {
    super("wasm.unbounded-module", problem);
  }
}

/** Code that could run without using fuel, or that writes the fuel counter, in a module that says it is metered. */
export class UnmeteredCodeError extends WasmError<"wasm.unmetered-code"> {
  constructor(index: number, at: number, problem: string) {
    super("wasm.unmetered-code", `function ${index} ${problem} (byte ${at})`, { details: { index, at } });
  }
}

/** A module without a valid signature, where one is asked for. */
export class UnsignedModuleError extends WasmError<"wasm.unsigned-module"> {
  constructor(problem: string) {
    super("wasm.unsigned-module", `the module is not admitted: ${problem}`);
  }
}

/** A module that uses a feature guests may not use. */
export class UnsupportedFeatureError extends WasmError<"wasm.unsupported-feature"> {
  constructor(feature: string, why: string) {
    super("wasm.unsupported-feature", `the module uses ${feature}, which guests may not: ${why}`, {
      details: { feature },
    });
  }
}
