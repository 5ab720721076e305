/**
 * The host functions the engine gives, under names that can be read. Only the guest API calls them.
 *
 * HF1. They are taken from the global object when the bundle starts, so that an agent's own code does not find them there.
 * HF2. Outside a guest every one of them throws a {@link GuestError} that says so.
 */
import { GuestError } from "./errors.ts";

/** A function the engine calls with a number and that answers one; see `schedule.ts`. */
export type TurnHook = (came: number) => number;

interface HostFunctions {
  /**
   * Make a request by the capability of a name: head as JSON, body. The length of what {@link HostFunctions.g} gives, or a negative
   * code. Suspends the guest.
   */
  a(capability: string, head: string, body: ArrayBufferLike): number;
  /** The message received last, as bytes. */
  b(): Uint8Array;
  /**
   * Have the service of a capability do something: input as JSON. The length of what {@link HostFunctions.g} gives, or a negative code.
   * Suspends the guest.
   */
  d(capability: string, input: string): number;
  /** A string as UTF-8. */
  e(text: string): Uint8Array;
  /** What was answered, of at most so many bytes, or a negative code. */
  g(most: number): Uint8Array | number;
  /** Register: turn, rejection, spawn. */
  h(
    turn: TurnHook,
    rejected: (promise: unknown, reason: unknown, handled: number) => void,
    spawned: () => void,
  ): void;
  /** So many random bytes, at most 65,536. */
  k(count: number): Uint8Array;
  /** Log at a level from 0 to 4; zero or a negative code. */
  l(level: number, text: string): number;
  /** Reply to the message received last; zero or a negative code. */
  p(reply: string | ArrayBufferLike): number;
  /** Wait for a message; its length or a negative code. Suspends the guest. */
  r(withinMs: number): number;
  /** Sleep. Suspends the guest. */
  s(durationMs: number): number;
  /** The message received last, as text. */
  t(): string;
  /** Bytes as text. */
  u(buffer: ArrayBufferLike, offset: number, length: number): string;
  /** End with a status. Does not return. */
  x(status: number): never;
  /** Let others run. Suspends the guest. */
  y(): void;
}

function taken(): HostFunctions {
  const globals = globalThis as { glia$?: HostFunctions };
  const found = globals.glia$;
  delete globals.glia$;
  return found ?? outside();
}

function outside(): HostFunctions {
  const refuse = (): never => {
    throw new GuestError("outside-guest", "the guest API of @glia-os/guest-js works only inside a guest");
  };
  return new Proxy({} as HostFunctions, { get: () => refuse });
}

/** The engine's functions. */
export const host: HostFunctions = taken();

/** Whether this code runs inside a guest. */
export const insideGuest: boolean = Object.hasOwn(host, "b");
