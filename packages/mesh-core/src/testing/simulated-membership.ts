/**
 * The membership machine on the machines of a simulator: the shipped protocol, with its own statements and signatures, without sessions and
 * without the wire's encoding.
 *
 * SM1. Nothing here decides anything the protocol decides: it boots, carries messages, and asks to join until somebody answers.
 * SM2. A machine's boot epoch is kept on its disk and never falls; after amnesia it is the wall clock, as the daemon has it.
 */
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Clock, Digests, Random, Signer, Timers, TrafficClass } from "@glia-os/abi/ports";
import { type Certificate, issueCertificate } from "../admission/certificate.ts";
import { ClusterKeys } from "../admission/cluster-keys.ts";
import { Removals } from "../admission/removals.ts";
import type { Envelope } from "../codec/envelope.ts";
import { Membership } from "../membership/membership.ts";
import {
  type MembershipParameters,
  type MembershipProfile,
  membershipParameters,
} from "../membership/parameters.ts";
import { type Accusation, type Heard, Statements } from "../membership/statement.ts";
import type { Member, MeshEvent } from "../mesh-types.ts";

/** What a simulated machine offers. Every simulator's machine that has this fits. */
export interface MembershipMachine {
  readonly index: number;
  readonly machines: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: {
    list(): readonly string[];
    open(name: string): MembershipFile;
    create(name: string): MembershipFile;
  };
  send(to: number, trafficClass: TrafficClass, message: Envelope): void;
}

interface MembershipFile {
  read(at: number, length: number): Uint8Array;
  write(at: number, bytes: Uint8Array): void;
  sync(): void;
}

/** How members are made. */
export interface SimulatedMembershipOptions {
  readonly machines: number;
  readonly digests: Digests;
  /** The signer of a name. */
  readonly signerOf: (name: string) => Signer;
  readonly parameters?: MembershipProfile | MembershipParameters;
  /** Sees every event of every member. */
  readonly onEvent?: (viewer: number, event: MeshEvent) => void;
  /** Sees every accusation when its accuser makes it. */
  readonly onAccusation?: (accuser: number, subject: number, verdict: "suspect" | "dead") => void;
}

const JOIN_AGAIN_MS = 1000;
const CONTACTS = 3;
const DAY_MS = 86_400_000;
const START_MS = 1_767_225_600_000;
const BOOT_FILE = "boot-epoch";

/** The members of one run. Make a new one for every run. */
export class SimulatedMembership {
  readonly parameters: MembershipParameters;
  readonly ids: readonly NodeId[];
  /** Every boot there was, in order. */
  readonly boots: { readonly index: number; readonly member: SimulatedMember }[] = [];
  readonly #o: SimulatedMembershipOptions;
  readonly #indexes = new Map<NodeId, number>();
  readonly #clocks = new Map<number, Clock>();
  readonly #signers: readonly Signer[];
  readonly #cluster: Signer;
  readonly #statements: Statements;

  constructor(options: SimulatedMembershipOptions) {
    const { machines, signerOf, digests } = options;
    this.#o = options;
    this.parameters = membershipParameters(options.parameters ?? "lan");
    this.#cluster = signerOf("cluster");
    // One for all: nobody changes keys, and no certificate ends, while a run lasts.
    const keys = new ClusterKeys(digests, this.#cluster.publicKey);
    this.#statements = new ReadOnce(digests, keys, {
      onAccusation: ({ accuser, subject, verdict }) =>
        options.onAccusation?.(this.indexOf(accuser), this.indexOf(subject), verdict),
      idOf: (node) => this.ids[this.indexOf(node)] ?? node,
    });
    this.#signers = Array.from({ length: machines }, (_, index) => signerOf(`member ${index}`));
    this.ids = this.#signers.map(({ publicKey }) => nodeIdOf(publicKey, digests.sha256));
    for (const [index, id] of this.ids.entries()) this.#indexes.set(id, index);
  }

  /** The machine a node is, or -1. */
  indexOf(node: NodeId): number {
    return this.#indexes.get(node) ?? -1;
  }

  /** The time on a machine's clock, in milliseconds. */
  nowOf(machine: number): number {
    return this.#clocks.get(machine)?.monotonicMs() ?? 0;
  }

  /** The program of a machine. */
  readonly boot = (machine: MembershipMachine): SimulatedMember => {
    const signer = this.#signers[machine.index] as Signer;
    this.#clocks.set(machine.index, machine.clock);
    const member = new SimulatedMember(this, machine, signer, {
      statements: this.#statements,
      certificate: this.#certificate(signer, machine),
      digests: this.#o.digests,
      onEvent: (event) => this.#o.onEvent?.(machine.index, event),
    });
    this.boots.push({ index: machine.index, member });
    member.begin();
    return member;
  };

  /** 32 bits of a message for a trace hash. */
  readonly digest = ({ kind, requestId, body }: Envelope): number => {
    const size = Array.isArray(body)
      ? Array.isArray(body.at(-1))
        ? (body.at(-1) as unknown[]).length
        : 0
      : 0;
    return Math.imul(requestId ^ (kind.length << 8) ^ kind.charCodeAt(1), 0x0100_0193) ^ size;
  };

  #certificate(signer: Signer, { clock }: MembershipMachine): Uint8Array {
    // Issued long before any wall clock of the simulation.
    const issuedMs = Math.max(1, Math.floor(clock.wallMs()) - 30 * DAY_MS);
    const expiresMs = issuedMs + 3650 * DAY_MS;
    return issueCertificate(this.#cluster, { nodeKey: signer.publicKey, role: "edge", issuedMs, expiresMs });
  }
}

interface ReadOnceOptions {
  onAccusation(accusation: Accusation): void;
  /** The one string of an id. */
  idOf(node: NodeId): NodeId;
}

/** Statements that are remembered. */
const READ_MAX = 65_536;

/** Statements are immutable and shared in a simulation, so each is decoded and verified once. */
class ReadOnce extends Statements {
  readonly #read = new Map<Uint8Array, Heard>();
  readonly #cluster: ReadOnceOptions;

  constructor(digests: Digests, keys: ClusterKeys, cluster: ReadOnceOptions) {
    super(digests, keys, () => START_MS);
    this.#cluster = cluster;
  }

  override signAccusation(signer: Signer, accusation: Accusation): Uint8Array {
    this.#cluster.onAccusation(accusation);
    return super.signAccusation(signer, accusation);
  }

  override read(bytes: Uint8Array): Heard {
    const known = this.#read.get(bytes);
    if (known !== undefined) return known;
    const heard = interned(super.read(bytes), this.#cluster.idOf);
    if (this.#read.size >= READ_MAX) this.#read.clear();
    this.#read.set(bytes, heard);
    return heard;
  }
}

/**
 * A record whose signatures hold, holds for ever while no key changes. Every id is one string for all members: tables of thousands look
 * ids up all the time, and equal strings that are not the same one are compared to their end.
 */
function interned(heard: Heard, idOf: (node: NodeId) => NodeId): Heard {
  if (heard.type === "accusation") {
    const { subject, accuser } = heard.accusation;
    return { ...heard, accusation: { ...heard.accusation, subject: idOf(subject), accuser: idOf(accuser) } };
  }
  if (heard.type !== "record") return heard;
  const node = idOf(heard.node);
  let certificate: Certificate | undefined;
  return { ...heard, node, verify: () => (certificate ??= { ...heard.verify(), node }) };
}

/** The member on one machine, for one boot. */
export class SimulatedMember {
  readonly membership: Membership;
  readonly bootEpoch: number;
  readonly #cluster: SimulatedMembership;
  readonly #machine: MembershipMachine;
  /** Messages sent so far. */
  sent = 0;
  /** Whether it left of its own will. */
  left = false;

  constructor(
    cluster: SimulatedMembership,
    machine: MembershipMachine,
    signer: Signer,
    given: {
      readonly statements: Statements;
      readonly certificate: Uint8Array;
      readonly digests: Digests;
      readonly onEvent: (event: MeshEvent) => void;
    },
  ) {
    this.#cluster = cluster;
    this.#machine = machine;
    this.bootEpoch = nextBootEpoch(machine);
    const { index, clock, timers, random } = machine;
    this.membership = new Membership({
      self: cluster.ids[index] as NodeId,
      role: "edge",
      name: `n${index}`,
      address: { host: "simulated", port: 1 + index },
      bootEpoch: this.bootEpoch,
      certificate: () => given.certificate,
      statements: given.statements,
      removals: new Removals(),
      parameters: cluster.parameters,
      clock,
      timers,
      random: random.fork("membership"),
      signer,
      digests: given.digests,
      meter: undefined,
      send: (node, trafficClass, envelope) => this.#send(node, trafficClass, envelope),
      emit: given.onEvent,
      removed: () => undefined,
      adopt: () => false,
      refuse: (_, error) => {
        throw error;
      },
      heardTable: () => undefined,
    });
  }

  /** Grows with every change of what this one knows. */
  get revision(): number {
    return this.membership.revision;
  }

  /** Every member this one knows. */
  members(): readonly Member[] {
    return this.membership.members();
  }

  /** Those that changed after {@link revision} was this, in no order; 0 gives all. */
  changedSince(revision: number): ReturnType<Membership["changedSince"]> {
    return this.membership.changedSince(revision);
  }

  /** What this one says of itself. */
  self(): Member | undefined {
    return this.membership.member(this.#cluster.ids[this.#machine.index] as NodeId);
  }

  begin(): void {
    this.membership.start();
    this.#join();
  }

  receive(from: number, trafficClass: TrafficClass, message: Envelope): void {
    const node = this.#cluster.ids[from] as NodeId;
    this.membership.receive({ node, role: "edge" }, trafficClass, message);
  }

  reset(peer: number): void {
    this.membership.sessionLost(this.#cluster.ids[peer] as NodeId);
  }

  act(name: string): void {
    if (name !== "leave" || this.left) return;
    this.left = true;
    this.membership.leave();
  }

  /** Ask the founder and two others for their tables, until somebody has answered. */
  #join(): void {
    const { index, machines, random, timers } = this.#machine;
    if (machines === 1 || this.left || this.membership.members().length > 1) return;
    const contacts = new Set([0]);
    // More than one: two that boot at once and only ask each other would be a cluster of their own.
    for (let i = 1; i < CONTACTS; i++) contacts.add(random.uint32() % machines);
    contacts.delete(index);
    for (const contact of contacts) this.membership.introduce(this.#cluster.ids[contact] as NodeId);
    timers.schedule(JOIN_AGAIN_MS, () => this.#join());
  }

  #send(node: NodeId, trafficClass: TrafficClass, envelope: Envelope): void {
    const to = this.#cluster.indexOf(node);
    if (to < 0) return;
    this.sent++;
    this.#machine.send(to, trafficClass, envelope);
  }
}

/** Higher than at every boot before, if the disk remembers (SM2). */
export function nextBootEpoch({ disk, clock }: Pick<MembershipMachine, "disk" | "clock">): number {
  const known = disk.list().includes(BOOT_FILE);
  const file = known ? disk.open(BOOT_FILE) : disk.create(BOOT_FILE);
  const last = file.read(0, 8).reduce((value, byte) => value * 256 + byte, 0);
  const epoch = Math.max(last + 1, Math.floor(clock.wallMs()));
  const bytes = new Uint8Array(8);
  for (let i = 7, rest = epoch; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  file.write(0, bytes);
  file.sync();
  return epoch;
}
