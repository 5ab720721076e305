/**
 * What statements do to a view: believing, accusing, refuting, removing, and passing on (docs/spec/membership.md).
 *
 * HE1. Only the subject refutes an accusation: with a higher incarnation, signed. A node that hears a record of its own from an earlier
 *      life takes a version above it, so it is never stuck behind its own past.
 * HE2. A suspect is declared dead by this node only after its deadline was judged in time; after a stall the suspect gets one more
 *      probe interval.
 * HE3. What changed something is passed on; what did not is not.
 * HE4. A node that hears an accusation it refuted before says its record again: a refutation that was lost on its way to one member would
 *      else leave this node dead there.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { TimerHandle } from "@glia-os/abi/ports";
import { CLOCK_SKEW_MS } from "../admission/certificate.ts";
import type { Removals } from "../admission/removals.ts";
import type { MemberState, MeshEvent } from "../mesh-types.ts";
import type { Awareness } from "./awareness.ts";
import type { BroadcastQueue } from "./broadcast-queue.ts";
import type { Deadlines } from "./deadlines.ts";
import { compareVersions, type MemberEntry, type MemberTable, memberView } from "./member-table.ts";
import type { MembershipOptions } from "./membership-options.ts";
import type { Accusation, Heard, MemberRecord } from "./statement.ts";
import { Suspicion } from "./suspicion.ts";

/** What hearing changes. */
export interface HearingParts {
  readonly options: MembershipOptions;
  readonly table: MemberTable;
  readonly broadcasts: BroadcastQueue;
  readonly awareness: Awareness;
  readonly removals: Removals;
  readonly deadlines: Deadlines;
  /** Whether this node only watches. */
  readonly observes: boolean;
  /** A row changed. */
  changed(from: MemberState | undefined, to: MemberState | undefined): void;
  /** A dead member is forgotten now; it may still be on the other side of a cut. */
  forgotten(entry: MemberEntry): void;
}

/** The judgement of one node. */
export class Hearing {
  readonly #p: HearingParts;
  readonly #o: MembershipOptions;
  readonly #suspects = new Map<NodeId, TimerHandle>();
  #bootEpoch: number;
  #incarnation = 0;

  constructor(parts: HearingParts) {
    this.#p = parts;
    this.#o = parts.options;
    this.#bootEpoch = parts.options.bootEpoch;
  }

  /** Say something new about this node: that it is here, or that it goes. */
  announce(left: boolean): void {
    const { self, signer, statements, certificate, name, address, clock } = this.#o;
    const record: MemberRecord = {
      name,
      address,
      bootEpoch: this.#bootEpoch,
      incarnation: this.#incarnation,
      left,
    };
    const bytes = statements.signRecord(signer, certificate(), record);
    const heard = statements.read(bytes);
    if (heard.type !== "record") return;
    this.#p.table.put(heard.verify(), record, bytes, clock.monotonicMs());
    this.#p.broadcasts.add(self, bytes);
  }

  /** Announce again, above everything said so far: with a new certificate, or after an accusation. */
  renew(): void {
    this.#incarnation++;
    this.announce(false);
  }

  /** Hear one statement. @throws {MalformedMessageError}, {CertificateInvalidError}. */
  hear(bytes: Uint8Array): Heard {
    const heard = this.#o.statements.read(bytes);
    if (heard.type === "record") this.#hearRecord(heard);
    else if (heard.type === "accusation") this.#hearAccusation(heard);
    else if (heard.type === "removal") this.#hearRemoval(heard);
    else if (this.#o.adopt(heard.succession)) this.#p.broadcasts.add("succession", heard.bytes);
    return heard;
  }

  /** This node's own probe of a member failed. */
  suspect(node: NodeId): void {
    const entry = this.#p.table.get(node);
    if (entry === undefined) return;
    const { bootEpoch, incarnation } = entry.record;
    this.#accuse({ subject: node, accuser: this.#o.self, bootEpoch, incarnation, verdict: "suspect" });
  }

  /** Believe a verified removal. */
  remove(heard: Heard & { readonly type: "removal" }): void {
    const { removals, table, broadcasts } = this.#p;
    const { node } = heard.removal;
    removals.put(heard.removal, heard.bytes);
    broadcasts.add(`removed ${node}`, heard.bytes);
    table.touch(node);
    const entry = table.get(node);
    if (entry !== undefined && removals.covers(entry.certificate)) this.#expel(entry);
    this.#o.removed(node);
  }

  /** Forget members that have been dead or gone for long. */
  forgetBefore(monotonicMs: number): void {
    const { table } = this.#p;
    for (const entry of table.gone()) {
      const { node, state, changedMs } = entry;
      if (changedMs >= monotonicMs) continue;
      this.#calm(node);
      table.forget(node);
      this.#p.changed(state, undefined);
      if (state === "dead") this.#p.forgotten(entry);
    }
  }

  /** Forget every deadline. */
  stop(): void {
    for (const timer of this.#suspects.values()) timer.cancel();
    this.#suspects.clear();
  }

  #hearRecord(heard: Heard & { readonly type: "record" }): void {
    const { self, clock, emit } = this.#o;
    const { table, removals, broadcasts, changed } = this.#p;
    if (heard.node === self) {
      this.#hearOwn(heard);
      return;
    }
    if (!table.wants(heard.node, heard.record)) {
      broadcasts.heard(heard.node, heard.bytes, table.live().length);
      return;
    }
    if (heard.lapsed()) return;
    const certificate = heard.verify();
    if (certificate.role === "client" || clock.wallMs() > certificate.expiresMs + CLOCK_SKEW_MS) return;
    if (removals.covers(certificate)) return;
    const before = table.put(certificate, heard.record, heard.bytes, clock.monotonicMs());
    this.#calm(heard.node);
    broadcasts.add(heard.node, heard.bytes);
    const entry = table.get(heard.node) as MemberEntry;
    changed(before, entry.state);
    const kind = upOrLeft(before, entry.state);
    if (kind !== undefined) emit({ kind, member: memberView(entry) });
  }

  /** A record of this node from an earlier life, or of this one (HE1). */
  #hearOwn(heard: Heard & { readonly type: "record" }): void {
    if (this.#p.observes) return;
    const own = { bootEpoch: this.#bootEpoch, incarnation: this.#incarnation };
    const order = compareVersions(heard.record, own);
    if (order < 0 || (order === 0 && !heard.record.left)) return;
    heard.verify();
    this.#bootEpoch = heard.record.bootEpoch;
    this.#incarnation = heard.record.incarnation;
    this.renew();
  }

  #hearAccusation(heard: Heard & { readonly type: "accusation" }): void {
    const { accusation } = heard;
    if (accusation.subject === this.#o.self) {
      this.#refute(heard);
      return;
    }
    const entry = this.#p.table.accused(accusation);
    const accuser = this.#p.table.get(accusation.accuser);
    if (entry === undefined || accuser === undefined) return;
    if (accusation.verdict === "suspect" && entry.state === "suspect") {
      // One that confirms nothing is stale, and costs no verification.
      if (this.#p.observes || entry.suspicion?.counts(accusation.accuser) !== true) return;
    }
    if (heard.verify(accuser.certificate.nodeKey)) this.#apply(entry, accusation, heard.bytes);
  }

  #refute({ accusation, verify }: Heard & { readonly type: "accusation" }): void {
    const accuser = this.#p.table.get(accusation.accuser);
    const own = { bootEpoch: this.#bootEpoch, incarnation: this.#incarnation };
    const order = compareVersions(accusation, own);
    if (order < 0) this.#sayAgain();
    if (order !== 0) return;
    if (accuser === undefined || !verify(accuser.certificate.nodeKey)) return;
    this.#p.awareness.adjust(1);
    this.renew();
  }

  /** Somebody missed this node's refutation (HE4). The answer to whoever passed the accusation on carries it. */
  #sayAgain(): void {
    const entry = this.#p.table.get(this.#o.self);
    if (entry !== undefined) this.#p.broadcasts.add(entry.node, entry.recordBytes);
  }

  #hearRemoval(heard: Heard & { readonly type: "removal" }): void {
    const restated = heard.isNewest() ? heard.bytes : undefined;
    if (!this.#p.removals.wants(heard.removal, this.#o.clock.wallMs(), restated) || heard.lapsed()) return;
    heard.verify();
    this.remove(heard);
  }

  #accuse(accusation: Accusation): void {
    const entry = this.#p.table.accused(accusation);
    if (entry === undefined) return;
    if (entry.state === "suspect" && accusation.verdict === "suspect")
      if (entry.suspicion?.counts(accusation.accuser) !== true) return;
    this.#apply(entry, accusation, this.#o.statements.signAccusation(this.#o.signer, accusation));
  }

  #apply(entry: MemberEntry, { verdict, accuser }: Accusation, bytes: Uint8Array): void {
    const { table, broadcasts, changed } = this.#p;
    const nowMs = this.#o.clock.monotonicMs();
    broadcasts.add(entry.node, bytes);
    if (verdict === "suspect" && entry.suspicion !== undefined) {
      entry.suspicion.confirm(accuser);
      this.#watch(entry, nowMs);
      return;
    }
    this.#calm(entry.node);
    const accused = table.accuse(entry, verdict, bytes, nowMs);
    changed(entry.state, verdict);
    if (verdict === "suspect") {
      accused.suspicion = new Suspicion(this.#o.parameters, table.live().length, accuser, nowMs);
      this.#watch(accused, nowMs);
    }
    const kind: MeshEvent["kind"] = verdict === "suspect" ? "memberSuspect" : "memberDead";
    this.#o.emit({ kind, member: memberView(accused) });
  }

  #watch(entry: MemberEntry, nowMs: number): void {
    const { node, suspicion } = entry;
    if (this.#p.observes || suspicion === undefined) return;
    this.#calm(node);
    const wait = (delayMs: number): void => {
      const timer = this.#p.deadlines.set(delayMs, (late) =>
        // HE2
        late ? wait(this.#o.parameters.probeIntervalMs) : this.#declareDead(node),
      );
      this.#suspects.set(node, timer);
    };
    wait(Math.max(0, suspicion.deadlineMs() - nowMs));
  }

  #declareDead(node: NodeId): void {
    const entry = this.#p.table.get(node);
    if (entry === undefined) return;
    const { bootEpoch, incarnation } = entry.record;
    this.#accuse({ subject: node, accuser: this.#o.self, bootEpoch, incarnation, verdict: "dead" });
  }

  /** No deadline of a suspect any more. */
  #calm(node: NodeId): void {
    this.#suspects.get(node)?.cancel();
    this.#suspects.delete(node);
  }

  #expel(entry: MemberEntry): void {
    this.#calm(entry.node);
    this.#p.table.forget(entry.node);
    this.#p.changed(entry.state, undefined);
    this.#o.emit({ kind: "memberRemoved", member: memberView(entry) });
  }
}

function upOrLeft(before: MemberState | undefined, now: MemberState): "memberUp" | "memberLeft" | undefined {
  if (now === "left") return before !== undefined && before !== "left" ? "memberLeft" : undefined;
  return before === "alive" ? undefined : "memberUp";
}
