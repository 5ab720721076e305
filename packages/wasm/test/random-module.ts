/**
 * Writes random guests as WebAssembly text, from a seed: nested blocks, loops, branches, tables of branches, calls, bounded
 * recursion, calls through a table, globals, loads, stores, bulk operations, growth, vectors and waits.
 *
 * RM1. Every guest ends: loops count down, recursion has a depth. None traps on purpose, except by a rare out-of-range access.
 * RM2. A guest's result depends on all it did: at its end it replies with a digest of its memory and all globals.
 */

type Type = "i32" | "i64" | "f64";
const TYPES: readonly Type[] = ["i32", "i64", "f64"];
const FUNCTIONS = 6;
const MEMORY_MASK = 0x3ffc;

/** A generator of numbers (mulberry32): `below(n)` gives 0 to n - 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The module of a seed, as text. */
export function randomModule(seed: number): string {
  return new Generator(randomFrom(seed)).module();
}

class Generator {
  readonly #below: (below: number) => number;
  #labels = 0;
  #budget = 0;
  #loops = 0;

  constructor(below: (below: number) => number) {
    this.#below = below;
  }

  module(): string {
    const bodies = Array.from({ length: FUNCTIONS }, (_, index) => this.#function(index));
    return `(module
      (import "glia.v1" "yield" (func $yield (result i32)))
      (import "glia.v1" "now" (func $now (result i64)))
      (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
      (memory 1 3) (data (i32.const 40) "random module")
      (type $op (func (param i32 i64) (result i32)))
      (table ${FUNCTIONS} ${FUNCTIONS} funcref) (elem (i32.const 0) ${bodies.map((_, index) => `$f${index}`).join(" ")})
      (global $gi32 (mut i32) (i32.const 5)) (global $gi64 (mut i64) (i64.const -7))
      (global $gf64 (mut f64) (f64.const 0.75)) (global $deep (mut i32) (i32.const 0))
      ${bodies.join("\n")}
      (func $digest (local $at i32) (local $sum i64)
        (loop $l
          (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 1099511628211)) (i64.load (local.get $at))))
          (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 32768))))
        (i64.store (i32.const 0) (local.get $sum)) (i64.store (i32.const 8) (global.get $gi64))
        (i32.store (i32.const 16) (global.get $gi32)) (i32.store (i32.const 20) (memory.size))
        (i64.store (i32.const 24) (i64.trunc_sat_f64_s (f64.mul (global.get $gf64) (f64.const 1000)))))
      (func (export "glia_main") (result i32) (local $status i32)
        (local.set $status (call $f0 (i32.const ${this.#below(100)}) (i64.const ${this.#below(1000)})))
        (call $digest) (drop (call $reply (i32.const 0) (i32.const 32)))
        (local.get $status)))`;
  }

  /** Every function goes no deeper than a common bound, so that any call from anywhere ends. */
  #function(index: number): string {
    this.#budget = 60;
    this.#loops = 0;
    const body = this.#statements(3);
    const result = this.#expression("i32", 3);
    return `(func $f${index} (type $op) (param $a i32) (param $b i64) (result i32)
      (local $i32 i32) (local $i64 i64) (local $f64 f64) (local $v v128) (local $n0 i32) (local $n1 i32) (local $n2 i32) (local $n3 i32)
      (if (i32.ge_u (global.get $deep) (i32.const ${2 + this.#below(2)})) (then (return (i32.add (local.get $a) (i32.wrap_i64 (local.get $b))))))
      (global.set $deep (i32.add (global.get $deep) (i32.const 1)))
      ${body}
      (local.set $i32 ${result})
      (global.set $deep (i32.sub (global.get $deep) (i32.const 1)))
      (local.get $i32))`;
  }

  #statements(depth: number): string {
    const count = 1 + this.#below(4);
    return Array.from({ length: count }, () => this.#statement(depth)).join("\n");
  }

  #statement(depth: number): string {
    this.#budget -= 1;
    const choice = this.#below(this.#budget > 0 && depth > 0 ? 13 : 5);
    const type = TYPES[this.#below(3)] as Type;
    const address = (): string => `(i32.and ${this.#expression("i32", 2)} (i32.const ${MEMORY_MASK}))`;
    switch (choice) {
      case 0:
        return `(local.set $${type} ${this.#expression(type, 3)})`;
      case 1:
        return `(global.set $g${type} ${this.#expression(type, 3)})`;
      case 2:
        return type === "f64"
          ? `(i64.store ${address()} (i64.trunc_sat_f64_s ${this.#expression("f64", 2)}))`
          : `(${type}.store ${address()} ${this.#expression(type, 3)})`;
      case 3:
        return `(local.set $v (i32x4.add (local.get $v) (i32x4.splat ${this.#expression("i32", 2)})))`;
      case 4:
        return `(v128.store ${address()} (local.get $v))`;
      case 5:
      case 6:
        return this.#loop(depth);
      case 7:
        return `(if ${this.#expression("i32", 2)} (then ${this.#statements(depth - 1)}) (else ${this.#statements(depth - 1)}))`;
      case 8:
        return this.#block(depth);
      case 9:
        return `(drop (call $yield))`;
      case 10:
        return this.#bulk(address());
      case 11:
        return `(drop (memory.grow (i32.const ${this.#below(2)})))`;
      default:
        return `(local.set $i32 ${this.#call()})`;
    }
  }

  #loop(depth: number): string {
    if (this.#loops === 4) return "(nop)";
    const counter = `$n${this.#loops++}`;
    const label = `$l${this.#labels++}`;
    const times = 1 + this.#below(depth === 3 ? 40 : 7);
    const early = this.#below(3) === 0 ? `(br_if ${label}x ${this.#expression("i32", 1)})` : "";
    return `(local.set ${counter} (i32.const ${times}))
      (block ${label}x (loop ${label} ${this.#statements(depth - 1)} ${early}
        (br_if ${label} (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const 1))))))`;
  }

  #block(depth: number): string {
    const [one, two] = [`$b${this.#labels++}`, `$b${this.#labels++}`];
    return `(block ${one} (block ${two}
      (br_table ${one} ${two} ${one} (i32.rem_u ${this.#expression("i32", 2)} (i32.const 4))))
      ${this.#statements(depth - 1)}
      (br_if ${one} ${this.#expression("i32", 1)})
      ${this.#statements(depth - 1)})`;
  }

  #bulk(address: string): string {
    const length =
      this.#below(4) === 0
        ? `(i32.const ${this.#below(300)})`
        : `(i32.and ${this.#expression("i32", 1)} (i32.const 0x7fff))`;
    if (this.#below(2) === 0) return `(memory.fill ${address} ${this.#expression("i32", 1)} ${length})`;
    return `(memory.copy ${address} (i32.and ${this.#expression("i32", 1)} (i32.const ${MEMORY_MASK})) ${length})`;
  }

  #call(): string {
    const args = `${this.#expression("i32", 1)} ${this.#expression("i64", 1)}`;
    if (this.#below(2) === 0) return `(call $f${this.#below(FUNCTIONS)} ${args})`;
    return `(call_indirect (type $op) ${args} (i32.rem_u ${this.#expression("i32", 1)} (i32.const ${FUNCTIONS})))`;
  }

  #expression(type: Type, depth: number): string {
    if (depth === 0 || this.#below(4) === 0) return this.#leaf(type);
    const inner = (of: Type): string => this.#expression(of, depth - 1);
    if (type === "f64") {
      const operation = ["add", "sub", "mul", "min", "max"][this.#below(5)];
      // Kept small and finite, so that no NaN arises: their bits are not part of what is promised.
      return `(f64.min (f64.max (f64.${operation} ${inner("f64")} ${inner("f64")}) (f64.const -1e6)) (f64.const 1e6))`;
    }
    switch (this.#below(9)) {
      case 0:
        return type === "i32" ? `(i32.wrap_i64 ${inner("i64")})` : `(i64.extend_i32_s ${inner("i32")})`;
      case 1:
        return `(${type}.load (i32.and ${inner("i32")} (i32.const ${MEMORY_MASK})))`;
      case 2:
        return `(select ${inner(type)} ${inner(type)} ${inner("i32")})`;
      case 3:
        return `(${type}.trunc_sat_f64_s ${inner("f64")})`;
      case 4:
        return `(${type}.div_u ${inner(type)} (${type}.or ${inner(type)} (${type}.const 1)))`;
      case 5:
        return `(if (result ${type}) ${inner("i32")} (then ${inner(type)}) (else ${inner(type)}))`;
      default: {
        const operation = ["add", "sub", "mul", "and", "xor", "shl", "rotl", "shr_u"][this.#below(8)];
        return `(${type}.${operation} ${inner(type)} ${inner(type)})`;
      }
    }
  }

  #leaf(type: Type): string {
    const choice = this.#below(type === "i64" ? 5 : 4);
    if (choice === 0) return `(local.get $${type})`;
    if (choice === 1) return `(global.get $g${type})`;
    if (choice === 2 && type !== "f64") return `(local.get $${type === "i32" ? "a" : "b"})`;
    if (choice === 4) return "(call $now)";
    const value = this.#below(8) === 0 ? 2 ** 31 - 1 : this.#below(200) - 100;
    return `(${type}.const ${value})`;
  }
}
