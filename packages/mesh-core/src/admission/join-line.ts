/**
 * The join line: one word a person copies from one terminal to another (docs/spec/join.md).
 *
 *     glia-join-v1/HOST:PORT/PAYLOAD
 *     payload = base32(cluster id 32 | introducer id 32 | secret 16 | expires 6 | uses 2 | checksum 4)
 *
 * J1. `parse(format(line))` is `line`; any other text is a typed refusal. The checksum covers the address too.
 * J2. The line holds the token's secret: whoever has it may join until it expires or is used up.
 */
import { type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests, HostPort } from "@glia-os/abi/ports";
import { ascii, concat, sameBytes } from "../codec/ascii.ts";
import {
  InvalidOptionError,
  JoinLineChecksumError,
  JoinLineMalformedError,
  WrongClusterError,
} from "../errors.ts";
import { fromBase32, toBase32 } from "./base32.ts";

/** What a join line says. */
export interface JoinLine {
  readonly cluster: ClusterId;
  /** Where to dial, and who must answer there. */
  readonly address: HostPort;
  readonly introducer: NodeId;
  /** 16 bytes. */
  readonly secret: Uint8Array;
  /** Seconds since the Unix epoch, below 2^48. */
  readonly expiresSeconds: number;
  /** 1 to 65,535. Informative: the introducer counts. */
  readonly uses: number;
}

/** First characters of every join line. */
export const JOIN_LINE_PREFIX = "glia-join-v1/";
/** Bytes of a token's secret. */
export const SECRET_BYTES = 16;
/** Join lines tried for one join. */
export const JOIN_LINES_MAX = 16;
/** Longest join line that is looked at. */
export const JOIN_LINE_MAX = 512;

const PAYLOAD_BYTES = 92;
const CHECKSUM_BYTES = 4;
const CHECKSUM_DOMAIN = ascii("glia/join-line/v1\0");
const TWO_TO_32 = 0x1_0000_0000;

/** `host:port`, with brackets round an IPv6 literal. */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The text of a join line. */
export function formatJoinLine(line: JoinLine, digests: Digests): string {
  const address = formatAddress(line.address);
  const payload = new Uint8Array(PAYLOAD_BYTES);
  payload.set(fromHex(line.cluster), 0);
  payload.set(fromHex(line.introducer), 32);
  payload.set(line.secret, 64);
  const view = new DataView(payload.buffer);
  view.setUint16(80, Math.floor(line.expiresSeconds / TWO_TO_32));
  view.setUint32(82, line.expiresSeconds % TWO_TO_32);
  view.setUint16(86, line.uses);
  payload.set(checksum(digests, address, payload), PAYLOAD_BYTES - CHECKSUM_BYTES);
  return `${JOIN_LINE_PREFIX}${address}/${toBase32(payload)}`;
}

/** What a text says as join line (J1). @throws {JoinLineMalformedError}, {JoinLineChecksumError}. */
export function parseJoinLine(text: string, digests: Digests): JoinLine {
  const trimmed = text.length > JOIN_LINE_MAX ? "" : text.trim();
  if (!trimmed.startsWith(JOIN_LINE_PREFIX))
    throw new JoinLineMalformedError(`it does not start with ${JOIN_LINE_PREFIX} or is too long`);
  const [address = "", encoded = "", ...rest] = trimmed.slice(JOIN_LINE_PREFIX.length).split("/");
  if (rest.length > 0) throw new JoinLineMalformedError("it has more than three parts");
  const payload = fromBase32(encoded);
  if (payload?.length !== PAYLOAD_BYTES)
    throw new JoinLineMalformedError(
      "its last part is incomplete or has a character that does not belong there",
    );
  const sum = payload.subarray(PAYLOAD_BYTES - CHECKSUM_BYTES);
  if (!sameBytes(sum, checksum(digests, address, payload))) throw new JoinLineChecksumError();
  const view = new DataView(payload.buffer);
  return {
    cluster: toHex(payload.subarray(0, 32)) as ClusterId,
    introducer: toHex(payload.subarray(32, 64)) as NodeId,
    secret: payload.slice(64, 80),
    expiresSeconds: view.getUint16(80) * TWO_TO_32 + view.getUint32(82),
    uses: view.getUint16(86),
    address: parseAddress(address),
  };
}

/** The lines of one cluster, 1 to {@link JOIN_LINES_MAX}. @throws also {WrongClusterError} when they name different clusters. */
export function parseJoinLines(texts: readonly string[], digests: Digests): readonly JoinLine[] {
  if (texts.length < 1 || texts.length > JOIN_LINES_MAX)
    throw new InvalidOptionError("start.line", `${texts.length} lines are not 1 to ${JOIN_LINES_MAX}`);
  const lines = texts.map((text) => parseJoinLine(text, digests));
  const [first] = lines;
  for (const { cluster } of lines)
    if (first !== undefined && cluster !== first.cluster) throw new WrongClusterError(cluster, first.cluster);
  return lines;
}

function parseAddress(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.%]{2,64})\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535)
    throw new JoinLineMalformedError(`"${text.slice(0, 80)}" is not HOST:PORT`);
  return { host: match[1] ?? match[2] ?? "", port };
}

function checksum(digests: Digests, address: string, payload: Uint8Array): Uint8Array {
  const covered = concat(
    CHECKSUM_DOMAIN,
    ascii(address),
    payload.subarray(0, PAYLOAD_BYTES - CHECKSUM_BYTES),
  );
  return digests.sha256(covered).subarray(0, CHECKSUM_BYTES);
}
