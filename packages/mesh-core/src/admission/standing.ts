/**
 * This node's standing in its cluster: its credentials, the cluster's keys and record, who was removed, and, on the founder, the key and
 * tokens that admit others.
 *
 * ST1. Credentials are taken only after every signature in them was verified against the cluster's own id.
 * ST2. Of two cluster records the one with the higher anchor epoch holds; two anchors under one epoch are a violation.
 * ST3. Only the holder of the cluster key admits, and only with a token.
 * ST4. Several join lines name one cluster: the next is tried when nobody answers at one.
 * ST5. A removed node is admitted again only with a token made after its removal.
 * ST6. The holder of the cluster key comes back with the newest one only, and issues itself a certificate.
 */
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Clock, Digests, HostPort, Random, Signer } from "@glia-os/abi/ports";
import { sameBytes } from "../codec/ascii.ts";
import {
  InvalidOptionError,
  NoClusterKeyError,
  NodeRemovedError,
  NotAdmittedError,
  ProtocolViolationError,
} from "../errors.ts";
import { Statements } from "../membership/statement.ts";
import type { ClusterStart, Credentials, KeyOverlap, NodeRole } from "../mesh-types.ts";
import {
  type Certificate,
  type ClusterRecord,
  checkCertificate,
  issueCertificate,
  openClusterRecord,
  signClusterRecord,
} from "./certificate.ts";
import { ClusterKeys, rootKeyOf, signSuccession } from "./cluster-keys.ts";
import type { AdmissionState, JoinRequest } from "./handshake.ts";
import { formatJoinLine, type JoinLine, parseJoinLines, SECRET_BYTES } from "./join-line.ts";
import { JoinTokens } from "./join-token.ts";
import { MemberCertificates } from "./member-certificates.ts";
import { type Removal, Removals } from "./removals.ts";

const DAY_MS = 86_400_000;
/** Validity of a certificate unless the founder's settings say otherwise, in milliseconds. */
export const CERTIFICATE_TTL_MS = 31_536_000_000;
/** Longest overlap of an old cluster key, in milliseconds. */
export const OVERLAP_MAX_MS: number = 365 * DAY_MS;
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
  /** Successions were learned from a peer. */
  learned(successions: readonly Uint8Array[]): void;
}

/** The standing of one node. */
export class Standing implements AdmissionState {
  readonly self: NodeId;
  readonly selfKey: Uint8Array;
  readonly role: NodeRole;
  readonly digests: Digests;
  readonly removals: Removals = new Removals();
  readonly admitJoiner: AdmissionState["admitJoiner"];
  readonly #o: StandingOptions;
  readonly #tokens: JoinTokens;
  readonly #members: MemberCertificates;
  #clusterSigner: Signer | undefined;
  #credentials: Credentials | undefined;
  #certificate: Certificate | undefined;
  #record: ClusterRecord | undefined;
  #keys: ClusterKeys | undefined;
  #statements: Statements | undefined;
  #joinLines: readonly JoinLine[] = [];

  constructor(options: StandingOptions) {
    const { signer, digests, role, start } = options;
    this.#o = options;
    this.self = nodeIdOf(signer.publicKey, digests.sha256);
    this.selfKey = signer.publicKey;
    this.role = role;
    this.digests = digests;
    this.#tokens = new JoinTokens(digests);
    this.#members = new MemberCertificates(digests);
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

  /** What to keep. @throws {NotAdmittedError} before this node has some. */
  required(): Credentials {
    if (this.#credentials === undefined) throw new NotAdmittedError("this node");
    const [successions, removals] = [this.successions(), this.removals.statements()];
    return {
      ...this.#credentials,
      ...(successions.length > 0 ? { successions } : {}),
      ...(removals.length > 0 ? { removals } : {}),
    };
  }

  /** Signs and reads statements of this cluster. @throws {NotAdmittedError}. */
  statements(): Statements {
    if (this.#statements === undefined) throw new NotAdmittedError("this node");
    return this.#statements;
  }

  /** This node's certificate, and whether the current cluster key issued it. @throws {NotAdmittedError}. */
  validity(): { readonly issuedMs: number; readonly expiresMs: number; readonly current: boolean } {
    if (this.#certificate === undefined) throw new NotAdmittedError("this node");
    const { issuedMs, expiresMs } = this.#certificate;
    return { issuedMs, expiresMs, current: this.#clusterKeys().isCurrent(this.required().certificate) };
  }

  successions(): readonly Uint8Array[] {
    return this.#keys?.successions ?? [];
  }

  joined(credentials: Credentials): void {
    const { digests, signer, role } = this.#o;
    const { certificate, clusterRecord, successions = [], removals = [] } = credentials;
    const keys = this.#keysOf(clusterRecord, successions);
    const record = keys.openRecord(clusterRecord, this.wallMs());
    const opened = keys.openCertificate(certificate, this.wallMs());
    checkCertificate(opened, signer.publicKey, this.wallMs());
    if (opened.role !== role)
      throw new InvalidOptionError(
        "role",
        `this member was admitted as ${opened.role}, so give the role ${opened.role}`,
      );
    this.#keys = keys;
    this.#statements = new Statements(digests, keys, () => this.wallMs());
    this.#record = record;
    this.#certificate = opened;
    this.#credentials = { certificate, clusterRecord };
    for (const bytes of removals) this.#takeRemoval(bytes);
  }

  openPeer(certificate: Uint8Array, sessionKey: Uint8Array): Certificate {
    const opened = this.#clusterKeys().openCertificate(certificate, this.wallMs());
    checkCertificate(opened, sessionKey, this.wallMs());
    if (this.removals.covers(opened)) throw new NodeRemovedError(opened.node);
    return opened;
  }

  /** A certificate of a member that counts now, from anybody. @throws certificate errors, {NodeRemovedError}. */
  openMember(certificate: Uint8Array): Certificate {
    return this.#members.open(certificate, this.#clusterKeys(), this.removals, this.wallMs());
  }

  recordSeen(bytes: Uint8Array): void {
    const record = this.#clusterKeys().openRecord(bytes, this.wallMs());
    const ours = this.#record;
    if (ours === undefined || this.#credentials === undefined) return;
    if (record.anchorEpoch > ours.anchorEpoch) {
      this.#record = record;
      this.#credentials = { ...this.#credentials, clusterRecord: bytes };
    } else if (record.anchorEpoch === ours.anchorEpoch && record.anchor !== ours.anchor) {
      throw new ProtocolViolationError("the peer names another anchor for the same anchor epoch");
    }
  }

  keysSeen(successions: readonly Uint8Array[]): void {
    const fresh = successions.filter((bytes) => this.adopt(bytes));
    if (fresh.length > 0) this.#o.learned(fresh);
  }

  /** Take one succession; whether it was new. @throws {CertificateInvalidError}, {ProtocolViolationError}. */
  adopt(succession: Uint8Array): boolean {
    return this.#clusterKeys().adopt(succession);
  }

  /** Credentials that exist before any session: the founder's own, or kept ones (ST1); or the lines to join with (ST4). */
  prepare(): void {
    const { start, digests } = this.#o;
    if (start.kind === "join")
      this.#joinLines = parseJoinLines(typeof start.line === "string" ? [start.line] : start.line, digests);
    else if (start.kind === "found") this.joined(this.#found(start.clusterSigner));
    else this.joined(this.#comeBack(start.credentials, start.clusterSigner));
  }

  /** Make a token and its line. @throws {NoClusterKeyError}, {InvalidOptionError}. */
  createJoinLine(address: HostPort | undefined, ttlMs: number, uses: number): string {
    const { random, digests } = this.#o;
    if (!this.holdsClusterKey || address === undefined) throw new NoClusterKeyError();
    if (!(ttlMs >= 1000 && ttlMs <= TOKEN_TTL_MAX_MS))
      throw new InvalidOptionError("ttlMs", `${ttlMs} is not from 1,000 to ${TOKEN_TTL_MAX_MS}`);
    if (!Number.isInteger(uses) || uses < 1 || uses > TOKEN_USES_MAX)
      throw new InvalidOptionError("uses", `${uses} is not an integer from 1 to ${TOKEN_USES_MAX}`);
    const secret = random.bytes(new Uint8Array(SECRET_BYTES));
    const expiresSeconds = Math.ceil((this.wallMs() + ttlMs) / 1000);
    this.#tokens.add(secret, { expiresSeconds, uses, madeMs: this.wallMs() });
    const { cluster } = this.known();
    return formatJoinLine({ cluster, address, introducer: this.self, secret, expiresSeconds, uses }, digests);
  }

  /** A new certificate for a node that was admitted before. @throws {NoClusterKeyError}. */
  renew(nodeKey: Uint8Array, role: NodeRole): Credentials {
    if (this.#clusterSigner === undefined) throw new NoClusterKeyError();
    const certificate = this.#issue(this.#clusterSigner, nodeKey, role);
    return { certificate, clusterRecord: this.required().clusterRecord };
  }

  /** Take a renewed certificate (ST1). */
  renewed({ certificate, clusterRecord }: Pick<Credentials, "certificate" | "clusterRecord">): void {
    const opened = this.openPeer(certificate, this.selfKey);
    if (opened.role !== this.role)
      throw new ProtocolViolationError("the renewed certificate has another role");
    this.recordSeen(clusterRecord);
    this.#certificate = opened;
    this.#credentials = { ...this.required(), certificate, clusterRecord: this.required().clusterRecord };
  }

  /** The removal of a node as of now, and the key that signs it. @throws {NoClusterKeyError}. */
  removal(node: NodeId): { readonly removal: Removal; readonly signer: Signer } {
    if (this.#clusterSigner === undefined) throw new NoClusterKeyError();
    if (node === this.self) throw new InvalidOptionError("node", "a node cannot remove itself: stop it");
    const removedMs = Math.floor(this.wallMs());
    const untilMs = removedMs + Math.floor(this.#o.certificateTtlMs ?? CERTIFICATE_TTL_MS) + DAY_MS;
    return { removal: { node, removedMs, untilMs }, signer: this.#clusterSigner };
  }

  /** Removals that still hold: the new key signs them again (RM4). */
  ongoingRemovals(): Removal[] {
    return this.removals.ongoing(this.wallMs());
  }

  /** Let `next` follow the present cluster key. @throws {NoClusterKeyError}, {InvalidOptionError}. */
  rotate(next: Signer, overlap: KeyOverlap): Uint8Array {
    const signer = this.#clusterSigner;
    if (signer === undefined) throw new NoClusterKeyError();
    const untilMs = "untilMs" in overlap ? overlap.untilMs : this.#untilOf(overlap.overlapMs);
    if (!Number.isSafeInteger(untilMs) || untilMs < 0 || untilMs > this.wallMs() + OVERLAP_MAX_MS)
      throw new InvalidOptionError("untilMs", `${untilMs} is no time up to ${OVERLAP_MAX_MS} ms from now`);
    const { cluster, anchorEpoch } = this.known();
    const succession = signSuccession(signer, cluster, next.publicKey, untilMs);
    this.adopt(succession);
    this.#clusterSigner = next;
    this.renewed({
      certificate: this.#issue(next, this.selfKey, this.role),
      clusterRecord: signClusterRecord(next, this.#o.signer.publicKey, anchorEpoch + 1),
    });
    return succession;
  }

  #untilOf(overlapMs: number): number {
    if (!(overlapMs >= 0 && overlapMs <= OVERLAP_MAX_MS))
      throw new InvalidOptionError("overlapMs", `${overlapMs} is not from 0 to ${OVERLAP_MAX_MS}`);
    return Math.floor(this.wallMs() + overlapMs);
  }

  #clusterKeys(): ClusterKeys {
    if (this.#keys === undefined) throw new NotAdmittedError("this node");
    return this.#keys;
  }

  /** The keys behind a cluster record: of the cluster of the join line, when there is one. */
  #keysOf(clusterRecord: Uint8Array, successions: readonly Uint8Array[]): ClusterKeys {
    const { clusterKey } = openClusterRecord(this.digests, clusterRecord);
    const root = rootKeyOf(clusterKey, successions);
    const keys = new ClusterKeys(this.digests, root, this.#joinLines[0]?.cluster);
    for (const succession of successions) keys.adopt(succession);
    return keys;
  }

  #takeRemoval(bytes: Uint8Array): void {
    const heard = this.statements().read(bytes);
    if (heard.type !== "removal" || heard.lapsed()) return;
    if (!this.removals.wants(heard.removal, this.wallMs())) return;
    heard.verify();
    this.removals.put(heard.removal, bytes);
  }

  /** ST6: the holder of the cluster key may have been away for longer than its certificate lasts. */
  #comeBack(kept: Credentials, clusterSigner: Signer | undefined): Credentials {
    if (clusterSigner === undefined) return kept;
    const { current } = this.#keysOf(kept.clusterRecord, kept.successions ?? []);
    if (!sameBytes(current, clusterSigner.publicKey))
      throw new InvalidOptionError("start.clusterSigner", "it is not the newest key of the cluster");
    return { ...kept, certificate: this.#issue(clusterSigner, this.selfKey, this.role) };
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
    const answer = this.#tokens.redeem(tokenId, proof, context, {
      wallMs: this.wallMs(),
      removedMs: this.removals.removedMs(joiner),
    });
    const certificate = this.#issue(this.#clusterSigner, joinerKey, role);
    return { proof: answer, credentials: { certificate, clusterRecord: this.required().clusterRecord } };
  }

  #issue(clusterSigner: Signer, nodeKey: Uint8Array, role: NodeRole): Uint8Array {
    const removedMs = this.removals.removedMs(nodeIdOf(nodeKey, this.digests.sha256)) ?? 0;
    const issuedMs = Math.max(Math.floor(this.wallMs()), removedMs + 1);
    const expiresMs = issuedMs + Math.floor(this.#o.certificateTtlMs ?? CERTIFICATE_TTL_MS);
    return issueCertificate(clusterSigner, { nodeKey, role, issuedMs, expiresMs });
  }
}
