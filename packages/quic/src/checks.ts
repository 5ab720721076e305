/** Checks of single values; each fails with `quic.bad-option`, naming the value and the rule. */
import { isIP } from "node:net";
import { BadOptionError } from "./errors.ts";

/** A whole number in a range, or `quic.bad-option`. */
export function checkNumber(
  name: string,
  value: unknown,
  range: readonly [least: number, most: number],
): number {
  const [least, most] = range;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  throw new BadOptionError(name, `a whole number from ${least} to ${most}`);
}

/** A numeric address and a port, or `quic.bad-option`. */
export function checkAddress(host: unknown, port: unknown, leastPort: number): void {
  if (typeof host !== "string" || isIP(host) === 0 || host.includes("%"))
    throw new BadOptionError("host", "a numeric IPv4 or IPv6 address without a zone");
  checkNumber("port", port, [leastPort, 65_535]);
}

/** Bytes within a size, or `quic.bad-option`. */
export function checkBytes(name: string, value: unknown, most: number): Uint8Array {
  if (value instanceof Uint8Array && value.byteLength > 0 && value.byteLength <= most) return value;
  throw new BadOptionError(name, `a Uint8Array of 1 to ${most} bytes`);
}
