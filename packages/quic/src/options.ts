/**
 * What an endpoint is made of, checked before anything is opened.
 *
 * O1. Every value that the addon gets has passed a check here; the message names the option and the rule.
 */
import { checkAddress, checkBytes, checkNumber } from "./checks.ts";
import type { QuicConnection } from "./connection.ts";
import { BadOptionError } from "./errors.ts";

/** A certificate and its key. */
export interface QuicIdentity {
  /** One X.509 certificate in DER form. */
  readonly certificate: Uint8Array;
  /** Its key: PKCS#8 in DER form, not encrypted. */
  readonly key: Uint8Array;
}

/** How an endpoint is made. */
export interface QuicEndpointOptions extends QuicIdentity {
  /** The address to bind: a numeric IPv4 or IPv6 address. Names are the caller's to look up. Default `127.0.0.1`. */
  readonly host?: string;
  /** The UDP port; 0, the default, takes any free one. */
  readonly port?: number;
  /** Names of application protocols, most wanted first; 1 to 16, each of 1 to 255 bytes. Both sides must share one. */
  readonly alpn: readonly string[];
  /**
   * Decides about a peer by its certificate (DER): only `true` approves. A text refuses and is told to the peer (256 bytes of it at most);
   * anything else, an exception or a rejection refuses without one. A refused connection closes before any stream.
   */
  readonly approvePeer: (
    certificate: Uint8Array,
    peer: { readonly isServer: boolean },
  ) => boolean | string | Promise<boolean | string>;
  /** Takes connections that others made. Left out: they are refused. */
  readonly onConnection?: (connection: QuicConnection) => void;
  /** TLS groups in OpenSSL's form. Default `X25519:X25519MLKEM768`. */
  readonly groups?: string;
  /** Whether a dialler proves its address by a Retry before it costs memory; one round trip more. Default true. */
  readonly retry?: boolean;
  /** Milliseconds without a word from the peer that end a connection: 100 to 600000, default 30000. The smaller of both sides' counts. */
  readonly idleMs?: number;
  /** Connections of others in handshake or approval: 1 to 65536, default 256. */
  readonly maxPending?: number;
  /** Connections in all: 1 to 65536, default 4096. */
  readonly maxConnections?: number;
  /** Whether both sides wait for the other's approval (docs/quic.md). Default true; false to speak with other implementations. */
  readonly confirmsApproval?: boolean;
}

/** Options with every default filled in, for the addon. */
export interface CheckedOptions extends QuicIdentity {
  readonly host: string;
  readonly port: number;
  readonly alpn: Uint8Array;
  readonly groups: string;
  readonly retry: boolean;
  readonly idleMs: number;
  readonly maxPending: number;
  readonly maxConnections: number;
}

const DER_BYTES_MAX = 16 * 1024;
const PROTOCOLS_MAX = 16;
const SLOTS_MAX = 65_536;

/** An identity whose two parts are bytes of a sane size. */
export function checkIdentity({ certificate, key }: QuicIdentity): QuicIdentity {
  return {
    certificate: checkBytes("certificate", certificate, DER_BYTES_MAX),
    key: checkBytes("key", key, DER_BYTES_MAX),
  };
}

function checkAlpn(alpn: unknown): Uint8Array {
  const names = Array.isArray(alpn) ? alpn.map((name) => new TextEncoder().encode(String(name))) : [];
  const isFine = names.length >= 1 && names.length <= PROTOCOLS_MAX;
  if (!isFine || names.some(({ length }) => length === 0 || length > 255))
    throw new BadOptionError("alpn", `1 to ${PROTOCOLS_MAX} names of 1 to 255 bytes`);
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(name.length), name]));
}

function checkGroups(groups: unknown): string {
  if (typeof groups === "string" && /^[\w:?*/-]{1,255}$/.test(groups)) return groups;
  throw new BadOptionError("groups", "names of groups with colons between them");
}

function checkFlag(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new BadOptionError(name, "true or false");
}

/** The options as the addon wants them, or `quic.bad-option`. */
export function checkOptions(options: QuicEndpointOptions): CheckedOptions {
  const { host = "127.0.0.1", port = 0, retry = true, idleMs = 30_000 } = options;
  const { groups = "X25519:X25519MLKEM768", maxPending = 256, maxConnections = 4096 } = options;
  checkAddress(host, port, 0);
  if (typeof options.approvePeer !== "function") throw new BadOptionError("approvePeer", "a function");
  if (options.onConnection !== undefined && typeof options.onConnection !== "function")
    throw new BadOptionError("onConnection", "a function");
  return {
    ...checkIdentity(options),
    host,
    port,
    alpn: checkAlpn(options.alpn),
    groups: checkGroups(groups),
    retry: checkFlag("retry", retry),
    idleMs: checkNumber("idleMs", idleMs, [100, 600_000]),
    maxPending: checkNumber("maxPending", maxPending, [1, SLOTS_MAX]),
    maxConnections: checkNumber("maxConnections", maxConnections, [1, SLOTS_MAX]),
  };
}
