/**
 * A node as records of DNS service discovery (docs/spec/discovery.md; RFC 6763).
 *
 * SR1. Every record lives five minutes.
 * SR2. Names derive from the node id alone, so two nodes never want the same name and nobody has to probe for it.
 */
import { BlockList, isIP, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Announcement } from "@glia-os/abi/ports";

/** Time to live of every record, in seconds (SR1). */
export const RECORD_TTL_S = 300;
/** Service types: TLS over TCP always, QUIC where it is taken. */
export const SERVICE_TYPES: readonly string[] = ["_glia._tcp.local", "_glia._udp.local"];
/** Where browsers ask which service types there are (RFC 6763 section 9). */
export const TYPE_LIST = "_services._dns-sd._udp.local";
/** Version of the text record. */
export const TXT_VERSION = "1";
/** A label has at most 63 bytes; half an id is enough of a name, the whole one is in the text record. */
const LABEL_ID_LENGTH = 32;
const ADDRESSES_MAX = 8;

const UNREACHABLE = new BlockList();
for (const [address, prefix, kind] of [
  ["0.0.0.0", 8, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["::", 127, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
] as const)
  UNREACHABLE.addSubnet(address, prefix, kind);

/** A record, in the form `dns-packet` takes and gives. */
export type ServiceRecord =
  | {
      readonly type: "PTR";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
      readonly flush?: boolean;
    }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly ttl: number;
      readonly data: { readonly port: number; readonly target: string };
      readonly flush?: boolean;
    }
  | {
      readonly type: "TXT";
      readonly name: string;
      readonly ttl: number;
      readonly data: string[];
      readonly flush?: boolean;
    }
  | {
      readonly type: "A" | "AAAA";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
      readonly flush?: boolean;
    };

/** Whether an address means something to others on the link: neither loopback nor, without its interface, link-local. */
export function isReachable(address: string): boolean {
  return isIP(address) !== 0 && !UNREACHABLE.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

/** The addresses that `host` stands for: itself, or those of the machine. At most 8. */
export function addressesOf(host: string): string[] {
  if (host !== "0.0.0.0" && host !== "::") return isReachable(host) ? [host] : [];
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const wanted = all.filter(({ internal, family }) => !internal && (host === "::" || family === "IPv4"));
  return wanted
    .map(({ address }) => address)
    .filter(isReachable)
    .slice(0, ADDRESSES_MAX);
}

/** All records of a node, the pointers first. @param ttl {@link RECORD_TTL_S}, or 0 for a goodbye */
export function serviceRecords(
  { node, cluster, address, quic }: Announcement,
  addresses: readonly string[],
  ttl: number,
): ServiceRecord[] {
  const label = node.slice(0, LABEL_ID_LENGTH);
  const host = `glia-${label}.local`;
  const types = quic ? SERVICE_TYPES : SERVICE_TYPES.slice(0, 1);
  const text = [`v=${TXT_VERSION}`, `node=${node}`, `cluster=${cluster}`];
  return [
    ...types.map((type): ServiceRecord => ({ type: "PTR", name: type, ttl, data: `${label}.${type}` })),
    ...types.map((type): ServiceRecord => ({ type: "PTR", name: TYPE_LIST, ttl, data: type })),
    ...types.flatMap((type): ServiceRecord[] => [
      { type: "SRV", name: `${label}.${type}`, ttl, flush: true, data: { port: address.port, target: host } },
      { type: "TXT", name: `${label}.${type}`, ttl, flush: true, data: text },
    ]),
    ...addresses.map(
      (data): ServiceRecord => ({ type: isIPv4(data) ? "A" : "AAAA", name: host, ttl, flush: true, data }),
    ),
  ];
}
