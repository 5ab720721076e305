/**
 * Waits in the middle of a deep recursion, with live locals in every frame.
 *
 * The first message is a depth (u32, at most 10,000). Then the guest goes down that many calls and comes back up, and at every
 * level it receives a number (u32) both on the way down and on the way up and mixes it into its result, so the answer depends
 * on the order of all messages and on the locals of all frames. It replies to each number with the running value (u64), and at
 * the end waits for one more message of any content, replies with the result (u64), and starts over. A message of another
 * length ends it with status 1, a depth out of range with status 2.
 */
import { exit, receive, reply } from "../index";

const MOST_DEPTH: u32 = 10000;
let running: u64 = 0;

function number(): u32 {
  const message = receive();
  if (message.length != 4) exit(1);
  return load<u32>(message.dataStart);
}

function answer(value: u64): void {
  const bytes = new Uint8Array(8);
  store<u64>(bytes.dataStart, value);
  reply(bytes);
}

function mix(a: u64, b: u64): u64 {
  const product = (a ^ b) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}

function descend(depth: u32): u64 {
  if (depth == 0) return running;
  const down = mix(<u64>depth, <u64>number());
  running = mix(running, down);
  answer(running);
  const below = descend(depth - 1);
  const up = mix(below, <u64>number());
  running = mix(running, up);
  answer(running);
  return mix(down, up) + <u64>depth;
}

export function glia_main(): i32 {
  while (true) {
    running = 0;
    const depth = number();
    if (depth > MOST_DEPTH) return 2;
    answer(0);
    const result = descend(depth);
    receive();
    answer(result);
  }
}
