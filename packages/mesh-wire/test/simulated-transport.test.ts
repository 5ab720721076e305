/** The contract of the transport port on simulated machines: what runs in `simulate` behaves as the wire does. */
import { createHash } from "node:crypto";
import type { Digests, TrafficClass, Transport } from "@glia-os/abi/ports";
import {
  type Machine,
  MachineSockets,
  SIMULATED_DIGESTS,
  simulateAsync,
  simulatedSigner,
} from "@glia-os/sim";
import { type ImpairedPair, run, type TransportPair } from "./contract/transport-contract.ts";

/** Node ids are those of the wire. */
const DIGESTS: Digests = {
  ...SIMULATED_DIGESTS,
  sha256: (data) => new Uint8Array(createHash("sha256").update(data).digest()),
};

/** Machines that run, in virtual time and as fast as they can, for as long as a test needs them. */
class RunningMachines {
  readonly sockets: MachineSockets[] = [];
  readonly #heard = new Set<string>();
  #swallowed: ReadonlySet<string> = new Set();
  #open = 3;

  constructor(seed: number) {
    const boot = (machine: Machine<Uint8Array>) => this.#boot(machine);
    const turn = () => new Promise<void>((done) => setImmediate(done));
    const stop = async (): Promise<void> => {
      await turn();
      if (this.#open === 0) throw new RangeError("the test is over");
    };
    simulateAsync({ seed, nodes: 2, boot, durationMs: 1e9 }, stop).catch(() => undefined);
  }

  /** Nothing more is carried of the sessions there are. */
  swallow(): void {
    this.#swallowed = new Set(this.#heard);
  }

  transport(machine: number, name: string, keepaliveMs?: number): Transport {
    const more = keepaliveMs === undefined ? {} : { keepaliveMs };
    const signer = simulatedSigner(name);
    const made = this.sockets[machine]?.transport({ signer, digests: DIGESTS, ...more });
    if (made === undefined) throw new RangeError(`machine ${machine} has not booted`);
    const { close } = made;
    let closed = false;
    made.close = async () => {
      await close.call(made);
      if (!closed) this.#open--;
      closed = true;
    };
    return made;
  }

  #boot(machine: Machine<Uint8Array>) {
    const sockets = new MachineSockets({
      ...machine,
      send: (to, trafficClass, message) => {
        const session = message.subarray(1, 9).join();
        this.#heard.add(session);
        if (!this.#swallowed.has(session)) machine.send(to, trafficClass, message);
      },
    });
    this.sockets[machine.index] = sockets;
    // Time goes on while nobody says anything.
    const beat = (): void => void machine.timers.schedule(1, beat);
    beat();
    return {
      receive: (from: number, trafficClass: TrafficClass, message: Uint8Array) =>
        sockets.receive(from, trafficClass, message),
      reset: (peer: number) => sockets.reset(peer),
    };
  }
}

let pairs = 0;

async function booted(): Promise<RunningMachines> {
  const machines = new RunningMachines(++pairs);
  while (machines.sockets.length < 2) await new Promise((done) => setImmediate(done));
  return machines;
}

async function makePair(machines: RunningMachines, keepaliveMs?: number): Promise<TransportPair> {
  const [a, b, spare] = [
    machines.transport(0, "a", keepaliveMs),
    machines.transport(1, "b", keepaliveMs),
    machines.transport(1, "spare", keepaliveMs),
  ];
  const aAddress = await a.listen({ host: "machine-0", port: 0 });
  const bAddress = await b.listen({ host: "machine-1", port: 7400 });
  return { a, b, spare, aAddress, bAddress, deadAddress: { host: "machine-1", port: 9 } };
}

async function makeImpaired(): Promise<ImpairedPair> {
  const machines = await booted();
  const pair = await makePair(machines, 250);
  return {
    ...pair,
    through: pair.bAddress,
    reset: () => {
      machines.sockets[0]?.reset(1);
      machines.sockets[1]?.reset(0);
    },
    swallow: () => machines.swallow(),
    remove: async () => undefined,
  };
}

run("simulated machines", async () => makePair(await booted()), makeImpaired);
