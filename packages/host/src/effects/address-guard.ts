/**
 * Which addresses an HTTP client may connect to.
 *
 * AG1. Without leave for private addresses only those that route on the public Internet are allowed: everything that IANA's registries of
 *      special-purpose addresses list as not globally reachable is refused, and so are IPv6 addresses that carry a refused IPv4 address
 *      (mapped, 6to4, NAT64).
 * AG2. A name is refused when any of its addresses is, and the connection goes to an address that was looked at: a name that answers
 *      differently the next time gains nothing.
 *
 * Source: RFC 6890 and the IANA IPv4 and IPv6 special-purpose address registries, as of 2025.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv4, isIPv6, type LookupFunction } from "node:net";
import { AddressRefusedError } from "./errors.ts";

/** An address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The system's resolver. */
export const systemResolve: Resolve = (host) => lookup(host, { all: true });

const REFUSED_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Inside 2000::/3, which is all that is routed. */
const REFUSED_V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
];

const refused4 = new BlockList();
for (const [net, bits] of REFUSED_V4) refused4.addSubnet(net, bits, "ipv4");
const refused6 = new BlockList();
for (const [net, bits] of REFUSED_V6) refused6.addSubnet(net, bits, "ipv6");
const routed6 = new BlockList();
routed6.addSubnet("2000::", 3, "ipv6");

/** Whether an address routes on the public Internet (AG1). False for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !refused4.check(address, "ipv4");
  if (!isIPv6(address)) return false;
  const words = wordsOf(address);
  if (words === undefined) return false;
  const carried = carriedV4(words);
  if (carried !== undefined) return isPublicAddress(carried);
  return routed6.check(address, "ipv6") && !refused6.check(address, "ipv6");
}

/** The IPv4 address inside a mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96) or 6to4 (2002::/16) address. */
function carriedV4(words: readonly number[]): string | undefined {
  const zero = (from: number, to: number): boolean => words.slice(from, to).every((word) => word === 0);
  if (zero(0, 5) && words[5] === 0xffff) return dotted(words[6]!, words[7]!);
  if (words[0] === 0x64 && words[1] === 0xff9b && zero(2, 6)) return dotted(words[6]!, words[7]!);
  return words[0] === 0x2002 ? dotted(words[1]!, words[2]!) : undefined;
}

function dotted(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight words of an IPv6 address; undefined for one with a zone, which names a link of this machine. */
function wordsOf(address: string): readonly number[] | undefined {
  if (address.includes("%")) return undefined;
  // The URL standard's serializer writes every form of an address, dotted tails too, as hexadecimal words.
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const words = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16));
  const left = words(head);
  if (tail === undefined) return left;
  const right = words(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** Refuses addresses (AG1, AG2). */
export class AddressGuard {
  readonly #privateAllowed: boolean;
  readonly #resolve: Resolve;

  constructor(privateAllowed: boolean, resolve: Resolve) {
    this.#privateAllowed = privateAllowed;
    this.#resolve = resolve;
  }

  /** For `node:net`: look a name up and check what comes. A literal address is not looked up: see `checkLiteral`. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#addresses(host).then(
      (addresses) => {
        const first = addresses[0]!;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 4),
    );
  };

  /** Refuse the host of an address line when it is a literal address that is not allowed. @throws {AddressRefusedError} */
  checkLiteral(host: string): void {
    const bare = host.startsWith("[") ? host.slice(1, -1) : host;
    if (isIP(bare) !== 0) this.#check(bare, bare);
  }

  async #addresses(host: string): Promise<readonly ResolvedAddress[]> {
    const addresses = await this.#resolve(host);
    if (addresses.length === 0) throw new AddressRefusedError(host, "it has no address");
    for (const { address } of addresses) this.#check(host, address);
    return addresses;
  }

  #check(host: string, address: string): void {
    if (this.#privateAllowed || isPublicAddress(address)) return;
    const which = host === address ? "it" : `its address ${address}`;
    throw new AddressRefusedError(host, `${which} is not on the public Internet`);
  }
}
