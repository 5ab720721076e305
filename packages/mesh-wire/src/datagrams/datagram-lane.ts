/**
 * The datagrams of one session on their way out, over UDP while a path works and else over the shared stream.
 *
 * DL1. A datagram is handed to one carrier only, when its turn comes: what waits when the path begins or ends takes the other.
 * DL2. At most 64 KiB wait for the operating system; what is behind that waits in the outbox, which drops its oldest.
 * DL3. Both sides say once, on the shared stream, which port they have and what they call the session; a side without a
 *      socket says nothing, and everything stays on the stream.
 */
import type { HostPort, Random, Timers } from "@glia-os/abi/ports";
import { type DatagramOffer, readDatagramOffer, writeDatagramOffer } from "../control-payload.ts";
import type { Exporter } from "../hello.ts";
import { OUTBOX_BYTES } from "../limits.ts";
import type { Lane, Outbox } from "../outbox.ts";
import { DatagramPath, type DatagramSecrets, type PathCounts } from "./datagram-path.ts";
import type { DatagramSocket } from "./datagram-socket.ts";
import { PACKET_OVERHEAD_BYTES, SECRET_BYTES } from "./sealed-packet.ts";

const LABEL_INITIATOR = "EXPORTER-glia-1-datagram-initiator";
const LABEL_ACCEPTOR = "EXPORTER-glia-1-datagram-acceptor";

/** What a lane is made from. */
export interface DatagramLaneParts {
  readonly outbox: Outbox;
  readonly socket: DatagramSocket;
  readonly shared: Exporter;
  readonly initiator: boolean;
  /** The peer's address as a literal, where the carrier knows it. */
  readonly remoteHost: string | undefined;
  readonly timers: Timers;
  readonly random: Random;
  readonly intervalMs: number;
  /** Send the offer on the shared stream. */
  readonly offer: (payload: Uint8Array) => void;
  readonly message: (message: Uint8Array) => void;
  /** The outbox may have something for the stream, or has become empty. */
  readonly wakeStream: () => void;
}

/** The secrets of both directions, from the exporter of the shared connection (docs/spec/datagram.md section 2). */
export function datagramSecrets(shared: Exporter, initiator: boolean): DatagramSecrets {
  const own = shared.exportKeyingMaterial(initiator ? LABEL_INITIATOR : LABEL_ACCEPTOR, SECRET_BYTES);
  const peers = shared.exportKeyingMaterial(initiator ? LABEL_ACCEPTOR : LABEL_INITIATOR, SECRET_BYTES);
  return { out: own, in: peers };
}

/** One session's datagrams. */
export class DatagramLane implements Lane {
  readonly #parts: DatagramLaneParts;
  readonly #secrets: DatagramSecrets;
  #path: DatagramPath | undefined;
  #offered: DatagramOffer | undefined;
  #inFlight = 0;
  #stopped = false;

  constructor(parts: DatagramLaneParts) {
    this.#parts = parts;
    this.#secrets = datagramSecrets(parts.shared, parts.initiator);
    const { socket } = parts;
    const wildcard: HostPort = { host: parts.remoteHost?.includes(":") === true ? "::" : "0.0.0.0", port: 0 };
    void socket.bind(wildcard).then((port) => {
      if (port !== undefined && !this.#stopped) this.#open(port);
    });
  }

  /** Whether UDP carries datagrams now. */
  get overUdp(): boolean {
    return this.#path?.works === true;
  }

  /** The peer's UDP address in use. */
  get target(): HostPort | undefined {
    return this.#path?.target;
  }

  /** What has been counted on the path. */
  get counts(): PathCounts {
    return this.#path?.counts ?? { unopened: 0, proofs: 0 };
  }

  /** The peer's offer arrived (DL3). @throws {ProtocolViolationError} for a second one, or port 0 */
  takeOffer(payload: Uint8Array): void {
    this.#offered = readDatagramOffer(payload, this.#offered);
    this.#start();
  }

  /** What the stream may take (DL1). */
  takeFrame(): ReturnType<Lane["takeFrame"]> {
    return this.overUdp ? undefined : this.#parts.outbox.takeFrame();
  }

  /** There is something in the outbox. */
  wake(): void {
    if (this.overUdp) this.#pump();
    else this.#parts.wakeStream();
  }

  /** Give everything back. */
  stop(): void {
    this.#stopped = true;
    this.#path?.stop();
  }

  #open(port: number): void {
    const { socket, timers, random, intervalMs } = this.#parts;
    this.#path = new DatagramPath({
      socket,
      timers,
      random,
      intervalMs,
      secrets: this.#secrets,
      message: (message) => this.#parts.message(message),
      changed: () => this.wake(),
    });
    this.#parts.offer(writeDatagramOffer({ port, path: this.#path.name }));
    this.#start();
  }

  #start(): void {
    const offered = this.#offered;
    if (offered === undefined || this.#path === undefined) return;
    const host = this.#parts.remoteHost;
    this.#path.start(host === undefined ? undefined : { host, port: offered.port }, offered.path);
  }

  /** (DL2) */
  #pump(): void {
    const { outbox } = this.#parts;
    while (this.#inFlight < OUTBOX_BYTES.datagram && this.overUdp) {
      const frame = outbox.takeFrame();
      if (frame === undefined) break;
      const size = frame.payload.length + PACKET_OVERHEAD_BYTES;
      this.#inFlight += size;
      this.#path?.send(frame.payload, () => {
        this.#inFlight -= size;
        if (!outbox.empty) this.wake();
      });
    }
    if (outbox.empty) this.#parts.wakeStream();
  }
}
