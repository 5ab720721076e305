/** Locals that a pass adds to a function, to keep operands of one instruction in. */
import { u32 } from "../binary/writer.ts";

/** Locals added to one function, each for one role, made when the role is first needed. */
export class ScratchLocals {
  readonly types: number[] = [];
  readonly #first: number;
  readonly #roles = new Map<string, number>();

  /** `first` is the index of the next local that could be added. */
  constructor(first: number) {
    this.#first = first;
  }

  /** The local of a role, as the bytes of its index. */
  of(role: string, type: number): number[] {
    const known = this.#roles.get(role);
    const index = known ?? this.#first + this.types.push(type) - 1;
    this.#roles.set(role, index);
    return u32(index);
  }
}
