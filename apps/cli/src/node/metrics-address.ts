/** Where a node is watched over HTTP, as typed. */
import type { HostPort } from "@glia-os/abi/ports";
import { parseHostPort } from "./host-port.ts";

/** As typed. */
export interface MetricsOptions {
  readonly metricsPort?: string;
  readonly metricsHost?: string;
}

/** The address, or undefined when no port was named. @throws {UsageError} for what is none */
export function metricsAddress({
  metricsPort,
  metricsHost = "127.0.0.1",
}: MetricsOptions): HostPort | undefined {
  if (metricsPort === undefined) return undefined;
  const host = metricsHost.includes(":") ? `[${metricsHost}]` : metricsHost;
  return parseHostPort(`${host}:${metricsPort}`);
}
