/**
 * Watches what JavaScript offers beside syscalls: clocks, randomness, timers and the network. For the strict mode of `@glia-os/durable`.
 *
 * AG1. Outside turns nothing is replaced: every source is the one of the host.
 * AG2. A `Date` of given numbers or text is no clock and stays usable.
 * AG3. With `onUse` nothing is refused: each use is told and then performed.
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

/** How a guard is made. */
export interface AmbientGuardOptions {
  /** Hears of every use in place of the refusal (AG3). */
  readonly onUse?: (what: string) => void;
}

/** Make a guard of this process. Its turns do not nest. */
export function createAmbientGuard({ onUse }: AmbientGuardOptions = {}): SystemAmbientGuard {
  let refusing: Refuse | undefined;
  const outside = <Result>(act: () => Result): Result => guard.outside(act);
  const sources = sourcesOf((what, real) => {
    if (onUse === undefined) return (refusing as Refuse)(what);
    return outside(() => {
      onUse(what);
      return real();
    });
  });
  const set = (which: "real" | "guarded"): void => {
    for (const source of sources) source.owner[source.key] = source[which];
  };
  const guard: SystemAmbientGuard = {
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
  return guard;
}

const GLOBAL = globalThis as unknown as Record<string, unknown>;
/** Functions of the global object that reach outside. */
const CALLS = ["setTimeout", "setInterval", "setImmediate", "fetch", "WebSocket", "EventSource"];

/** What becomes of a use: by its name, and how it would be performed. */
type OnUse = (what: string, real: () => unknown) => unknown;

function sourcesOf(use: OnUse): readonly Source[] {
  const owned = (owner: object, key: string, shown: string): Source[] => {
    const real = (owner as Record<string, unknown>)[key];
    if (typeof real !== "function") return [];
    const guarded = function guarded(this: unknown, ...args: unknown[]): unknown {
      return use(shown, () =>
        new.target === undefined ? Reflect.apply(real, this, args) : Reflect.construct(real, args),
      );
    };
    return [{ owner: owner as Record<string, unknown>, key, real, guarded }];
  };
  return [
    { owner: GLOBAL, key: "Date", real: Date, guarded: guardedDate(use) },
    ...owned(Math, "random", "Math.random"),
    ...owned(Performance.prototype, "now", "performance.now"),
    ...owned(Crypto.prototype, "getRandomValues", "crypto.getRandomValues"),
    ...owned(Crypto.prototype, "randomUUID", "crypto.randomUUID"),
    ...CALLS.flatMap((key) => owned(GLOBAL, key, key)),
  ];
}

/** `Date` without its clock (AG2). */
function guardedDate(use: OnUse): typeof Date {
  return new Proxy(Date, {
    apply: () => use("Date()", () => Date()) as string,
    construct: (target, args, newTarget) => {
      const make = (): object => Reflect.construct(target, args, newTarget) as object;
      return args.length === 0 ? (use("new Date()", make) as object) : make();
    },
    get: (target, key) =>
      key === "now" ? () => use("Date.now", () => target.now()) : Reflect.get(target, key),
  });
}
