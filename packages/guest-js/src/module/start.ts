/**
 * Starts an agent inside the engine and takes the state it is in when it first has nothing left to do.
 *
 * ST1. Same engine, same code: same state. The clock stands still and the random bytes come from a fixed sequence; both are the
 *      agent's own from the moment it is spawned.
 * ST2. A program that waits, or ends, at its top cannot be started ahead: then it is started when it is spawned, and the state is
 *      taken before that.
 */
import type { GuestHost, InstanceImage, StepOutcome } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { WasmInstance, WasmProgram } from "@glia-os/wasm";
import { AgentFailedError, AgentTooBigError, BuildLimitError, EngineMismatchError } from "../errors.ts";

/** When the agent's program runs: ahead, when the module is built, or at every spawn. */
export type StartAt = "build" | "spawn";

/** How far a program may go when it is started ahead. */
export interface StartLimits {
  /** Slices of its interpreter, of about a millisecond each. */
  readonly slices: number;
  /** Memory in 64 KiB pages. */
  readonly memoryPages: number;
}

/** An agent that waits to be spawned. */
export interface StartedAgent {
  readonly image: InstanceImage;
  readonly startedAt: StartAt;
  /** What it logged, as `level text`. */
  readonly log: readonly string[];
}

/** Most bytes of code. */
export const CODE_BYTES_MAX: number = 16 * 1024 * 1024;
const HEAD_BYTES = 8;
/** Fuel of one slice, some seconds: what ends a program that stays inside one built-in function. */
const SLICE_FUEL = 10_000_000_000;
const MODES = { build: 0, spawn: 1 } as const;

type Reached = "ready" | "waits" | "ends";

/** @throws AgentTooBigError, AgentFailedError, BuildLimitError, EngineMismatchError */
export function startAgent(
  engine: WasmProgram,
  code: Uint8Array,
  startAt: StartAt | "auto",
  limits: StartLimits,
): StartedAgent {
  if (code.length > CODE_BYTES_MAX) throw new AgentTooBigError(code.length, CODE_BYTES_MAX);
  const log: string[] = [];
  if (startAt !== "spawn") {
    const ahead = open(engine, limits, log);
    const reached = run(ahead, feed(ahead, code, "build"), limits, log);
    if (reached === "ready") return { image: taken(ahead), startedAt: "build", log };
    ahead.dispose();
    if (startAt === "build") throw new AgentFailedError(`its program ${reached} at its top`, log);
  }
  log.length = 0;
  const later = open(engine, limits, log);
  if (run(later, feed(later, code, "spawn"), limits, log) !== "ready")
    throw new EngineMismatchError("it did not wait for its first spawn");
  return { image: taken(later), startedAt: "spawn", log };
}

function open(engine: WasmProgram, { memoryPages }: StartLimits, log: string[]): WasmInstance {
  let state = 0x9e3779b9;
  const host: GuestHost = {
    log: (level, text) => void log.push(`${level} ${text}`),
    wallMs: () => 0,
    random: (target) => {
      for (let i = 0; i < target.length; i++) {
        state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 1;
        target[i] = state >>> 24;
      }
    },
    reply: () => GUEST_ERRORS.E_STATE,
  };
  return engine.instantiate({ messageBytes: CODE_BYTES_MAX, memoryPages }, host);
}

/** Hand over head and source (EN1 of the engine). */
function feed(instance: WasmInstance, code: Uint8Array, mode: StartAt): StepOutcome {
  const head = new Uint8Array(HEAD_BYTES);
  new DataView(head.buffer).setUint32(0, code.length, true);
  new DataView(head.buffer).setUint32(4, MODES[mode], true);
  let outcome = instance.step();
  for (const payload of [head, code]) {
    if (
      outcome.kind !== "pending" ||
      outcome.call.op !== "receive" ||
      outcome.call.args[1] !== payload.length
    )
      throw new EngineMismatchError("it does not take an agent's code");
    outcome = instance.step({ value: payload.length, payload }, SLICE_FUEL);
  }
  return outcome;
}

function run(
  instance: WasmInstance,
  first: StepOutcome,
  { slices }: StartLimits,
  log: readonly string[],
): Reached {
  let outcome = first;
  for (let slice = 0; slice < slices; slice++) {
    if (outcome.kind === "failed") throw new AgentFailedError(String(outcome.error), log, outcome.error);
    if (outcome.kind === "finished") {
      if (outcome.status === 0) return "ends";
      throw new AgentFailedError(log.at(-1)?.replace(/^\d /, "") ?? `status ${outcome.status}`, log);
    }
    if (outcome.kind === "pending" && outcome.call.op !== "yield")
      return outcome.call.op === "receive" && outcome.call.args[1] === 0 ? "ready" : "waits";
    outcome = instance.step({ value: 0 }, SLICE_FUEL);
  }
  instance.dispose();
  throw new BuildLimitError(slices);
}

function taken(instance: WasmInstance): InstanceImage {
  const image = instance.snapshot();
  instance.dispose();
  return image;
}
