/** Transports that carry requests on QUIC alone. */
import { type CarrierFactory, quicCarrier } from "@glia-os/mesh-wire";

/** Options of such a transport. @throws where this process has no QUIC: a row that says QUIC is not measured on something else. */
export function quicOnly(): { readonly transport: "quic-only"; readonly quic: CarrierFactory } {
  const quic = quicCarrier();
  if ("why" in quic) throw new RangeError(`no QUIC here: ${quic.why.message}`);
  return { transport: "quic-only", quic: quic.carrier };
}
