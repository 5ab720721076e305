/**
 * This node's standing in its cluster: its credentials, the cluster record, and, on the founder, the key and tokens that admit others.
 *
 * ST1. Credentials are taken only after every signature in them was verified against the cluster's own id.
 * ST2. Of two cluster records the one with the higher anchor epoch holds; two anchors under one epoch are a violation.
 * ST3. Only the holder of the cluster key admits, and only with a token.
 * ST4. Several join lines name one cluster: the next is tried when nobody answers at one.
 */
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Clock, Digests, HostPort, Random, Signer } from "@glia-os/abi/ports";
import {
  InvalidOptionError,
  NoClusterKeyError,
  NotAdmittedError,
  ProtocolViolationError,
  WrongClusterError,
} from "../errors.ts";
import type { ClusterStart, Credentials, NodeRole } from "../mesh-types.ts";
import {
  type ClusterRecord,
  checkCertificate,
  clusterIdOf,
  issueCertificate,
  openCertificate,
  openClusterRecord,
  signClusterRecord,
} from "./certificate.ts";
import type { AdmissionState, JoinRequest } from "./handshake.ts";
import { formatJoinLine, type JoinLine, parseJoinLine, SECRET_BYTES } from "./join-line.ts";
import { JoinTokens } from "./join-token.ts";

const DAY_MS = 86_400_000;
/** Validity of a certificate unless the founder's settings say otherwise, in milliseconds. */
export const CERTIFICATE_TTL_MS = 31_536_000_000;
/** Join lines tried for one join. */
export const JOIN_LINES_MAX = 16;
const TOKEN_TTL_MAX_MS = 30 * DAY_MS;
const TOKEN_USES_MAX = 10_000;

/** What standing is made of. */
export interface StandingOptions {
  readonly signer: Signer;
  readonly digests: Digests;
  readonly clock: Clock;
  readonly random: Random;
  readonly role: NodeRole;
  readonly start: ClusterStart;
  readonly certificateTtlMs: number | undefined;
}

/** The standing of one node. */
export class Standing implements AdmissionState {
  readonly self: NodeId;
  readonly selfKey: Uint8Array;
  readonly role: NodeRole;
  readonly digests: Digests;
  readonly admitJoiner: AdmissionState["admitJoiner"];
  readonly #o: StandingOptions;
  readonly #tokens: JoinTokens;
  readonly #clusterSigner: Signer | undefined;
  #credentials: Credentials | undefined;
  #record: ClusterRecord | undefined;
  #joinLines: readonly JoinLine[] = [];

  constructor(options: StandingOptions) {
    const { signer, digests, role, start } = options;
    this.#o = options;
    this.self = nodeIdOf(signer.publicKey, digests.sha256);
    this.selfKey = signer.publicKey;
    this.role = role;
    this.digests = digests;
    this.#tokens = new JoinTokens(digests);
    this.#clusterSigner = start.kind === "join" ? undefined : start.clusterSigner;
    this.admitJoiner = this.#clusterSigner === undefined ? undefined : (request) => this.#admit(request);
  }

  /** Whether this node can admit others. */
  get holdsClusterKey(): boolean {
    return this.#clusterSigner !== undefined;
  }

  wallMs(): number {
    return this.#o.clock.wallMs();
  }

  credentials(): Credentials | undefined {
    return this.#credentials;
  }

  clusterRecord(): ClusterRecord | undefined {
    return this.#record;
  }

  joinLine(introducer: NodeId): JoinLine | undefined {
    return this.#joinLines.find((line) => line.introducer === introducer);
  }

  /** The lines this node joins with, in the order to try them. */
  joinLines(): readonly JoinLine[] {
    return this.#joinLines;
  }

  /** The cluster record. @throws {NotAdmittedError} before this node has one. */
  known(): ClusterRecord {
    if (this.#record === undefined) throw new NotAdmittedError("this");
    return this.#record;
  }

  /** The credentials. @throws {NotAdmittedError} before this node has some. */
  required(): Credentials {
    if (this.#credentials === undefined) throw new NotAdmittedError("this node");
    return this.#credentials;
  }

  joined(credentials: Credentials, record: ClusterRecord): void {
    this.#credentials = credentials;
    this.#record = record;
  }

  recordSeen(record: ClusterRecord, bytes: Uint8Array): void {
    const ours = this.#record;
    if (ours === undefined || this.#credentials === undefined) return;
    if (record.anchorEpoch > ours.anchorEpoch) {
      this.#record = record;
      this.#credentials = { ...this.#credentials, clusterRecord: bytes };
    } else if (record.anchorEpoch === ours.anchorEpoch && record.anchor !== ours.anchor) {
      throw new ProtocolViolationError("the peer names another anchor for the same anchor epoch");
    }
  }

  /** Credentials that exist before any session: the founder's own, or kept ones (ST1); or the line to join with. */
  prepare(): void {
    const { start, role, digests, signer, clock } = this.#o;
    if (start.kind === "join") {
      this.#joinLines = parseLines(typeof start.line === "string" ? [start.line] : start.line, digests);
      return;
    }
    const credentials = start.kind === "found" ? this.#found(start.clusterSigner) : start.credentials;
    const expected = start.kind === "found" ? clusterIdOf(digests, start.clusterSigner.publicKey) : undefined;
    const record = openClusterRecord(digests, credentials.clusterRecord, expected);
    const certificate = openCertificate(digests, record.clusterKey, credentials.certificate);
    checkCertificate(certificate, signer.publicKey, clock.wallMs());
    if (certificate.role !== role)
      throw new InvalidOptionError("role", `the certificate is for ${certificate.role}`);
    this.joined(credentials, record);
  }

  /** Make a token and its line. @throws {NoClusterKeyError}, {InvalidOptionError}. */
  createJoinLine(address: HostPort | undefined, ttlMs: number, uses: number): string {
    const { clock, random, digests } = this.#o;
    if (!this.holdsClusterKey || address === undefined) throw new NoClusterKeyError();
    if (!(ttlMs >= 1000 && ttlMs <= TOKEN_TTL_MAX_MS))
      throw new InvalidOptionError("ttlMs", `${ttlMs} is not from 1,000 to ${TOKEN_TTL_MAX_MS}`);
    if (!Number.isInteger(uses) || uses < 1 || uses > TOKEN_USES_MAX)
      throw new InvalidOptionError("uses", `${uses} is not an integer from 1 to ${TOKEN_USES_MAX}`);
    const secret = random.bytes(new Uint8Array(SECRET_BYTES));
    const expiresSeconds = Math.ceil((clock.wallMs() + ttlMs) / 1000);
    this.#tokens.add(secret, expiresSeconds, uses);
    const { cluster } = this.known();
    return formatJoinLine({ cluster, address, introducer: this.self, secret, expiresSeconds, uses }, digests);
  }

  #found(clusterSigner: Signer): Credentials {
    const { signer, role } = this.#o;
    return {
      certificate: this.#issue(clusterSigner, signer.publicKey, role),
      clusterRecord: signClusterRecord(clusterSigner, signer.publicKey, 1),
    };
  }

  #admit({ joiner, joinerKey, role, tokenId, proof, exporter }: JoinRequest): {
    readonly proof: Uint8Array;
    readonly credentials: Credentials;
  } {
    if (this.#clusterSigner === undefined) throw new NoClusterKeyError();
    const context = { exporter, cluster: this.known().cluster, introducer: this.self, joiner, role };
    const answer = this.#tokens.redeem(tokenId, proof, context, this.wallMs());
    const certificate = this.#issue(this.#clusterSigner, joinerKey, role);
    return { proof: answer, credentials: { certificate, clusterRecord: this.required().clusterRecord } };
  }

  #issue(clusterSigner: Signer, nodeKey: Uint8Array, role: NodeRole): Uint8Array {
    const issuedMs = Math.floor(this.wallMs());
    const expiresMs = issuedMs + Math.floor(this.#o.certificateTtlMs ?? CERTIFICATE_TTL_MS);
    return issueCertificate(clusterSigner, { nodeKey, role, issuedMs, expiresMs });
  }
}

/** The lines of one cluster (ST4). */
function parseLines(texts: readonly string[], digests: Digests): readonly JoinLine[] {
  if (texts.length < 1 || texts.length > JOIN_LINES_MAX)
    throw new InvalidOptionError("start.line", `${texts.length} lines are not 1 to ${JOIN_LINES_MAX}`);
  const lines = texts.map((text) => parseJoinLine(text, digests));
  const [first] = lines;
  for (const { cluster } of lines)
    if (first !== undefined && cluster !== first.cluster) throw new WrongClusterError(cluster, first.cluster);
  return lines;
}
