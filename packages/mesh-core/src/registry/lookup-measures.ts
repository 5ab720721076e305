/**
 * What the registry tells a meter (docs/spec/metrics.md): the seeds' `mielin_dht_*` names and hops.
 *
 * LM1. Latencies are in microseconds of the node's clock; the 95th percentile is over the last {@link SAMPLES} lookups.
 */
import type { Meter } from "@glia-os/abi/ports";

/** Lookups the percentile is over. */
export const SAMPLES = 256;
const AVERAGE_SHARE = 0.1;

/** The measures of one node. */
export class LookupMeasures {
  readonly #meter: Meter | undefined;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #latencies: number[] = [];
  #lookups = 0;
  #found = 0;
  #local = 0;
  #averageUs = 0;
  #averageHops = 0;

  constructor(meter: Meter | undefined, node: string) {
    this.#meter = meter;
    this.#labels = { node };
  }

  /** A record was given to somebody who asked. */
  got(): void {
    this.#meter?.count("mielin_dht_gets_total", 1, this.#labels);
  }

  /** A record was stored here. */
  put(): void {
    this.#meter?.count("mielin_dht_puts_total", 1, this.#labels);
  }

  /** Nodes that this one could ask. */
  table(size: number): void {
    this.#meter?.gauge("mielin_dht_routing_table_size", size, this.#labels);
  }

  /** A lookup ended. `local`: this node held a record itself. */
  looked(outcome: {
    readonly found: boolean;
    readonly local: boolean;
    readonly hops: number;
    readonly tookMs: number;
  }): void {
    const meter = this.#meter;
    if (meter === undefined) return;
    this.#lookups++;
    if (outcome.found) this.#found++;
    if (outcome.local) this.#local++;
    const us = 1000 * outcome.tookMs;
    this.#averageUs = this.#lookups === 1 ? us : this.#averageUs + AVERAGE_SHARE * (us - this.#averageUs);
    this.#averageHops =
      this.#lookups === 1
        ? outcome.hops
        : this.#averageHops + AVERAGE_SHARE * (outcome.hops - this.#averageHops);
    this.#latencies[(this.#lookups - 1) % SAMPLES] = us;
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    meter.count("mielin_dht_lookups_total", 1, this.#labels);
    meter.gauge("mielin_dht_lookup_success_rate", this.#found / this.#lookups, this.#labels);
    meter.gauge("mielin_dht_cache_hit_rate", this.#local / this.#lookups, this.#labels);
    meter.gauge("mielin_dht_lookup_latency_avg_us", this.#averageUs, this.#labels);
    meter.gauge(
      "mielin_dht_lookup_latency_p95_us",
      sorted[Math.floor(0.95 * sorted.length)] ?? us,
      this.#labels,
    );
    meter.gauge("glia_dht_lookup_hops_avg", this.#averageHops, this.#labels);
  }
}
