/**
 * Whole nodes on the machines of a simulator: sessions, admission, membership, calls and all parts, over the simulator's own transport.
 *
 * SN1. A machine's node founds the cluster (machine 0), joins it with a line, or comes back with what its disk has; it tries until it has.
 * SN2. Every start has a higher boot epoch. Credentials are on disk before they count as kept; a disk that lost them makes its node join again.
 * SN3. What an operator keeps outlives machines: the engine of the anchor, the founder's key and credentials, and the join line.
 */
import type {
  Clock,
  Coordination,
  Digests,
  HostPort,
  Random,
  Signer,
  Timers,
  TrafficClass,
  Transport,
} from "@glia-os/abi/ports";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { createMesh } from "../mesh.ts";
import type { Mesh, MeshConfig, MeshPorts } from "../mesh-face.ts";
import type { ClusterStart, Credentials } from "../mesh-types.ts";
import { type MembershipMachine, nextBootEpoch } from "./simulated-membership.ts";

/** What a simulated machine offers. Every simulator's machine that has this fits. */
export interface MeshMachine {
  readonly index: number;
  readonly machines: number;
  readonly generation: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: MembershipMachine["disk"];
}

/** What listens and dials on one boot of a machine, such as `MachineSockets` of `@glia-os/sim`. */
export interface MeshSockets {
  readonly host: string;
  transport(options: { readonly signer: Signer; readonly digests: Digests }): Transport;
  receive(from: number, trafficClass: TrafficClass, message: Uint8Array): void;
  reset(peer: number): void;
}

/** How nodes are made. */
export interface MeshSimulationOptions<Machine extends MeshMachine> {
  readonly digests: Digests;
  /** The signer of a name. */
  readonly signerOf: (name: string) => Signer;
  readonly sockets: (machine: Machine) => MeshSockets;
  /** Makes the engine of the anchor, machine 0, on that machine's clock. It is made once (SN3). */
  readonly coordination: (clock: Clock) => Coordination;
  /** Settings that differ from those here: role `edge`, `core` on machine 0, port 7400. */
  readonly config?: (machine: Machine) => Partial<MeshConfig>;
  /** More ports, such as `cells`. */
  readonly ports?: (machine: Machine) => Partial<MeshPorts>;
  /** Your program: called with the node of every start, before it starts. */
  readonly program?: (mesh: Mesh, machine: Machine) => void;
}

const PORT = 7400;
const AGAIN_MS = 1000;
const LINE_MS = 30 * 86_400_000;
const LINE_USES = 10_000;
const CREDENTIALS_FILE = "credentials";
const CREDENTIALS_MAX = 65_536;

/** The nodes of one run. Make a new one for every run. */
export class SimulatedMesh<Machine extends MeshMachine = MeshMachine> {
  readonly options: MeshSimulationOptions<Machine>;
  /** By machine: where its node listened last. */
  readonly addresses: Map<number, HostPort> = new Map();
  /** Admits everybody, once the founder runs. */
  line: string | undefined;
  /** Of the founder. */
  founded: Credentials | undefined;

  #engine: Coordination | undefined;

  constructor(options: MeshSimulationOptions<Machine>) {
    this.options = options;
  }

  /** The engine of the anchor. */
  engine(clock: Clock): Coordination {
    this.#engine ??= this.options.coordination(clock);
    return this.#engine;
  }

  /** The program of a machine. */
  readonly boot = (machine: Machine): SimulatedNode<Machine> => new SimulatedNode(this, machine);
}

/** The node on one machine, for one boot. */
export class SimulatedNode<Machine extends MeshMachine = MeshMachine> {
  readonly #cluster: SimulatedMesh<Machine>;
  readonly #machine: Machine;
  readonly #sockets: MeshSockets;
  readonly #signer: Signer;
  #mesh: Mesh | undefined;
  /** Whether the node is a member now. */
  started = false;
  /** Whether it left of its own will. */
  left = false;

  constructor(cluster: SimulatedMesh<Machine>, machine: Machine) {
    this.#cluster = cluster;
    this.#machine = machine;
    this.#signer = cluster.options.signerOf(`node ${machine.index}`);
    this.#sockets = cluster.options.sockets(machine);
    void this.#begin();
  }

  /** The node of the last start; undefined before the first. */
  get mesh(): Mesh | undefined {
    return this.#mesh;
  }

  receive(from: number, trafficClass: TrafficClass, message: Uint8Array): void {
    this.#sockets.receive(from, trafficClass, message);
  }

  reset(peer: number): void {
    this.#sockets.reset(peer);
  }

  act(name: string): void {
    if (name !== "leave" || this.left) return;
    this.left = true;
    this.started = false;
    void this.#mesh?.stop();
  }

  async #begin(): Promise<void> {
    if (this.left) return;
    const start = this.#start();
    if (start === undefined) return this.#again();
    const mesh = this.#create(start);
    this.#mesh = mesh;
    mesh.onEvent(({ kind }) => {
      if (kind === "credentialsChanged" && this.started) this.#keep(mesh);
    });
    this.#cluster.options.program?.(mesh, this.#machine);
    try {
      await mesh.start();
      this.started = !this.left;
      this.#keep(mesh);
      this.#tell(mesh);
    } catch {
      await mesh.stop();
      this.#again();
    }
  }

  #again(): void {
    this.#machine.timers.schedule(AGAIN_MS, () => void this.#begin());
  }

  /** How this node comes to its cluster; undefined while nobody has founded it (SN1). */
  #start(): ClusterStart | undefined {
    const { line, founded, options, addresses } = this.#cluster;
    const { index, machines } = this.#machine;
    const contacts = [...addresses].flatMap(([machine, address]) => (machine === index ? [] : [address]));
    if (index === 0) {
      const clusterSigner = options.signerOf("cluster");
      if (founded === undefined) return { kind: "found", clusterSigner };
      return { kind: "member", credentials: founded, contacts: contacts.slice(0, machines), clusterSigner };
    }
    const kept = readCredentials(this.#machine);
    if (kept !== undefined && contacts.length > 0) return { kind: "member", credentials: kept, contacts };
    return line === undefined ? undefined : { kind: "join", line };
  }

  #create(start: ClusterStart): Mesh {
    const { clock, timers, random, index } = this.#machine;
    const { digests, config, ports } = this.#cluster.options;
    const signer = this.#signer;
    const bootEpoch = nextBootEpoch(this.#machine);
    return createMesh(
      {
        transport: this.#sockets.transport({ signer, digests }),
        clock,
        timers,
        random: random.fork(`mesh ${bootEpoch}`),
        signer,
        digests,
        ...(index === 0 ? { coordination: this.#cluster.engine(clock) } : {}),
        ...ports?.(this.#machine),
      },
      {
        name: `n${index}`,
        role: index === 0 ? "core" : "edge",
        bind: { host: this.#sockets.host, port: PORT },
        ...config?.(this.#machine),
        start,
        bootEpoch,
      },
    );
  }

  #keep(mesh: Mesh): void {
    const credentials = mesh.credentials();
    if (this.#machine.index === 0) this.#cluster.founded = credentials;
    else writeCredentials(this.#machine, credentials);
  }

  /** What others need to come here. */
  #tell(mesh: Mesh): void {
    if (mesh.address !== undefined) this.#cluster.addresses.set(this.#machine.index, mesh.address);
    if (this.#machine.index === 0)
      this.#cluster.line = mesh.createJoinLine({ ttlMs: LINE_MS, uses: LINE_USES });
  }
}

/** Length first; a file that was not flushed whole has no credentials in it (SN2). */
function writeCredentials({ disk }: MeshMachine, credentials: Credentials): void {
  const { certificate, clusterRecord, successions = [], removals = [] } = credentials;
  const body = encodeCbor([certificate, clusterRecord, [...successions], [...removals]]);
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  try {
    const known = disk.list().includes(CREDENTIALS_FILE);
    const file = known ? disk.open(CREDENTIALS_FILE) : disk.create(CREDENTIALS_FILE);
    file.write(0, bytes);
    file.sync();
  } catch {
    // A disk that fails keeps nothing: the node joins again.
  }
}

function readCredentials({ disk }: MeshMachine): Credentials | undefined {
  if (!disk.list().includes(CREDENTIALS_FILE)) return undefined;
  try {
    const file = disk.open(CREDENTIALS_FILE);
    const head = file.read(0, 4);
    const length = head.length < 4 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (length === 0 || length > CREDENTIALS_MAX) return undefined;
    const [certificate, clusterRecord, successions, removals] = decodeCbor(
      file.read(4, length),
      "kept credentials",
    ) as [Uint8Array, Uint8Array, Uint8Array[], Uint8Array[]];
    return { certificate, clusterRecord, successions, removals };
  } catch {
    return undefined;
  }
}
