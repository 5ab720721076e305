/** The wire of a node: QUIC where this process has it, TLS always, sealed datagrams beside both. */
import type { Clock, Logger, Meter, Random, Timers } from "@glia-os/abi/ports";
import {
  createWireTransport,
  type NodeIdentity,
  quicCarrier,
  type TransportMode,
  type WireTransport,
} from "@glia-os/mesh-wire";

/** What a wire is made of. */
export interface NodeWireParts {
  readonly identity: NodeIdentity;
  readonly mode: TransportMode;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly logger: Logger;
}

/** A transport, and why it has no QUIC although the mode allows it. @throws {CarrierUnavailableError} for `quic-only` without QUIC. */
export function openNodeWire(parts: NodeWireParts): {
  readonly transport: WireTransport;
  readonly whyNoQuic: string | undefined;
} {
  const { mode, logger, ...ports } = parts;
  const quic = mode === "tls-only" ? undefined : quicCarrier();
  const transport = createWireTransport({
    ...ports,
    logger,
    transport: mode,
    ...(quic !== undefined && "carrier" in quic ? { quic: quic.carrier } : {}),
    onCertificate: ({ notAfterMs }) =>
      logger.log("info", "the certificate was replaced", { until: new Date(notAfterMs).toISOString() }),
    onPeerExpired: ({ peer }) =>
      logger.log("warn", "a session ends: the certificate of its peer has expired", { node: peer }),
  });
  return { transport, whyNoQuic: quic !== undefined && "why" in quic ? quic.why.message : undefined };
}
