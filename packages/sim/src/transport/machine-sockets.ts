/**
 * Everything of one boot of a simulated machine that listens and dials: it hands packets to its transports and sessions.
 *
 * MS1. A packet for a session that is not here is answered with its end, unless it was an end or a datagram: so a peer of a machine that booted
 *      again learns of it at its next word.
 */
import type { TrafficClass } from "@glia-os/abi/ports";
import type { Machine } from "../machines/machine.ts";
import { SimulatedAddressInUseError } from "./errors.ts";
import { type Packet, readPacket, writePacket } from "./packet.ts";
import {
  SimulatedTransport,
  type SimulatedTransportOptions,
  type TransportHost,
} from "./simulated-transport.ts";

const HOST = /^machine-(0|[1-9]\d{0,3})$/;
const FREE_PORTS = 49_152;
const PORTS = 65_536;

/** The host name of a machine. */
export function machineHost(machine: number): string {
  return `machine-${machine}`;
}

/** The sockets of one boot of a machine. Give `receive` and `reset` of the program to it. */
export class MachineSockets {
  /** The host name of the machine: where its transports may listen. */
  readonly host: string;
  readonly #machine: Machine<Uint8Array>;
  readonly #listening = new Map<number, SimulatedTransport>();
  readonly #transports: SimulatedTransport[] = [];
  readonly #routes = new Map<string, (from: number, packet: Packet) => void>();
  #free = FREE_PORTS;

  constructor(machine: Machine<Uint8Array>) {
    this.#machine = machine;
    this.host = machineHost(machine.index);
  }

  /** A transport of this machine: it may listen at `machine-INDEX`, the host {@link machineHost} gives, and dial the others. */
  transport(options: SimulatedTransportOptions): SimulatedTransport {
    const transport = new SimulatedTransport(this.#host(), options);
    this.#transports.push(transport);
    return transport;
  }

  /** For the program's `receive`. */
  readonly receive = (from: number, trafficClass: TrafficClass, message: Uint8Array): void => {
    const packet = readPacket(message);
    if (packet === undefined || (packet.kind === "datagram") !== (trafficClass === "datagram")) return;
    const route = this.#routes.get(packet.id);
    if (route !== undefined) route(from, packet);
    else if (packet.kind === "dial") this.#dialled(from, packet);
    else if (packet.kind !== "fail" && packet.kind !== "refuse" && packet.kind !== "datagram")
      this.#put(from, "request", { kind: "fail", id: packet.id });
  };

  /** For the program's `reset`. */
  readonly reset = (peer: number): void => {
    for (const transport of this.#transports) transport.reset(peer);
  };

  #dialled(from: number, packet: Extract<Packet, { kind: "dial" }>): void {
    const listener = this.#listening.get(packet.to);
    if (listener !== undefined) listener.dialled(from, packet);
    else this.#put(from, "request", { kind: "refuse", id: packet.id, yielded: false });
  }

  #put(machine: number, trafficClass: TrafficClass, packet: Packet): void {
    this.#machine.send(machine, trafficClass, writePacket(packet));
  }

  #host(): TransportHost {
    const { index, machines, random, timers } = this.#machine;
    return {
      self: index,
      timers,
      random: random.fork(`transport ${this.#transports.length}`),
      machineOf: (host) => {
        const number = HOST.exec(host)?.[1];
        return number !== undefined && Number(number) < machines ? Number(number) : -1;
      },
      hostOf: machineHost,
      bind: (transport, port) => this.#bind(transport, port),
      unbind: (transport) => {
        for (const [port, listener] of this.#listening)
          if (listener === transport) this.#listening.delete(port);
      },
      put: (machine, trafficClass, packet) => this.#put(machine, trafficClass, packet),
      route: (id, take) => {
        if (take === undefined) this.#routes.delete(id);
        else this.#routes.set(id, take);
      },
    };
  }

  #bind(transport: SimulatedTransport, wanted: number): number {
    let port = wanted;
    for (let tries = 0; wanted === 0 && tries < PORTS - FREE_PORTS; tries++) {
      port = this.#free;
      this.#free = this.#free + 1 === PORTS ? FREE_PORTS : this.#free + 1;
      if (!this.#listening.has(port)) break;
    }
    if (this.#listening.has(port))
      throw new SimulatedAddressInUseError({ host: machineHost(this.#machine.index), port });
    this.#listening.set(port, transport);
    return port;
  }
}
