import type { Session } from "@glia-os/abi/ports";
import type { WireSession, WireTransportOptions } from "../src/index.ts";
import { run, type TransportPair } from "./contract/transport-contract.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { until } from "./ports.ts";

async function makePair(options: Partial<WireTransportOptions>): Promise<TransportPair> {
  const [a, b, spare] = [makeTransport(options), makeTransport(options), makeTransport(options)];
  const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
  return { a, b, spare, aAddress, bAddress, deadAddress: await freeAddress() };
}

function overUdp(session: Session): boolean {
  return (session as WireSession).stats().carriers.datagram === "udp";
}

run("TLS 1.3 over TCP", () => makePair({ datagrams: "stream" }));

run("TLS 1.3 over TCP, datagrams in sealed packets", async () => ({
  ...(await makePair({})),
  ready: (fromA, fromB) => until(() => overUdp(fromA) && overUdp(fromB)),
}));
