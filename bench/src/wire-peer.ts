/**
 * The other end of the wire benchmarks, in a process of its own: gives requests and datagrams back, counts bulk, and answers a bulk message whose
 * first byte is 1 with an empty request; takes sessions on TLS and, where this machine has it, on QUIC. Beside it a plain TLS server: what begins with `b` is read and answered with one byte after
 * RAW_BULK_BYTES, everything else is given back. Tells both ports to the process that started it, and ends with it.
 */
import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  createNodeIdentity,
  createWireTransport,
  issueNodeCertificate,
  quicCarrier,
} from "@glia-os/mesh-wire";

/** Bytes of one transfer over plain TLS. */
export const RAW_BULK_BYTES: number = 256 * 1024 * 1024;
const BULK_MARK = 0x62;
const HOUR_MS = 3_600_000;

function serve(socket: TLSSocket): void {
  let received = 0;
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    if (received === 0 && chunk[0] !== BULK_MARK) {
      socket.write(chunk);
      return;
    }
    received += chunk.length;
    if (received < RAW_BULK_BYTES) return;
    received = 0;
    socket.write("!");
  });
}

async function start(): Promise<void> {
  const [clock, random] = [createSystemClock(), createSystemRandom()];
  const identity = createNodeIdentity();
  const quic = quicCarrier();
  const carriers = "carrier" in quic ? { quic: quic.carrier } : {};
  const transport = createWireTransport({
    identity,
    clock,
    timers: createSystemTimers(),
    random,
    ...carriers,
  });
  transport.onSession((session) => {
    session.onMessage((trafficClass, message) => {
      if (trafficClass !== "bulk") return session.send(trafficClass, message);
      return message[0] === 1 ? session.send("request", new Uint8Array(0)) : undefined;
    });
  });
  const { cert, key } = issueNodeCertificate(
    identity,
    { notBeforeMs: clock.wallMs(), validityMs: HOUR_MS },
    random,
  );
  const raw = createServer({ cert, key, minVersion: "TLSv1.3" }, serve).listen(0, "127.0.0.1");
  await once(raw, "listening");
  process.once("disconnect", () => {
    raw.close();
    void transport.close();
  });
  const { port } = await transport.listen({ host: "127.0.0.1", port: 0 });
  process.send?.({ port, rawPort: (raw.address() as { port: number }).port });
}

if (process.send !== undefined && process.argv[1]?.includes("wire-peer")) await start();
