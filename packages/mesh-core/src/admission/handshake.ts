/**
 * Admission of one session: who may say anything beyond joining (docs/spec/join.md).
 *
 *     initiator                          responder
 *       hello(certificate)      ->
 *                               <-         welcome(certificate)
 *       ready                   ->                                both admitted
 *
 *     joiner                             introducer
 *       joinRequest(proof)      ->
 *                               <-         joinAccept(proof, certificate, cluster record)
 *       hello ...                          as above
 *
 * H1. A side is admitted here only after its certificate was verified against the cluster key and the session's proven key.
 * H2. Before admission every message other than the next one of the handshake is refused with a typed error and ends the session.
 * H3. A refusal is said before the session is closed, so the other side can report the same code.
 * H4. A side that knows successors of the cluster's root key shows them (clusterKeys) before what they signed.
 */
import { type ClusterId, fromHex, type NodeId, nodeIdOf, toHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { ABI_VERSION } from "@glia-os/abi/wire";
import type { CborValue } from "../codec/cbor.ts";
import type { Envelope, Kind } from "../codec/envelope.ts";
import { FieldReader, NODE_ID_BYTES } from "../codec/reader.ts";
import {
  JoinProofInvalidError,
  NoClusterKeyError,
  NotAdmittedError,
  ProtocolViolationError,
  WrongClusterError,
} from "../errors.ts";
import type { Credentials, NodeRole } from "../mesh-types.ts";
import { type Certificate, type ClusterRecord, CREDENTIAL_MAX, ROLES } from "./certificate.ts";
import { SUCCESSIONS_MAX } from "./cluster-keys.ts";
import { refusalOf } from "./error-record.ts";
import type { JoinLine } from "./join-line.ts";
import { joinProof, PROOF_BYTES, type ProofContext, TOKEN_ID_BYTES, tokenIdOf } from "./join-token.ts";
import type { Removals } from "./removals.ts";

/** This node's side of admission. */
export interface AdmissionState {
  readonly self: NodeId;
  readonly selfKey: Uint8Array;
  readonly role: NodeRole;
  readonly digests: Digests;
  readonly removals: Pick<Removals, "covers">;
  wallMs(): number;
  /** Undefined until this node was admitted. */
  credentials(): Credentials | undefined;
  clusterRecord(): ClusterRecord | undefined;
  /** The line to join with at this introducer. */
  joinLine(introducer: NodeId): JoinLine | undefined;
  /** Redeem a token and issue a certificate; undefined on a node without the cluster key. */
  admitJoiner:
    | ((request: JoinRequest) => { readonly proof: Uint8Array; readonly credentials: Credentials })
    | undefined;
  /** This node was admitted with these credentials. @throws when a signature in them is not the cluster's. */
  joined(credentials: Credentials): void;
  /** Verify a peer's certificate: of this cluster, for the session's key, in time, not removed. @throws the refusal. */
  openPeer(certificate: Uint8Array, sessionKey: Uint8Array): Certificate;
  /** A peer showed a cluster record. @throws when it is not of this cluster. */
  recordSeen(bytes: Uint8Array): void;
  /** Successions of the cluster key, to show before anything they explain. */
  successions(): readonly Uint8Array[];
  /** A peer showed successions. @throws when one is not of this cluster. */
  keysSeen(successions: readonly Uint8Array[]): void;
}

/** What a joiner asks. */
export interface JoinRequest {
  readonly joiner: NodeId;
  readonly joinerKey: Uint8Array;
  readonly role: NodeRole;
  readonly tokenId: Uint8Array;
  readonly proof: Uint8Array;
  readonly exporter: Uint8Array;
}

/** The session a handshake runs on. */
export interface HandshakeSession {
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  readonly initiator: boolean;
  /** The session's exported keying material. */
  exporter(): Uint8Array;
  send(kind: Kind, body: CborValue): void;
  /** The peer is a member and knows that this node is one. */
  admitted(certificate: Certificate): void;
}

type Step = "hello" | "welcome" | "ready" | "joinAccept" | "done";

/** The machine of one session's admission. Every method may throw a typed refusal, which ends the session (H3). */
export class Handshake {
  readonly #state: AdmissionState;
  readonly #session: HandshakeSession;
  #awaits: Step = "hello";
  #peer: Certificate | undefined;
  #shown: readonly Uint8Array[] = [];

  constructor(state: AdmissionState, session: HandshakeSession) {
    this.#state = state;
    this.#session = session;
  }

  /** The first message, if this side speaks first. */
  begin(): void {
    if (!this.#session.initiator) return;
    const line = this.#state.joinLine(this.#session.peer);
    if (this.#state.credentials() !== undefined) this.#hello();
    else if (line !== undefined) this.#askToJoin(line);
    else throw new NotAdmittedError("a session");
  }

  /** One message before admission. @throws the refusal that ends the session. */
  receive({ kind, body }: Envelope): void {
    if (kind === "refusal") throw refusalOf(body);
    if (kind === "joinRequest" && this.#awaits === "hello" && !this.#session.initiator) {
      this.#admitJoiner(body);
      return;
    }
    if (kind === "clusterKeys") {
      this.#keysShown(body);
      return;
    }
    if (kind !== this.#awaits) {
      if (this.#awaits === "hello" || this.#awaits === "ready")
        throw new NotAdmittedError(`a ${kind} message`);
      throw new ProtocolViolationError(`${kind} instead of ${this.#awaits}`);
    }
    if (kind === "hello") this.#welcome(body);
    else if (kind === "welcome") this.#finish(body);
    else if (kind === "joinAccept") this.#accepted(body);
    else this.#ready(body);
  }

  #hello(): void {
    this.#awaits = "welcome";
    this.#showKeys();
    this.#session.send("hello", this.#introduction());
  }

  #welcome(body: CborValue): void {
    this.#peer = this.#verifyIntroduction(body, "a hello");
    this.#awaits = "ready";
    this.#showKeys();
    this.#session.send("welcome", this.#introduction());
  }

  #finish(body: CborValue): void {
    const peer = this.#verifyIntroduction(body, "a welcome");
    this.#awaits = "done";
    this.#session.send("ready", []);
    this.#session.admitted(peer);
  }

  #ready(body: CborValue): void {
    new FieldReader(body, "a ready").end();
    if (this.#peer === undefined) throw new ProtocolViolationError("ready before hello");
    this.#awaits = "done";
    this.#session.admitted(this.#peer);
  }

  #introduction(): CborValue {
    const credentials = this.#state.credentials();
    if (credentials === undefined) throw new NotAdmittedError("a hello");
    return [ABI_VERSION, credentials.certificate, credentials.clusterRecord];
  }

  #verifyIntroduction(body: CborValue, what: string): Certificate {
    const reader = new FieldReader(body, what);
    reader.int("abi version", ABI_VERSION, ABI_VERSION);
    const certificateBytes = reader.bytes("certificate", CREDENTIAL_MAX, 1);
    const recordBytes = reader.bytes("cluster record", CREDENTIAL_MAX, 1);
    reader.end();
    if (this.#state.clusterRecord() === undefined) throw new NotAdmittedError(what);
    this.#state.recordSeen(recordBytes);
    return this.#state.openPeer(certificateBytes, this.#session.peerKey);
  }

  /** H4 */
  #showKeys(): void {
    const successions = this.#state.successions();
    if (successions.length > 0) this.#session.send("clusterKeys", [successions]);
  }

  #keysShown(body: CborValue): void {
    const successions = readSuccessions(body);
    if (this.#state.clusterRecord() === undefined) this.#shown = successions;
    else this.#state.keysSeen(successions);
  }

  #askToJoin(line: JoinLine): void {
    const { digests, role } = this.#state;
    const proof = joinProof(digests, "joiner", this.#proofContext(line));
    const tokenId = tokenIdOf(digests, line.secret);
    this.#awaits = "joinAccept";
    const body = [ABI_VERSION, fromHex(line.cluster), tokenId, ROLES.indexOf(role), proof];
    this.#session.send("joinRequest", body);
  }

  #admitJoiner(body: CborValue): void {
    const reader = new FieldReader(body, "a join request");
    reader.int("abi version", ABI_VERSION, ABI_VERSION);
    const cluster = toHex(reader.bytes("cluster", NODE_ID_BYTES, NODE_ID_BYTES)) as ClusterId;
    const tokenId = reader.bytes("token", TOKEN_ID_BYTES, TOKEN_ID_BYTES);
    const role = ROLES[reader.int("role", ROLES.length - 1)] ?? "client";
    const proof = reader.bytes("proof", PROOF_BYTES, PROOF_BYTES);
    reader.end();
    const ours = this.#state.clusterRecord();
    if (ours === undefined || this.#state.admitJoiner === undefined) throw new NoClusterKeyError();
    if (cluster !== ours.cluster) throw new WrongClusterError(cluster, ours.cluster);
    const { peer: joiner, peerKey: joinerKey } = this.#session;
    const request = { joiner, joinerKey, role, tokenId, proof, exporter: this.#session.exporter() };
    const { proof: answer, credentials } = this.#state.admitJoiner(request);
    this.#showKeys();
    this.#session.send("joinAccept", [answer, credentials.certificate, credentials.clusterRecord]);
  }

  #accepted(body: CborValue): void {
    const line = this.#state.joinLine(this.#session.peer);
    if (line === undefined) throw new ProtocolViolationError("joinAccept without a join");
    const reader = new FieldReader(body, "a join answer");
    const proof = reader.bytes("proof", PROOF_BYTES, PROOF_BYTES);
    const certificate = reader.bytes("certificate", CREDENTIAL_MAX, 1);
    const clusterRecord = reader.bytes("cluster record", CREDENTIAL_MAX, 1);
    reader.end();
    const { digests } = this.#state;
    if (!digests.equalConstantTime(proof, joinProof(digests, "introducer", this.#proofContext(line))))
      throw new JoinProofInvalidError("introducer");
    this.#state.joined({ certificate, clusterRecord, successions: this.#shown });
    this.#hello();
  }

  #proofContext(line: JoinLine): ProofContext {
    const { digests, self, role } = this.#state;
    const introducer = nodeIdOf(this.#session.peerKey, digests.sha256);
    return {
      secret: line.secret,
      exporter: this.#session.exporter(),
      cluster: line.cluster,
      introducer,
      joiner: self,
      role,
    };
  }
}

/** The successions in a clusterKeys message. @throws {MalformedMessageError}. */
export function readSuccessions(body: CborValue): Uint8Array[] {
  const reader = new FieldReader(body, "cluster keys");
  const successions = reader.list("successions", SUCCESSIONS_MAX, (item) =>
    new FieldReader([item], "a key succession").bytes("succession", CREDENTIAL_MAX, 1),
  );
  reader.end();
  return successions;
}
