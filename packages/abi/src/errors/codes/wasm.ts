/** Codes of the `wasm` namespace: the guest engine, its pipeline and its snapshots. */
export const WASM_CODES = {
  "wasm.already-tracked": {
    retryable: false,
    changed: "Nothing: the guest's writes go on being tracked for whoever asked first.",
    fix: "Release the copy that follows the guest, or cancel its pre-copy, before you start another.",
  },
  "wasm.bad-capability": {
    retryable: false,
    changed: "Nothing: no guest was made.",
    fix: "Give a guest at most 256 capabilities, each with a target of 1 to 256 characters, known rights, and a name of at most 64 characters that no other has.",
  },
  "wasm.bad-guest-option": {
    retryable: false,
    changed: "Nothing: no guest, scheduler or pool was made.",
    fix: "Use whole numbers within the ranges that docs/guests.md lists for a host of many guests.",
  },
  "wasm.bad-host-module": {
    retryable: false,
    changed: "Nothing: no engine was made.",
    fix: "Offer each host module once, under a name of 1 to 64 characters that is not glia.v1, with a whole version from 1.",
  },
  "wasm.bad-host-wait": {
    retryable: false,
    changed: "The guest was stopped in the middle of a host call.",
    fix: "Fix the host module: declare the function `suspends` with an i32 result, and give at most 16 safe integers.",
  },
  "wasm.bad-key": {
    retryable: false,
    changed: "Nothing: nothing was signed or loaded.",
    fix: "Give Ed25519 keys as raw bytes: 32 for the private seed, 32 for the public key.",
  },
  "wasm.bad-launch": {
    retryable: false,
    changed: "Nothing: no instance was made.",
    fix: "Give arguments, variables, input and files within the bounds that docs/guests.md lists for WASI guests.",
  },
  "wasm.bad-limit": {
    retryable: false,
    changed: "Nothing: no instance was made.",
    fix: "Use whole numbers within the ranges that docs/guests.md lists for engine limits.",
  },
  "wasm.bad-message": {
    retryable: false,
    changed: "Nothing: the message was not taken.",
    fix: "Encode what you want to say as bytes, for example with TextEncoder.",
  },
  "wasm.bad-result": {
    retryable: false,
    changed: "Nothing: the guest still waits for the same call.",
    fix: "Answer the pending call once, with an integer that fits its result type.",
  },
  "wasm.binaryen-missing": {
    retryable: false,
    changed: "Nothing: the module was not instrumented.",
    fix: "Install the optional peer dependency with `npm install binaryen@132`, or load a module that is already instrumented.",
  },
  "wasm.capability-unbindable": {
    retryable: false,
    changed: "Nothing: no guest was made, and its snapshot is as it was.",
    fix: "Offer what the error names on this host before you restore the guest, or have the guest drop it before it is moved.",
  },
  "wasm.fuel-exhausted": {
    retryable: false,
    changed: "The guest was stopped; nothing else was touched.",
    fix: "Give more fuel per step, raise the limit `fuel`, or find the loop that does not end. A guest of the profile `preemptive` is not stopped for its slice.",
  },
  "wasm.guest-lost": {
    retryable: false,
    changed:
      "The worker that held the guest was ended, and everything the guest knew since its last snapshot with it.",
    fix: "Restore the guest from a snapshot. The error says why the worker was ended and which guest it was running.",
  },
  "wasm.guest-mailbox-full": {
    retryable: true,
    changed: "Nothing: the message was not taken.",
    fix: "Send again when the guest has received some, or give it a larger `mailbox`.",
  },
  "wasm.guest-overdue": {
    retryable: false,
    changed: "The guest was stopped; nothing else was touched.",
    fix: "Give the guest a longer `lifeMs`, or find out why it does not end.",
  },
  "wasm.guest-protocol": {
    retryable: false,
    changed: "The guest was stopped; nothing else was touched.",
    fix: "Instrument the original module again with @glia-os/wasm/pipeline; do not edit instrumented modules.",
  },
  "wasm.guest-trapped": {
    retryable: false,
    changed: "The guest was stopped; its state is as it was when it trapped.",
    fix: "Fix the guest: the message names the trap. Its own log lines show what it did before.",
  },
  "wasm.guest-unknown": {
    retryable: false,
    changed: "Nothing: no guest has this number.",
    fix: "Look at `ended`: a guest that ended, or was stopped, is gone; numbers are not used again.",
  },
  "wasm.host-failed": {
    retryable: false,
    changed: "The guest was stopped in the middle of a host call.",
    fix: "Fix the host function: it threw instead of returning an error code. The cause is attached.",
  },
  "wasm.host-memory": {
    retryable: true,
    changed: "Nothing: no instance was made.",
    fix: "End some guests or start another process: one process has room for about eight thousand.",
  },
  "wasm.host-module-missing": {
    retryable: false,
    changed: "Nothing: no instance was made from the snapshot.",
    fix: "Offer the host module named in the message, in the version named, to the engine that restores.",
  },
  "wasm.import-mismatch": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Declare the import with the types listed in docs/spec/host-abi.md.",
  },
  "wasm.import-not-granted": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Grant the imports named in the message, or build the guest without them.",
  },
  "wasm.instance-ended": {
    retryable: false,
    changed: "Nothing: the instance had already ended.",
    fix: "Make a new instance, or restore one from a snapshot.",
  },
  "wasm.malformed-module": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Build the module again; its bytes do not follow the WebAssembly binary format.",
  },
  "wasm.memory-limit": {
    retryable: false,
    changed: "Nothing: no instance was made.",
    fix: "Raise `memoryPages` or build the guest with a smaller initial memory.",
  },
  "wasm.module-too-big": {
    retryable: false,
    changed: "Nothing: the module was not read.",
    fix: "Make the module smaller or raise `moduleBytes` of the engine.",
  },
  "wasm.no-reply": {
    retryable: false,
    changed: "The guest took the message, or ended, and did not answer it.",
    fix: "Use `tell` for messages that need no answer, or find out why the guest does not reply.",
  },
  "wasm.not-a-module": {
    retryable: false,
    changed: "Nothing: the bytes were not loaded.",
    fix: "Give the bytes of a core WebAssembly module: a .wasm file, not its text form and not a component.",
  },
  "wasm.not-instrumented": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Run the module through `instrument` of @glia-os/wasm/pipeline with the profile `cooperative`.",
  },
  "wasm.not-pending": {
    retryable: true,
    changed: "Nothing.",
    fix: "Take a snapshot only between a step that came back as pending and the step that answers it.",
  },
  "wasm.payload-too-big": {
    retryable: false,
    changed: "Nothing: the guest still waits for the same call.",
    fix: "Send a shorter message, raise `messageBytes`, or answer E_TOO_BIG when only the guest's buffer is too small.",
  },
  "wasm.pool-busy": {
    retryable: true,
    changed: "Nothing: the command was not taken.",
    fix: "Wait for answers before you send more, or spread guests over more workers.",
  },
  "wasm.pool-closed": {
    retryable: false,
    changed: "Nothing: the pool is closed.",
    fix: "Make a new pool.",
  },
  "wasm.program-unknown": {
    retryable: false,
    changed: "Nothing: no program of this name is admitted here.",
    fix: "Admit the program first, under a name of 1 to 64 characters that is not taken.",
  },
  "wasm.not-resident": {
    retryable: true,
    changed: "Nothing: the guest goes on.",
    fix: "Let its pages arrive: step it, or wait until its post-copy is complete, then ask again.",
  },
  "wasm.postcopy-corrupt": {
    retryable: false,
    changed:
      "What had arrived was given up: a guest that was handed over fails when it needs a page that did not come.",
    fix: "Before the hand-over, go on at the source. After it, start the guest again from its last checkpoint; the source may not run it.",
  },
  "wasm.postcopy-lost": {
    retryable: false,
    changed:
      "The guest was stopped before it could see memory that is not its own; what it did before stands.",
    fix: "Start it again from its last checkpoint. Move by pre-copy where the source may fail: its guests are whole at one end at any time.",
  },
  "wasm.postcopy-order": {
    retryable: false,
    changed: "Nothing: the guest is where it was.",
    fix: "Send rounds, then hand over once with the guest stopped, then push pages until the other end has them all.",
  },
  "wasm.precopy-corrupt": {
    retryable: true,
    changed: "Nothing at the source, where the guest is still whole; what had arrived here was given up.",
    fix: "Cancel at the source and start the pre-copy anew; both ends must run versions of @glia-os/wasm that fit.",
  },
  "wasm.precopy-order": {
    retryable: false,
    changed: "Nothing: the guest is where it was and can go on after `cancel`.",
    fix: "Send round after round, each to its end, then the last one with the guest stopped; take the guest at the other end once.",
  },
  "wasm.snapshot-corrupt": {
    retryable: false,
    changed: "Nothing: no instance was made from it.",
    fix: "Take or fetch the snapshot again; these bytes were damaged, cut short or are no snapshot.",
  },
  "wasm.snapshot-mismatch": {
    retryable: false,
    changed: "Nothing: no instance was made from it.",
    fix: "Restore it with the same module, instrumented by the same pipeline version, that was running when it was taken.",
  },
  "wasm.snapshot-too-big": {
    retryable: false,
    changed: "Nothing: no memory was set aside for it.",
    fix: "Raise the snapshot limit on this node, or move the guest to a node with more memory.",
  },
  "wasm.snapshot-version": {
    retryable: false,
    changed: "Nothing: the snapshot was not read.",
    fix: "Use a build of @glia-os/wasm that reads this snapshot version.",
  },
  "wasm.stack-exhausted": {
    retryable: false,
    changed: "The guest was stopped; nothing else was touched.",
    fix: "Make the guest recurse less deeply; the limits are in docs/guests.md.",
  },
  "wasm.too-many-guests": {
    retryable: true,
    changed: "Nothing: no guest was made.",
    fix: "Let some guests end, or raise `guests`.",
  },
  "wasm.unbounded-module": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Run the module through `instrument` of @glia-os/wasm/pipeline, which clamps memory and tables and moves the start function.",
  },
  "wasm.unmetered-code": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Instrument the original module again with @glia-os/wasm/pipeline; the message names the function and byte that a check of fuel is missing from.",
  },
  "wasm.unsigned-module": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Have the module instrumented and signed by this cluster's admission worker, or add the signer's public key to `admissionKeys`.",
  },
  "wasm.unsupported-feature": {
    retryable: false,
    changed: "Nothing: the module was not loaded.",
    fix: "Build the guest without the feature named in the message; docs/guests.md lists what guests may use.",
  },
  "wasm.wait-unanswered": {
    retryable: false,
    changed: "The guest was stopped: it waited for an operation that nobody answers here.",
    fix: "Give the scheduler an `answer` function that knows the operations of the host modules it offers.",
  },
  "wasm.worker-failed": {
    retryable: true,
    changed: "The worker could not be started, or could not admit a program again.",
    fix: "The cause says why. Check that worker threads can be started and that modules are as they were.",
  },
} as const;
