/**
 * Runs one of six small programs per message: for measuring what instrumentation costs and for moving guests in mid-computation.
 *
 * A request is two u32: the program (0 fib, 1 matrix product, 2 sieve, 3 words, 4 trees, 5 host calls) and its size. The reply is
 * the program's result (u64). An empty message, or a negative answer of `receive`, ends the guest with status 0; any other
 * length, program or size over the program's bound ends it with status 1.
 */
import * as host from "../host";

const REQUEST_BYTES: i32 = 8;
const request: usize = memory.data(REQUEST_BYTES);
const result: usize = memory.data(8);

function fib(n: u32): u64 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/** Matrix product and sieve work on plain memory, so that their loops are as tight as a program's loops get. */
function product(a: usize, b: usize, c: usize, n: usize): void {
  for (let row: usize = 0; row < n; row++) {
    for (let column: usize = 0; column < n; column++) {
      let sum: f64 = 0;
      for (let at: usize = 0; at < n; at++) {
        sum += load<f64>(a + ((row * n + at) << 3)) * load<f64>(b + ((at * n + column) << 3));
      }
      store<f64>(c + ((row * n + column) << 3), sum);
    }
  }
}

function matrices(n: usize): u64 {
  const bytes = (n * n) << 3;
  const all = heap.alloc(bytes * 3 + 8);
  for (let at: usize = 0; at < n * n; at++) {
    store<f64>(all + (at << 3), <f64>(at % 17) + 0.25);
    store<f64>(all + bytes + (at << 3), <f64>(at % 23) - 3.5);
  }
  product(all, all + bytes, all + 2 * bytes, n);
  let total: f64 = 0;
  for (let at: usize = 0; at < n * n; at++) total += load<f64>(all + 2 * bytes + (at << 3));
  heap.free(all);
  return reinterpret<u64>(total);
}

function sieve(n: usize): u64 {
  const crossed = heap.alloc(n + 1);
  memory.fill(crossed, 0, n + 1);
  let primes: u64 = 0;
  for (let at: usize = 2; at <= n; at++) {
    if (load<u8>(crossed + at)) continue;
    primes++;
    for (let multiple = at * 2; multiple <= n; multiple += at) store<u8>(crossed + multiple, 1);
  }
  heap.free(crossed);
  return primes;
}

function words(n: i32): u64 {
  const counts = new Map<string, i32>();
  let state: u32 = 12345;
  for (let at = 0; at < n; at++) {
    state = state * 1664525 + 1013904223;
    const word = "w" + (state >> 22).toString();
    counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
  }
  let mixed: u64 = counts.size;
  const keys = counts.keys();
  for (let at = 0; at < keys.length; at++) {
    mixed = mixed * 31 + <u64>counts.get(keys[at]) * <u64>keys[at].length;
  }
  return mixed;
}

class Tree {
  left: Tree | null = null;
  right: Tree | null = null;
}

function grown(depth: i32): Tree {
  const tree = new Tree();
  if (depth > 0) {
    tree.left = grown(depth - 1);
    tree.right = grown(depth - 1);
  }
  return tree;
}

function nodes(tree: Tree): u64 {
  const left = tree.left;
  const right = tree.right;
  return left && right ? 1 + nodes(left) + nodes(right) : 1;
}

function trees(depth: i32): u64 {
  let total: u64 = 0;
  for (let round = 0; round < 4; round++) total += nodes(grown(depth));
  return total;
}

function calls(n: i32): u64 {
  let total: u64 = 0;
  for (let at = 0; at < n; at++) total += <u64>host.now();
  return total;
}

function run(program: u32, size: i32): u64 {
  if (program == 0) return fib(size);
  if (program == 1) return matrices(size);
  if (program == 2) return sieve(size);
  if (program == 3) return words(size);
  if (program == 4) return trees(size);
  return calls(size);
}

/** Largest size of each program: what its memory or its recursion holds. */
function most(program: u32): u32 {
  if (program == 0) return 60;
  if (program == 1) return 1024;
  if (program == 4) return 20;
  return 0x1000000;
}

export function glia_main(): i32 {
  while (true) {
    const length = host.receive(request, REQUEST_BYTES);
    if (length <= 0) return 0;
    if (length != REQUEST_BYTES) return 1;
    const program = load<u32>(request);
    const size = load<u32>(request, 4);
    if (program > 5 || size > most(program)) return 1;
    store<u64>(result, run(program, size));
    host.reply(result, 8);
  }
}
