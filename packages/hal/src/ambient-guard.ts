/**
 * Watches what JavaScript offers beside syscalls: clocks, randomness, timers and the network. For the strict mode of `@glia-os/durable`.
 *
 * AG1. Outside turns nothing is replaced: every source is the one of the host.
 * AG2. A `Date` of given numbers or text is no clock and stays usable.
 *
 * What a program took into a variable before, and what modules of the host such as `node:fs` do, is not seen.
 */

/** A guard (the port `AmbientGuard` of `@glia-os/durable`). */
export interface SystemAmbientGuard {
  /** Perform a turn; while it lasts, a source that is used calls `refuse` with its name. */
  during<Result>(turn: () => Result, refuse: (what: string) => never): Result;
  /** Perform something with the sources of the host. */
  outside<Result>(act: () => Result): Result;
}

interface Source {
  readonly owner: Record<string, unknown>;
  readonly key: string;
  readonly real: unknown;
  readonly guarded: unknown;
}

type Refuse = (what: string) => never;

/** Make a guard of this process. Its turns do not nest. */
export function createAmbientGuard(): SystemAmbientGuard {
  let refusing: Refuse | undefined;
  const sources = sourcesOf((what) => (refusing as Refuse)(what));
  const set = (which: "real" | "guarded"): void => {
    for (const source of sources) source.owner[source.key] = source[which];
  };
  return {
    during(turn, refuse) {
      refusing = refuse;
      set("guarded");
      try {
        return turn();
      } finally {
        set("real");
        refusing = undefined;
      }
    },
    outside(act) {
      if (refusing === undefined) return act();
      set("real");
      try {
        return act();
      } finally {
        set("guarded");
      }
    },
  };
}

const GLOBAL = globalThis as unknown as Record<string, unknown>;
/** Functions of the global object that reach outside. */
const CALLS = ["setTimeout", "setInterval", "setImmediate", "fetch", "WebSocket", "EventSource"];

function sourcesOf(refuse: Refuse): readonly Source[] {
  const owned = (owner: object, key: string, shown: string): Source[] => {
    const real = (owner as Record<string, unknown>)[key];
    if (typeof real !== "function") return [];
    const guarded = function guarded(): never {
      return refuse(shown);
    };
    return [{ owner: owner as Record<string, unknown>, key, real, guarded }];
  };
  return [
    { owner: GLOBAL, key: "Date", real: Date, guarded: guardedDate(refuse) },
    ...owned(Math, "random", "Math.random"),
    ...owned(Performance.prototype, "now", "performance.now"),
    ...owned(Crypto.prototype, "getRandomValues", "crypto.getRandomValues"),
    ...owned(Crypto.prototype, "randomUUID", "crypto.randomUUID"),
    ...CALLS.flatMap((key) => owned(GLOBAL, key, key)),
  ];
}

/** `Date` without its clock (AG2). */
function guardedDate(refuse: Refuse): typeof Date {
  return new Proxy(Date, {
    apply: () => refuse("Date()"),
    construct: (target, args, newTarget) =>
      args.length === 0 ? refuse("new Date()") : (Reflect.construct(target, args, newTarget) as object),
    get: (target, key) => (key === "now" ? () => refuse("Date.now") : Reflect.get(target, key)),
  });
}
