/**
 * The members one node knows, and how statements change them (docs/spec/membership.md).
 *
 * MT1. Per member, (boot epoch, incarnation) never decreases.
 * MT2. A record replaces what is known only with a higher (boot epoch, incarnation), or as `left` with the same one.
 * MT3. An accusation counts only for exactly the known (boot epoch, incarnation): it cannot push a member's incarnation up. Dead beats
 *      suspect beats alive; left beats all.
 * MT4. Staleness is judged before a signature is verified.
 * MT5. At most {@link MEMBERS_MAX} members; more are refused.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Certificate } from "../admission/certificate.ts";
import type { Member, MemberState } from "../mesh-types.ts";
import type { Accusation, MemberRecord } from "./statement.ts";
import type { Suspicion } from "./suspicion.ts";

/** Members one node keeps, dead ones included. */
export const MEMBERS_MAX = 4096;

/** One row. */
export interface MemberEntry {
  readonly node: NodeId;
  readonly certificate: Certificate;
  record: MemberRecord;
  /** The signed record, to pass on. */
  recordBytes: Uint8Array;
  state: MemberState;
  /** The accusation behind `suspect` or `dead`, to pass on. */
  accusationBytes: Uint8Array | undefined;
  suspicion: Suspicion | undefined;
  changedMs: number;
}

const RANK: Readonly<Record<MemberState, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** The table. */
export class MemberTable {
  readonly #entries = new Map<NodeId, MemberEntry>();

  get(node: NodeId): MemberEntry | undefined {
    return this.#entries.get(node);
  }

  /** All rows, in the order they became known. */
  all(): MemberEntry[] {
    return [...this.#entries.values()];
  }

  /** Members thought to run: alive or suspect. */
  live(): MemberEntry[] {
    return this.all().filter(({ state }) => state === "alive" || state === "suspect");
  }

  /** Whether a record says anything new (MT2, MT4, MT5). */
  wants(node: NodeId, record: MemberRecord): boolean {
    const known = this.#entries.get(node);
    if (known === undefined) return this.#entries.size < MEMBERS_MAX;
    const order = compareVersions(record, known.record);
    return order > 0 || (order === 0 && record.left && known.state !== "left");
  }

  /** Put a verified record; returns the state before, undefined for a new member. */
  put(
    certificate: Certificate,
    record: MemberRecord,
    recordBytes: Uint8Array,
    nowMs: number,
  ): MemberState | undefined {
    const { node } = certificate;
    const known = this.#entries.get(node);
    const before = known?.state;
    this.#entries.set(node, {
      node,
      certificate,
      record,
      recordBytes,
      state: record.left ? "left" : "alive",
      accusationBytes: undefined,
      suspicion: undefined,
      changedMs: nowMs,
    });
    return before;
  }

  /** The row an accusation would change or confirm (MT3, MT4). */
  accused({ subject, bootEpoch, incarnation, verdict }: Accusation): MemberEntry | undefined {
    const entry = this.#entries.get(subject);
    if (entry === undefined) return undefined;
    if (entry.record.bootEpoch !== bootEpoch || entry.record.incarnation !== incarnation) return undefined;
    const confirms = verdict === "suspect" && entry.state === "suspect";
    return confirms || RANK[verdict] > RANK[entry.state] ? entry : undefined;
  }

  /** Forget a row. */
  forget(node: NodeId): void {
    this.#entries.delete(node);
  }
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(
  a: Pick<MemberRecord, "bootEpoch" | "incarnation">,
  b: Pick<MemberRecord, "bootEpoch" | "incarnation">,
): number {
  return a.bootEpoch - b.bootEpoch || a.incarnation - b.incarnation;
}

/** The public view of a row. */
export function memberView({ node, certificate, record, state }: MemberEntry): Member {
  return {
    node,
    publicKey: certificate.nodeKey,
    role: certificate.role,
    name: record.name,
    address: record.address,
    bootEpoch: record.bootEpoch,
    incarnation: record.incarnation,
    state,
  };
}
