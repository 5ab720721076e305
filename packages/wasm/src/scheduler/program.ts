/** A program as a scheduler runs it. */
import type { WasmProgram } from "../engine/engine.ts";
import { Hibernation } from "./hibernation.ts";
import { Quantum } from "./quantum.ts";

/** What the guests of one program share in a scheduler. */
export class HostedProgram {
  readonly program: WasmProgram;
  readonly hibernation: Hibernation = new Hibernation();
  readonly quantum: Quantum = new Quantum();

  constructor(program: WasmProgram) {
    this.program = program;
  }
}
