/** Puts the few globals there that programs for the web and Node expect, on what the guest API offers. Imported first in every bundle. */
import { guestConsole } from "./console.ts";
import { insideGuest } from "./host.ts";
import { random } from "./random.ts";
import { register } from "./spawn.ts";
import { sys } from "./sys.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-encoding.ts";
import { clearTimer, setTimer } from "./timers.ts";

type Callback = (...args: unknown[]) => void;

function timer(repeat: boolean): (run: Callback, afterMs?: number, ...args: unknown[]) => number {
  return (run, afterMs = 0, ...args) =>
    setTimer(args.length === 0 ? run : () => run(...args), afterMs, repeat);
}

function getRandomValues<T extends ArrayBufferView>(target: T): T {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  bytes.set(sys.randomBytes(bytes.length));
  return target;
}

function randomUUID(): string {
  const bytes = sys.randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const globals: Readonly<Record<string, unknown>> = {
  console: guestConsole,
  setTimeout: timer(false),
  setInterval: timer(true),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  TextEncoder: Utf8Encoder,
  TextDecoder: Utf8Decoder,
  crypto: { getRandomValues, randomUUID },
};

if (insideGuest) {
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  Math.random = random;
  register();
}
