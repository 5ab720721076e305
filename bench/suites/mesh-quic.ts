/**
 * QUIC between two processes beside TLS 1.3 over TCP and js-libp2p's QUIC: round trip, connect, bulk, and bulk where packets are lost.
 *
 * Targets: a round trip of 64 bytes at most 100 us and at most 1.3 times that of TLS; a connection with both certificates in 5 ms; bulk at least
 * 1.5 times that of js-libp2p's QUIC. Bulk with loss has no target: it says why the mesh keeps bulk on TLS.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasLibp2p } from "../src/quic/libp2p.ts";
import { lossyNamespace } from "../src/quic/lossy-namespace.ts";
import type { Contestant, ContestantFactory, RowDefinition, Suite } from "../src/suite.ts";

const MIB = 1024 * 1024;
const LOOPBACK = "both processes are on one machine; a network adds its round trips";

interface Ends {
  ask(question: string): Promise<number>;
  close(): void;
}

async function start(carrier: string, prefix: readonly string[]): Promise<Ends> {
  const [command = "", ...args] = [
    ...prefix,
    process.execPath,
    ...process.execArgv,
    join(import.meta.dirname, "../src/quic/ends.ts"),
    "dial",
    carrier,
  ];
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await answers.next();
    if (done === true) throw new RangeError(`the processes of ${carrier} ended`);
    return value;
  };
  await next();
  return {
    ask: async (question) => {
      child.stdin!.write(`${question}\n`);
      return Number(await next());
    },
    close: () => child.stdin!.end(),
  };
}

function asking(carrier: string, question: string, per1000 = 0): () => Promise<Contestant> {
  return async () => {
    const name = `glia-${process.pid}-${carrier}`;
    const lossy = per1000 === 0 ? undefined : lossyNamespace(name, per1000);
    if (per1000 > 0 && lossy === undefined) throw new RangeError("network namespaces are not permitted");
    const ends = await start(carrier, lossy?.prefix ?? []);
    return {
      value: () => ends.ask(question),
      close: () => {
        ends.close();
        lossy?.remove();
      },
    };
  };
}

function peers(question: string, per1000 = 0): Readonly<Record<string, ContestantFactory>> {
  const libp2p = asking("libp2p-quic", question, per1000);
  return {
    tls: asking("tls", question, per1000),
    "libp2p-quic": () => (hasLibp2p() ? libp2p() : undefined),
  };
}

function bulkRow(per1000: number): RowDefinition {
  const loss = per1000 / 10;
  const bytes = per1000 === 0 ? 64 * MIB : 4 * MIB;
  return {
    id: per1000 === 0 ? "quic-bulk" : `quic-bulk-loss-${loss}`,
    what: `${bytes / MIB} MiB on one stream in writes of 64 KiB, over a connection of its own, until the other process has them${
      per1000 === 0 ? "" : `; ${loss} % of packets are lost, in frames of 1500 bytes`
    }`,
    unit: "MB/s",
    better: "higher",
    excludes: `the connect; ${LOOPBACK}${per1000 === 0 ? "" : ", and makes recovery from loss look cheaper than it is"}`,
    ...(per1000 === 0 ? { target: { ratio: { "libp2p-quic": 1.5 } } } : {}),
    glia: asking("quic", `bulk ${bytes}`, per1000),
    peers: peers(`bulk ${bytes}`, per1000),
  };
}

/** Whether rows with loss can be measured here. */
function permitsLoss(): boolean {
  const probe = lossyNamespace(`glia-${process.pid}-probe`, 1);
  probe?.remove();
  return probe !== undefined;
}

export const suite: Suite = {
  title: "QUIC beside TLS and js-libp2p's QUIC",
  rows: [
    {
      id: "quic-round-trip",
      what: "64 bytes there and back on one stream; the median of 400 in turn",
      unit: "us",
      better: "lower",
      excludes: LOOPBACK,
      // At most 1.3 times TLS.
      target: { max: 100, ratio: { tls: 1 / 1.3 } },
      glia: asking("quic", "echo"),
      peers: peers("echo"),
    },
    {
      id: "quic-connect",
      what: "a connection on which both sides proved a certificate and approved the other's; the median of 5 in turn",
      unit: "ms",
      better: "lower",
      excludes: LOOPBACK,
      target: { max: 5 },
      glia: asking("quic", "connect"),
      peers: peers("connect"),
    },
    ...[0, 10, 30].filter((per1000) => per1000 === 0 || permitsLoss()).map(bulkRow),
  ],
};
