/** The tally, version 1: its state is three numbers. */
import { Tally } from "../tally/tally";

export { glia_upgrade } from "../upgrade";

class First extends Tally {
  constructor() {
    super("v1", 1);
  }

  save(): Uint8Array {
    const state = new Uint8Array(20);
    store<i64>(state.dataStart, this.total);
    store<i32>(state.dataStart, this.count, 8);
    store<i64>(state.dataStart, this.order, 12);
    return state;
  }

  codeChange(state: Uint8Array, fromVersion: i32): string | null {
    if (fromVersion > 2) return "it knows versions up to 2";
    this.total = load<i64>(state.dataStart);
    this.count = load<i32>(state.dataStart, 8);
    this.order = load<i64>(state.dataStart, 12);
    return null;
  }
}

export function glia_main(): i32 {
  return new First().run();
}
