/**
 * The tally, version 2. How it takes over follows from the total: one of -1 traps, -2 sleeps, -3 says no, -4 ends, -5 waits for another message.
 */
import { exit, receive, sleep } from "../index";
import { Tally } from "../tally/tally";

export { glia_upgrade } from "../upgrade";

class Second extends Tally {
  constructor() {
    super("v2", 2);
  }

  save(): Uint8Array {
    const state = new Uint8Array(20);
    store<i64>(state.dataStart, this.total);
    store<i32>(state.dataStart, this.count, 8);
    store<i64>(state.dataStart, this.order, 12);
    return state;
  }

  codeChange(state: Uint8Array, fromVersion: i32): string | null {
    const total = load<i64>(state.dataStart);
    if (total == -1) unreachable();
    if (total == -2) sleep(1);
    if (total == -3) return `version ${fromVersion} is too old`;
    if (total == -4) exit(7);
    if (total == -5) receive();
    this.total = total;
    this.count = load<i32>(state.dataStart, 8);
    this.order = load<i64>(state.dataStart, 12);
    return null;
  }
}

export function glia_main(): i32 {
  return new Second().run();
}
