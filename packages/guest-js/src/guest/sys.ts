/** System calls: what an agent may ask of its host. Those that wait suspend the whole guest, wherever it is in its program. */
import { GuestError, refusal } from "./errors.ts";
import { host } from "./host.ts";
import { arrived, leaveBuffer, type Message } from "./message.ts";
import { setTimer } from "./timers.ts";

const E_TIMEOUT = -7;
const LEVELS = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 } as const;

/** How much a log line matters. */
export type LogLevel = keyof typeof LEVELS;

/** The calls. */
export interface Sys {
  /** The next message; the program stops here until it comes. Nothing else of this agent runs meanwhile. @throws GuestError */
  receive(): Message;
  /** As above, for at most so many milliseconds (0 or more); undefined when none came. @throws GuestError */
  receive(withinMs: number): Message | undefined;
  /** Stop here for so many milliseconds, 0 to 9e12. Nothing else of this agent runs meanwhile. @throws GuestError */
  sleep(durationMs: number): void;
  /** A promise that resolves after so many milliseconds; the rest of the agent goes on. */
  delay(durationMs: number): Promise<void>;
  /** Let others run; a place where the agent can be moved. Long computations are interrupted without it too. */
  yield(): void;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** So many random bytes from the host, 0 to 65,536. @throws GuestError */
  randomBytes(count: number): Uint8Array;
  /** Write a log line. False when the log budget is used up. */
  log(level: LogLevel, text: string): boolean;
  /** End with a status, an integer of 32 bits. */
  exit(status?: number): never;
}

function receive(): Message;
function receive(withinMs: number): Message | undefined;
function receive(withinMs = Infinity): Message | undefined {
  if (!(withinMs >= 0)) throw new GuestError("bad-argument", `cannot wait for ${withinMs} ms`);
  leaveBuffer();
  const came = host.r(Math.min(withinMs, withinMs === Infinity ? Infinity : 9e12));
  if (came === E_TIMEOUT) return undefined;
  if (came < 0) throw refusal("give the next message", came);
  return arrived(came);
}

/** The system calls of this agent. */
export const sys: Sys = {
  receive,
  sleep(durationMs) {
    if (!(durationMs >= 0 && durationMs <= 9e12))
      throw new GuestError("bad-argument", `cannot sleep for ${durationMs} ms`);
    const code = host.s(durationMs);
    if (code < 0) throw refusal("sleep", code);
  },
  delay: (durationMs) => new Promise((resolve) => setTimer(resolve, durationMs, false)),
  yield: () => host.y(),
  now: () => Date.now(),
  randomBytes(count) {
    if (!(Number.isInteger(count) && count >= 0 && count <= 65_536))
      throw new GuestError("bad-argument", `cannot give ${count} random bytes; 0 to 65,536 at once`);
    return host.k(count);
  },
  log: (level, text) => host.l(LEVELS[level] ?? LEVELS.info, String(text)) >= 0,
  exit: (status = 0) => host.x(status | 0),
};
