/**
 * The network a contact belongs to, so that one network cannot fill a routing table: the /24 of an IPv4 address, the /48 of an IPv6
 * address. go-libp2p-kad-dht limits the same groups; an operator of one /24 otherwise owns every bucket with a few hundred addresses.
 *
 * DG1. Loopback, private and link-local addresses are not limited unless all are asked for: a closed mesh in one building is one /24.
 * DG2. A host name is a group of its own: what it resolves to is not known here.
 */

/** Which addresses are limited. */
export type DiversityScope = "public" | "all" | "off";

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** The group of a host, or `undefined` when it is not limited. */
export function addressGroup(host: string, scope: DiversityScope): string | undefined {
  if (scope === "off") return undefined;
  const mapped = host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/^::ffff:(?=\d+\.)/, "");
  const v4 = V4.exec(mapped);
  if (v4 !== null) {
    const [a, b, c] = [Number(v4[1]), Number(v4[2]), Number(v4[3])];
    return scope === "public" && isLocalV4(a, b) ? undefined : `${a}.${b}.${c}/24`;
  }
  if (mapped.includes(":")) return groupV6(mapped, scope);
  return `name:${mapped}`;
}

function isLocalV4(a: number, b: number): boolean {
  if (a === 10 || a === 127 || (a === 169 && b === 254) || (a === 192 && b === 168)) return true;
  return (a === 172 && b >= 16 && b < 32) || (a === 100 && b >= 64 && b < 128);
}

function groupV6(host: string, scope: DiversityScope): string | undefined {
  const [head = "", tail] = (host.split("%")[0] ?? "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const hextets = [...left, ...Array.from({ length: zeros }, () => "0"), ...right].map((part) =>
    Number.parseInt(part, 16),
  );
  const [first = 0, second = 0, third = 0] = hextets;
  const loopback = hextets.slice(0, 7).every((part) => part === 0);
  const local = loopback || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
  if (scope === "public" && local) return undefined;
  return `${first.toString(16)}:${second.toString(16)}:${third.toString(16)}/48`;
}
