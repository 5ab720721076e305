/** What membership counts, under the names of docs/spec/metrics.md. Without a meter nothing is counted. */
import type { Meter } from "@glia-os/abi/ports";
import type { MemberTable } from "./member-table.ts";

type Counter =
  | "heartbeats_sent_total"
  | "heartbeats_received_total"
  | "membership_updates_total"
  | "state_syncs_total"
  | "failed_rounds_total";

/** Weight of the newest probe in the moving average of round trips. */
const NEWEST_SHARE = 0.1;

/** The counters of one node. */
export class GossipMeter {
  readonly #meter: Meter | undefined;
  readonly #labels: { readonly node: string };
  #averageUs = 0;

  constructor(meter: Meter | undefined, node: string) {
    this.#meter = meter;
    this.#labels = { node };
  }

  count(name: Counter, value = 1): void {
    this.#meter?.count(`mielin_gossip_${name}`, value, this.#labels);
  }

  /** A probe was answered after `ms`. */
  round(ms: number): void {
    const us = ms * 1000;
    this.#averageUs = this.#averageUs === 0 ? us : this.#averageUs + NEWEST_SHARE * (us - this.#averageUs);
    this.#meter?.gauge("mielin_gossip_round_duration_avg_us", this.#averageUs, this.#labels);
  }

  /** Messages or statements that were dropped to keep up. */
  shed(what: "message" | "statement" | "digest", count = 1): void {
    this.#meter?.count("glia_mesh_shed_total", count, { ...this.#labels, what });
  }

  /** The sizes of the view. */
  sizes(table: MemberTable, health: number): void {
    this.#meter?.gauge("mielin_gossip_member_count", table.live().length, this.#labels);
    this.#meter?.gauge("mielin_gossip_suspect_count", table.count("suspect"), this.#labels);
    this.#meter?.gauge("mielin_gossip_dead_count", table.count("dead"), this.#labels);
    this.#meter?.gauge("glia_mesh_health_score", health, this.#labels);
  }
}
