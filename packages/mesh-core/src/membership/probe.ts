/**
 * Probing one member (SWIM section 3.1; nacks from Lifeguard; the second try over another class from memberlist).
 *
 *     ping (datagram) --probeTimeout--> ping-req through k members, and ping over `request` --probe interval--> failed
 *
 * P1. A probe ends once: with an acknowledgement by any way, or failed at the end of its interval.
 * P2. A helper that cannot reach the member either says so (nack): then the fault is not in this node's own ears.
 * P3. A probe whose end was judged late accuses nobody: this node stalled, not the member.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, TimerHandle, Timers } from "@glia-os/abi/ports";
import type { Deadlines } from "./deadlines.ts";
import type { MembershipParameters } from "./parameters.ts";

/** What probes need. */
export interface ProbeOptions {
  readonly parameters: MembershipParameters;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly deadlines: Deadlines;
  ping(node: NodeId, seq: number, trafficClass: "datagram" | "request"): void;
  pingReq(helper: NodeId, seq: number, target: NodeId): void;
  ack(node: NodeId, seq: number): void;
  nack(node: NodeId, seq: number): void;
  /** Up to k members to help, without `target`. */
  helpers(target: NodeId, k: number): NodeId[];
  succeeded(target: NodeId, roundTripMs: number): void;
  /** `missingNacks`: helpers that said nothing at all. */
  failed(target: NodeId, helpers: number, missingNacks: number): void;
}

interface Probe {
  readonly target: NodeId;
  readonly startedMs: number;
  readonly timers: TimerHandle[];
  helpers: number;
  nacks: number;
}

interface Relay {
  readonly target: NodeId;
  readonly asker: NodeId;
  readonly seq: number;
  readonly timers: TimerHandle[];
}

/** Probes and relayed probes under way. */
export const PROBES_MAX = 4096;
/** A helper says nack after this share of the probe timeout (Lifeguard). */
const NACK_SHARE = 0.8;

/** The probes of one node. */
export class Probes {
  readonly #options: ProbeOptions;
  readonly #own = new Map<number, Probe>();
  readonly #targets = new Set<NodeId>();
  readonly #relayed = new Map<number, Relay>();
  #seq: number;

  constructor(options: ProbeOptions, firstSeq: number) {
    this.#options = options;
    this.#seq = firstSeq;
  }

  /** Probe a member for `intervalMs`. */
  start(target: NodeId, intervalMs: number): void {
    if (this.#own.size >= PROBES_MAX || this.#targets.has(target)) return;
    const { clock, deadlines, parameters, ping } = this.#options;
    const seq = ++this.#seq;
    const probe: Probe = { target, startedMs: clock.monotonicMs(), timers: [], helpers: 0, nacks: 0 };
    this.#own.set(seq, probe);
    this.#targets.add(target);
    probe.timers.push(
      deadlines.set(parameters.probeTimeoutMs, () => this.#indirect(seq, probe)),
      deadlines.set(intervalMs, (late) => this.#fail(seq, probe, late)),
    );
    ping(target, seq, "datagram");
  }

  /** Whether a probe of `target` is under way. */
  probing(target: NodeId): boolean {
    return this.#targets.has(target);
  }

  /** Probe `target` for somebody else. */
  relay(asker: NodeId, askerSeq: number, target: NodeId): void {
    if (this.#relayed.size >= PROBES_MAX) return;
    const { timers, parameters, ping, nack } = this.#options;
    const seq = ++this.#seq;
    const late = timers.schedule(parameters.probeTimeoutMs * NACK_SHARE, () => nack(asker, askerSeq));
    const end = timers.schedule(parameters.probeIntervalMs, () => this.#relayed.delete(seq));
    this.#relayed.set(seq, { target, asker, seq: askerSeq, timers: [late, end] });
    ping(target, seq, "datagram");
  }

  /** An acknowledgement, of the member itself or through a helper. */
  acknowledged(from: NodeId, seq: number): void {
    const probe = this.#own.get(seq);
    if (probe !== undefined && (probe.target === from || probe.helpers > 0)) {
      this.#end(seq, probe);
      this.#options.succeeded(probe.target, this.#options.clock.monotonicMs() - probe.startedMs);
      return;
    }
    const relay = this.#relayed.get(seq);
    if (relay === undefined || relay.target !== from) return;
    this.#relayed.delete(seq);
    for (const timer of relay.timers) timer.cancel();
    this.#options.ack(relay.asker, relay.seq);
  }

  /** A helper did not reach the member (P2). */
  nacked(seq: number): void {
    const probe = this.#own.get(seq);
    if (probe !== undefined && probe.nacks < probe.helpers) probe.nacks++;
  }

  /** Forget everything. */
  stop(): void {
    for (const { timers } of [...this.#own.values(), ...this.#relayed.values()])
      for (const timer of timers) timer.cancel();
    this.#own.clear();
    this.#targets.clear();
    this.#relayed.clear();
  }

  #indirect(seq: number, probe: Probe): void {
    const { helpers, parameters, pingReq, ping } = this.#options;
    const asked = helpers(probe.target, parameters.indirectChecks);
    probe.helpers = asked.length;
    for (const helper of asked) pingReq(helper, seq, probe.target);
    ping(probe.target, seq, "request");
  }

  #fail(seq: number, probe: Probe, late: boolean): void {
    this.#end(seq, probe);
    if (late) return;
    this.#options.failed(probe.target, probe.helpers, probe.helpers - probe.nacks);
  }

  #end(seq: number, probe: Probe): void {
    this.#own.delete(seq);
    this.#targets.delete(probe.target);
    for (const timer of probe.timers) timer.cancel();
  }
}
