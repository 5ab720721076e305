/** Runs an agent in this process on a clock of the test's. */

import type { WasmProgram } from "@glia-os/wasm";
import type { AgentModule } from "../src/module/index.ts";
import {
  type AgentPorts,
  type AgentRequest,
  type AgentRun,
  type AgentRunOptions,
  startAgentRun,
} from "../src/run/index.ts";
import { admitted } from "./agent-modules.ts";

/** A run with what came out of it. */
export class Driven {
  readonly program: WasmProgram;
  readonly replies: [number, string][] = [];
  readonly logs: string[] = [];
  readonly requests: AgentRequest[] = [];
  /** Whether the agent may `fetch`. */
  readonly offersFetch: boolean;
  nowMs = 1_000_000;
  #seed = 1;
  run: AgentRun;

  constructor(program: WasmProgram, options: AgentRunOptions = {}, offersFetch = true) {
    this.program = program;
    this.offersFetch = offersFetch;
    this.run = startAgentRun(program, this.ports(), options);
  }

  ports(): AgentPorts {
    return {
      wallMs: () => this.nowMs,
      random: (target) => {
        for (let i = 0; i < target.length; i++) {
          this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
          target[i] = this.#seed >>> 24;
        }
      },
      log: (level, text) => void this.logs.push(`${level} ${text}`),
      reply: (message, payload) => void this.replies.push([message, Buffer.from(payload).toString()]),
      ...(this.offersFetch ? { fetch: (request: AgentRequest) => void this.requests.push(request) } : {}),
    };
  }

  /** Give a message and run; the reply to it, if there is one by now. */
  ask(text: string): string | undefined {
    const number = this.run.send(Buffer.from(text));
    this.run.run();
    return this.replies.find(([n]) => n === number)?.[1];
  }
}

/** Start an agent of a module. */
export async function drive(module: AgentModule, options: AgentRunOptions = {}): Promise<Driven> {
  const driven = new Driven(await admitted(module), options);
  driven.run.run();
  return driven;
}
