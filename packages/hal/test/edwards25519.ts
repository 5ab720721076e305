/**
 * As much of the curve of Ed25519 (RFC 8032 section 5.1) as it takes to forge signatures for keys of small
 * order: with such a key A, and S = 1, R = B, the equation S*B = R + k*A holds whenever k is a multiple of
 * A's order, which some message gives.
 */
import { createHash } from "node:crypto";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value: bigint): bigint => ((value % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n, square = mod(square * square)) {
    if (rest & 1n) result = mod(result * square);
  }
  return result;
}

const invert = (value: bigint): bigint => power(value, P - 2n);
const D = mod(-121665n * invert(121666n));

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

const NEUTRAL: Point = { x: 0n, y: 1n };

function add(a: Point, b: Point): Point {
  const product = mod(D * a.x * b.x * a.y * b.y);
  return {
    x: mod((a.x * b.y + a.y * b.x) * invert(1n + product)),
    y: mod((a.y * b.y + a.x * b.x) * invert(1n - product)),
  };
}

function multiply(point: Point, factor: bigint): Point {
  let result = NEUTRAL;
  for (let twice = point, rest = factor; rest > 0n; rest >>= 1n, twice = add(twice, twice)) {
    if (rest & 1n) result = add(result, twice);
  }
  return result;
}

/** A square root modulo P, where there is one. */
function root(square: bigint): bigint | undefined {
  const candidate = power(square, (P + 3n) / 8n);
  for (const value of [candidate, mod(candidate * power(2n, (P - 1n) / 4n))]) {
    if (mod(value * value) === mod(square)) return value;
  }
  return undefined;
}

/** The point with this y and an even x, if y is on the curve. */
function lift(y: bigint): Point | undefined {
  const x = root(mod((y * y - 1n) * invert(D * y * y + 1n)));
  return x === undefined ? undefined : { x: x & 1n ? mod(-x) : x, y };
}

const BASE = lift(mod(4n * invert(5n)))!;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

function encode({ x, y }: Point): Uint8Array {
  return littleEndian(y | ((x & 1n) << 255n));
}

/** The order of a point of small order: 1, 2, 4 or 8. */
function orderOf(point: Point): number {
  return [1, 2, 4, 8].find((order) => {
    const { x, y } = multiply(point, BigInt(order));
    return x === NEUTRAL.x && y === NEUTRAL.y;
  })!;
}

/**
 * All eight points of small order: the multiples of L*Q for a point Q outside the prime-order group whose L*Q
 * has order 8.
 */
function smallOrderPoints(): readonly Point[] {
  for (let y = 2n; ; y += 1n) {
    const point = lift(y);
    if (point === undefined) continue;
    const torsion = multiply(point, L);
    if (orderOf(torsion) === 8)
      return Array.from({ length: 8 }, (_, factor) => multiply(torsion, BigInt(factor)));
  }
}

/** The challenge k of RFC 8032 section 5.1.7, modulo the order of the base point. */
function challenge(point: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash("sha512").update(point).update(publicKey).update(message).digest();
  return fromLittleEndian(digest) % L;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function decode(bytes: Uint8Array): Point {
  const value = fromLittleEndian(bytes);
  const even = lift(value & (2n ** 255n - 1n))!;
  return value >> 255n === 0n ? even : { x: mod(-even.x), y: even.y };
}

/** Whether S*B = R + k*A: all that RFC 8032 section 5.1.7 asks beyond well-formed numbers. */
export function satisfiesEquation(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const point = signature.subarray(0, 32);
  const left = multiply(BASE, fromLittleEndian(signature.subarray(32)));
  const right = add(decode(point), multiply(decode(publicKey), challenge(point, publicKey, message)));
  return left.x === right.x && left.y === right.y;
}

export interface Forgery {
  readonly order: number;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * One signature per key of small order that satisfies the equation of RFC 8032, made without a private key.
 */
export function forgeSmallOrder(digest: (data: Uint8Array) => Uint8Array): readonly Forgery[] {
  const point = encode(BASE);
  const signature = new Uint8Array([...point, ...littleEndian(1n)]);
  return smallOrderPoints().map((key) => {
    const publicKey = encode(key);
    for (let counter = 0; ; counter += 1) {
      const message = digest(Uint8Array.of(counter & 255, counter >> 8));
      const shift = multiply(key, challenge(point, publicKey, message));
      if (shift.x === NEUTRAL.x && shift.y === NEUTRAL.y)
        return { order: orderOf(key), publicKey, message, signature };
    }
  });
}
