import type { Session } from "@glia-os/abi/ports";
import type { WireSession, WireTransportOptions } from "../src/index.ts";
import { type ImpairedPair, run, type TransportPair } from "./contract/transport-contract.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";
import { until } from "./ports.ts";
import { Relay } from "./relay.ts";

async function makePair(options: Partial<WireTransportOptions>): Promise<TransportPair> {
  const [a, b, spare] = [makeTransport(options), makeTransport(options), makeTransport(options)];
  const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
  return { a, b, spare, aAddress, bAddress, deadAddress: await freeAddress() };
}

async function makeImpaired(options: Partial<WireTransportOptions>): Promise<ImpairedPair> {
  const quick = { ...options, limits: { keepaliveMs: 250 } };
  const [a, b, spare] = [makeTransport(quick), makeTransport(quick), makeTransport(quick)];
  const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
  const relay = await Relay.start(bAddress, a.datagramPort, b.datagramPort);
  return {
    ...{ a, b, spare, aAddress, bAddress, deadAddress: await freeAddress() },
    through: relay.address,
    reset: () => relay.reset(),
    swallow: () => {
      relay.swallowStreams = true;
    },
    remove: () => relay.close(),
  };
}

function overUdp(session: Session): boolean {
  return (session as WireSession).stats().carriers.datagram === "udp";
}

run(
  "TLS 1.3 over TCP",
  () => makePair({ datagrams: "stream" }),
  () => makeImpaired({ datagrams: "stream" }),
);

run(
  "TLS 1.3 over TCP, datagrams in sealed packets",
  async () => ({
    ...(await makePair({})),
    ready: (fromA, fromB) => until(() => overUdp(fromA) && overUdp(fromB)),
  }),
  () => makeImpaired({}),
);
