/** What the durable domains of the benchmarks run. */
import type { DurableProgram } from "@glia-os/durable";

/** Reads files, one after the other; a read may be repeated. */
export const reader: DurableProgram<null> = {
  name: "reader",
  uses: ["step"],
  run: () =>
    function* (sys, _inbox, files) {
      for (let i = 0; ; i++) yield* sys.file(files!, { operation: "read", path: `page-${i}` });
    },
};

/** Calls a tool, which happens once, again and again. */
export const caller: DurableProgram<null> = {
  name: "caller",
  uses: ["step"],
  run: () =>
    function* (sys, _inbox, tool) {
      for (let i = 0; ; i++) yield* sys.exec(tool!, { step: i });
    },
};

/** Waits for a message. */
export const waiter: DurableProgram<number> = {
  name: "waiter",
  run: (number) =>
    function* (sys, inbox) {
      return [number, yield* sys.receive(inbox)];
    },
};

/** What services answer. */
export const ANSWERS = {
  tool: "done",
  files: new Uint8Array(16).fill(7),
} as const;
