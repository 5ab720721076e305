/** What the threads of test pools load: a host module whose functions misbehave in the host's own code. */
import type { CallResult, HostModule, PendingCall } from "@glia-os/abi/ports";

const NAME = "test.v1";

/** `test.v1`: `die()` ends the thread, `spin()` never returns, `ask(n)` waits for the host, `later(n)` for it to answer later. */
export const hostModules: readonly HostModule[] = [
  {
    name: NAME,
    version: 1,
    functions: {
      die: { params: [], result: "none" },
      spin: { params: [], result: "none" },
      ask: { params: ["i32"], result: "i32", suspends: true },
    },
    open: () => ({
      calls: {
        die: () => process.exit(3),
        spin: () => {
          for (;;) {}
        },
        ask: (which) => ({ op: `${NAME}/ask`, args: [Number(which)] }),
      },
      save: () => new Uint8Array(),
    }),
  },
];

/** 1 answers at once, 2 later, 3 throws, 4 rejects, 5 never returns, 6 gives no answer. */
export function answer(guest: number, { args }: PendingCall): CallResult | Promise<CallResult> {
  const value = guest * 10 + (args[0] ?? 0);
  if (args[0] === 1) return { value };
  if (args[0] === 2) return new Promise((resolve) => setImmediate(() => resolve({ value })));
  if (args[0] === 3) throw new TypeError("no answer to 3");
  if (args[0] === 4) return Promise.reject(new TypeError("no answer to 4"));
  if (args[0] === 6) return undefined as unknown as CallResult;
  for (;;) {}
}
