/** How connections end. */

/** Codes that the package itself closes connections with; the others belong to the program. */
export const CLOSE_CODES = {
  /** `approvePeer` did not accept the peer. */
  notApproved: 0x474c_4900,
  /** The limit of connections, or of handshakes, was reached. */
  busy: 0x474c_4901,
  /** The handshake with its approval took more than ten seconds. */
  tooSlow: 0x474c_4902,
  /** What the peer sent in place of its approval is none. */
  badConfirmation: 0x474c_4903,
  /** The two sides have no protocol name (ALPN) in common. */
  noProtocol: 0x474c_4904,
} as const;

/** The largest code of a program: the largest whole number JavaScript counts exactly. */
export const CODE_MAX: number = Number.MAX_SAFE_INTEGER;

/** Bytes of the text a connection is closed with. */
export const REASON_BYTES_MAX = 256;

/** How a connection ended. */
export interface QuicClose {
  /** Who ended it: this side, or the peer. */
  readonly by: "us" | "peer";
  /** A program's own code, an error of QUIC or TLS (RFC 9000 section 20.1), or nothing heard for the idle time. */
  readonly kind: "application" | "transport" | "idle";
  /** The code; 0 for `idle`. TLS alerts are 256 plus the alert. */
  readonly code: number;
  /** Text for people, at most 256 bytes. */
  readonly reason: string;
}

/** The numbers of enum close_flag in native/quic.h. */
const FLAG_LOCAL = 1;
const FLAG_TRANSPORT = 2;

/** OpenSSL's own codes, such as the one of an idle timeout, lie above what QUIC can carry (RFC 9000 section 16). */
const WIRE_CODE_MAX = 2 ** 62;

/** Reads what the addon says of an end. */
export function readClose(code: number, reason: Uint8Array, flags: number): QuicClose {
  const isIdle = code >= WIRE_CODE_MAX;
  const kind = isIdle ? "idle" : (flags & FLAG_TRANSPORT) !== 0 ? "transport" : "application";
  return {
    by: (flags & FLAG_LOCAL) !== 0 ? "us" : "peer",
    kind,
    code: isIdle ? 0 : code,
    reason: new TextDecoder().decode(reason),
  };
}

/** The end in words. */
export function printClose({ by, kind, code, reason }: QuicClose): string {
  if (kind === "idle") return "nothing was heard from the peer for the idle time";
  const who = by === "us" ? "this side" : "the peer";
  const what = kind === "transport" ? "error of the transport" : "code";
  return `${who} closed it with ${what} ${code}${reason === "" ? "" : ` (${reason})`}`;
}
