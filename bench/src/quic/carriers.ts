/**
 * What the suite `mesh-quic` compares: our QUIC, TLS 1.3 over TCP, and js-libp2p with its QUIC. All authenticate both sides with a certificate
 * of their own for each process.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import { createSystemRandom } from "@glia-os/hal";
import { createNodeIdentity, issueNodeCertificate } from "@glia-os/mesh-wire";
import { createQuicEndpoint } from "@glia-os/quic";
import { duplexLink, type Link, serveDuplex } from "./duplex-link.ts";
import { libp2p } from "./libp2p.ts";

/** One way of carrying bytes. */
export interface MeasuredCarrier {
  /** Serve on loopback; gives what a dialler needs to know. */
  serve(): Promise<string>;
  /** Prepare a dialler, such as its socket; each call of what it gives makes a connection. */
  dialler(address: string): Promise<() => Promise<Link>>;
}

const PROTOCOL = "bench";
const VALIDITY_MS = 3_600_000;

function certificate(): { readonly cert: string; readonly key: string } {
  const term = { notBeforeMs: Date.now() - VALIDITY_MS, validityMs: 2 * VALIDITY_MS };
  return issueNodeCertificate(createNodeIdentity(), term, createSystemRandom());
}

function derIdentity(): { readonly certificate: Uint8Array; readonly key: Uint8Array } {
  const { cert, key } = certificate();
  return {
    certificate: new X509Certificate(cert).raw,
    key: createPrivateKey(key).export({ type: "pkcs8", format: "der" }),
  };
}

const quic: MeasuredCarrier = {
  serve: async () => {
    const endpoint = createQuicEndpoint({
      ...derIdentity(),
      alpn: [PROTOCOL],
      approvePeer: () => true,
      onConnection: (connection) => connection.onStream(serveDuplex),
    });
    return String(endpoint.address.port);
  },
  dialler: async (address) => {
    const endpoint = createQuicEndpoint({ ...derIdentity(), alpn: [PROTOCOL], approvePeer: () => true });
    return async () => {
      const connection = await endpoint.connect({ host: "127.0.0.1", port: Number(address) });
      return duplexLink(
        () => connection.openStream(),
        async () => void (await connection.close()),
      );
    };
  },
};

const strict = { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false } as const;

const tls: MeasuredCarrier = {
  serve: async () => {
    const server = createServer({ ...certificate(), ...strict, ALPNProtocols: [PROTOCOL] }, (socket) => {
      socket.setNoDelay(true);
      serveDuplex(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return String((server.address() as { port: number }).port);
  },
  dialler: async (address) => {
    const own = certificate();
    return async () => {
      const socket = connect({
        host: "127.0.0.1",
        port: Number(address),
        ...own,
        ...strict,
        ALPNProtocols: [PROTOCOL],
      });
      socket.setNoDelay(true);
      await once(socket, "secureConnect");
      return duplexLink(
        async () => socket,
        async () => void socket.destroy(),
      );
    };
  },
};

/** By the name in the rows. */
export const carriers: Readonly<Record<string, MeasuredCarrier>> = { quic, tls, "libp2p-quic": libp2p };
