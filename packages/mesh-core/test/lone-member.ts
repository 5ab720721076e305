/** One membership machine among members that the test speaks for: it hears what they say and sees what it says to them. */
import type { NodeId } from "@glia-os/abi/ids";
import type { Signer } from "@glia-os/abi/ports";
import { issueCertificate } from "../src/admission/certificate.ts";
import { ClusterKeys } from "../src/admission/cluster-keys.ts";
import { Removals } from "../src/admission/removals.ts";
import type { CborValue, Envelope, MeshEvent, NodeRole } from "../src/index.ts";
import { Membership } from "../src/membership/membership.ts";
import type { MembershipParameters } from "../src/membership/parameters.ts";
import { MEMBERSHIP_PROFILES } from "../src/membership/parameters.ts";
import { type Accusation, type Heard, type MemberRecord, Statements } from "../src/membership/statement.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { digests, idOf, signerOf } from "./digests.ts";

export interface Said {
  readonly to: NodeId;
  readonly trafficClass: string;
  readonly envelope: Envelope;
  readonly atMs: number;
}

const clusterKey = signerOf(0, "cluster");
const FOREVER = 1e15;

/** The certificate of a signer. */
export function certificateFor(signer: Signer, role: NodeRole = "edge"): Uint8Array {
  return issueCertificate(clusterKey, { nodeKey: signer.publicKey, role, issuedMs: 0, expiresMs: FOREVER });
}

export class LoneMember {
  readonly time: VirtualTime = new VirtualTime();
  readonly statements: Statements = new Statements(
    digests,
    new ClusterKeys(digests, clusterKey.publicKey),
    () => 1,
  );
  readonly said: Said[] = [];
  readonly events: MeshEvent[] = [];
  readonly refused: unknown[] = [];
  readonly machine: Membership;
  readonly self: NodeId = idOf(signerOf(0));
  /** Answers pings of these members at once. */
  readonly answering: Set<NodeId> = new Set();
  readonly counted: Map<string, number> = new Map();
  #heldMs = 0;

  constructor(parameters: MembershipParameters = MEMBERSHIP_PROFILES.lan, bootEpoch = 1) {
    const signer = signerOf(0);
    this.machine = new Membership({
      self: this.self,
      role: "core",
      name: "lone",
      address: { host: "h", port: 1 },
      bootEpoch,
      certificate: () => certificateFor(signer, "core"),
      statements: this.statements,
      removals: new Removals(),
      parameters,
      // A stall moves the clock while no timer fires and nothing is read.
      clock: { monotonicMs: () => this.time.monotonicMs() + this.#heldMs, wallMs: () => 1 },
      timers: this.time,
      random: new SeededRandom(7),
      signer,
      digests,
      meter: {
        count: (name, value = 1) => void this.counted.set(name, (this.counted.get(name) ?? 0) + value),
        observe: () => undefined,
        gauge: (name, value) => void this.counted.set(name, value),
      },
      send: (to, trafficClass, envelope) => this.#heard({ to, trafficClass, envelope }),
      emit: (event) => void this.events.push(event),
      removed: () => undefined,
      adopt: () => false,
      refuse: (_node, error) => void this.refused.push(error),
      heardTable: () => undefined,
    });
    this.machine.start();
  }

  /** Stall: the clock goes on by `ms` and nothing happens. */
  stall(ms: number): void {
    this.#heldMs += ms;
  }

  /** Member `n` says its record. */
  meet(n: number, more: Partial<MemberRecord> = {}, role: NodeRole = "edge"): NodeId {
    this.say(n, "gossip", 0, [], [this.record(n, more, role)]);
    this.answering.add(idOf(signerOf(n)));
    return idOf(signerOf(n));
  }

  record(n: number, more: Partial<MemberRecord> = {}, role: NodeRole = "edge"): Uint8Array {
    const record = {
      name: `m${n}`,
      address: { host: "h", port: n + 1 },
      bootEpoch: 1,
      incarnation: 0,
      left: false,
      ...more,
    };
    return this.statements.signRecord(signerOf(n), certificateFor(signerOf(n), role), record);
  }

  accusation(
    accuser: number,
    subject: NodeId,
    verdict: Accusation["verdict"],
    version = { bootEpoch: 1, incarnation: 0 },
  ): Uint8Array {
    const signer = signerOf(accuser);
    return this.statements.signAccusation(signer, { subject, accuser: idOf(signer), verdict, ...version });
  }

  /** Member `n` sends a message. */
  say(
    n: number,
    kind: Envelope["kind"],
    requestId: number,
    fields: readonly CborValue[],
    statements: readonly Uint8Array[],
  ): void {
    const peer = { node: idOf(signerOf(n)), role: "edge" as const };
    this.machine.receive(peer, "datagram", { kind, requestId, body: [...fields, statements] });
  }

  stateOf(node: NodeId): string | undefined {
    return this.machine.member(node)?.state;
  }

  /** Messages of a kind so far. */
  ofKind(kind: Envelope["kind"]): Said[] {
    return this.said.filter(({ envelope }) => envelope.kind === kind);
  }

  /** What the statements of a message say. */
  read({ envelope }: Said): Heard[] {
    const list = (envelope.body as readonly CborValue[]).at(-1) as readonly Uint8Array[];
    return list.map((bytes) => this.statements.read(bytes));
  }

  #heard(message: Omit<Said, "atMs">): void {
    this.said.push({ ...message, atMs: this.time.monotonicMs() + this.#heldMs });
    const { to, envelope } = message;
    if (envelope.kind !== "ping" || !this.answering.has(to)) return;
    this.time.schedule(1, () =>
      this.machine.receive({ node: to, role: "edge" }, "datagram", {
        kind: "ack",
        requestId: envelope.requestId,
        body: [[]],
      }),
    );
  }
}
