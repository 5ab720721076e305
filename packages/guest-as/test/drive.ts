/** Runs a guest in this process: feeds it messages, collects its replies, moves it through bytes when asked. */
import type { EngineLimits, GuestHost, StepOutcome } from "@glia-os/abi/ports";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  type WasmInstance,
  type WasmProgram,
} from "@glia-os/wasm";
import { guestModule } from "./guests.ts";

/** A guest that waits for its next message. */
export class DrivenGuest {
  readonly replies: Uint8Array[] = [];
  readonly logs: string[] = [];
  readonly program: WasmProgram;
  readonly #limits: Partial<EngineLimits>;
  readonly #host: GuestHost;
  instance: WasmInstance;
  outcome: StepOutcome;

  constructor(program: WasmProgram, limits: Partial<EngineLimits> = {}) {
    this.program = program;
    this.#limits = limits;
    this.#host = {
      log: (level, text) => this.logs.push(`${level} ${text}`),
      wallMs: () => 1_700_000_000_000,
      random: (target) => target.set(target.map((_, at) => (at * 89 + 41) & 0xff)),
      reply: (payload) => {
        this.replies.push(payload);
        return 0;
      },
    };
    this.instance = program.instantiate(limits, this.#host);
    this.outcome = this.instance.step();
  }

  /** Give a message; the reply it led to, if any. */
  send(payload: Uint8Array): Uint8Array | undefined {
    const before = this.replies.length;
    this.outcome = this.instance.step({ value: 0, payload });
    return this.replies.length > before ? this.replies.at(-1) : undefined;
  }

  /** Go through bytes into a new instance; the number of bytes. */
  move(compress = true): number {
    const bytes = Buffer.concat([...encodeSnapshot(this.instance.snapshot(), { compress })]);
    this.instance.dispose();
    this.instance = this.program.restore(decodeSnapshot(bytes), this.#limits, this.#host);
    return bytes.length;
  }
}

/** A guest of this package, admitted with all of `glia.v1`. */
export async function admitted(name: string): Promise<WasmProgram> {
  return createWasmEngine().admit(await guestModule(name), ["glia.v1"]);
}
